import type { AudioSink, FrameKind } from './audio.ts'
import { NoiseFloor } from './noise-floor.ts'
import { HOP_SAMPLES, Voicing } from './voicing.ts'

/** `atMs` is media time: where the sound that is a voice began, and where it ended. */
export interface VoiceEvent {
  readonly kind: 'voiceStarted' | 'voiceStopped'
  readonly atMs: number
}

const HOP_MS = HOP_SAMPLES / 8

/** A voice stands out of the noise of the line by so much, and so does a sound that belongs to it. */
const VOICE_OVER_NOISE_DB = 6
const SOUND_OVER_NOISE_DB = 9
/** That a voice goes on needs less evidence than that it begins. */
const EVIDENCE_TO_GO_ON = 0.2
/** No voice is known sooner after it began. */
const EVIDENCE_HOPS = 4
/** A hiss or a stop belongs to a voice for so long before it is known and after it; a gap within lasts no longer than that. */
const HEAD_HOPS = 40
const TAIL_HOPS = 30
const GAP_HOPS = 7
/** What is compared spans so many hops: all must have been heard, none made up. */
const COMPARED_HOPS = 4

/**
 * Tells when a human voice starts and stops, for interruptions and the end of a turn. Noise, clicks, tones and hum do not
 * start it, nor do they keep it up for longer than the unvoiced end of a word may last.
 */
export class VoiceActivity implements AudioSink {
  readonly format = { encoding: 'pcm16', rate: 8000 } as const
  readonly #onEvent: (event: VoiceEvent) => void
  readonly #hangoverHops: number
  readonly #voicing = new Voicing()
  readonly #noise = new NoiseFloor()
  readonly #hop = new Int16Array(HOP_SAMPLES)
  #filled = 0
  #heardHops = 0
  /** For how long there has been a sound, and for how long none since. */
  #soundHops = 0
  #gapHops = 0
  #speaking = false
  #hopsSinceVoiced = 0
  #hopsSinceActive = 0

  /** A voice has stopped when nothing of it was heard for `hangoverMs`. */
  constructor(onEvent: (event: VoiceEvent) => void, hangoverMs = 240) {
    this.#onEvent = onEvent
    this.#hangoverHops = Math.ceil(hangoverMs / HOP_MS)
  }

  /** `mediaTimeMs` is that of the frame's first sample. */
  write(frame: Int16Array, mediaTimeMs: number, kind: FrameKind): void {
    for (let i = 0; i < frame.length; i++) {
      this.#hop[this.#filled++] = frame[i]!
      if (this.#filled < HOP_SAMPLES) continue
      this.#filled = 0
      this.#take(kind, mediaTimeMs + (i + 1) / 8)
    }
  }

  #take(kind: FrameKind, endMs: number): void {
    const overNoiseDb =
      kind === 'heard' ? this.#noise.overDb(this.#hop, this.#speaking || this.#voicing.evidence > 0) : 0
    this.#follow(kind, overNoiseDb > VOICE_OVER_NOISE_DB)
    this.#measureSound(overNoiseDb > SOUND_OVER_NOISE_DB)
    if (this.#speaking) this.#goOn(endMs)
    else if (this.#voicing.isVoice()) this.#start(endMs)
  }

  #follow(kind: FrameKind, standsOut: boolean): void {
    this.#heardHops = kind === 'heard' ? this.#heardHops + 1 : 0
    const trusted = this.#heardHops >= COMPARED_HOPS
    if (trusted && standsOut) this.#voicing.hear(this.#hop)
    else this.#voicing.skip(this.#hop)
    if (kind === 'missing' || (trusted && !standsOut)) this.#voicing.forget()
  }

  #measureSound(sound: boolean): void {
    if (sound) {
      this.#soundHops += this.#gapHops + 1
      this.#gapHops = 0
    } else if (this.#soundHops > 0) {
      this.#gapHops += 1
      if (this.#gapHops <= GAP_HOPS) return
      this.#soundHops = 0
      this.#gapHops = 0
    }
  }

  #start(endMs: number): void {
    this.#speaking = true
    this.#hopsSinceVoiced = 0
    this.#hopsSinceActive = 0
    const hops = Math.max(EVIDENCE_HOPS, Math.min(HEAD_HOPS, this.#soundHops + this.#gapHops))
    this.#onEvent({ kind: 'voiceStarted', atMs: endMs - hops * HOP_MS })
  }

  #goOn(endMs: number): void {
    const voiced = this.#voicing.evidence >= EVIDENCE_TO_GO_ON
    this.#hopsSinceVoiced = voiced ? 0 : this.#hopsSinceVoiced + 1
    const sounding = this.#soundHops > 0 && this.#gapHops === 0
    const active = voiced || (sounding && this.#hopsSinceVoiced <= TAIL_HOPS)
    this.#hopsSinceActive = active ? 0 : this.#hopsSinceActive + 1
    if (this.#hopsSinceActive < this.#hangoverHops) return
    this.#speaking = false
    this.#onEvent({ kind: 'voiceStopped', atMs: endMs - this.#hopsSinceActive * HOP_MS })
  }
}
