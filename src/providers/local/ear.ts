import type { Ear, Hearing } from '../../agent/ports.ts'
import { Queue } from '../../agent/queue.ts'
import { asError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { FRAME_MS, FRAME_SAMPLES, type FrameKind } from '../../media/audio.ts'
import { VoiceActivity } from '../../media/voice-activity.ts'

/** What is told of speech that nobody understood: it is asked back, and stands in the record. */
export const NOT_UNDERSTOOD = '[not understood]'

/** Of what came before a voice was noticed: words begin softly. */
const BEFORE_MS = 160
const KEPT_MS = 600
const HANGOVER_MS = 200
/** What is shorter and makes no sense was a cough, or a door. */
const SENSELESS_MS = 400

/** The words of a stretch of telephone speech, at 8 kHz; nothing when it is none that is understood. */
export type Decode = (speech: Int16Array) => Promise<string | undefined>

/** Cuts the caller's sound into stretches of speech and tells the words of each, one after another. */
export class StretchEar implements Ear {
  readonly format = { encoding: 'pcm16', rate: 8_000 } as const
  readonly results = new Queue<Hearing>()
  readonly #decode: Decode
  readonly #signal: AbortSignal
  readonly #activity: VoiceActivity
  /** The latest frames, speech or not. */
  #frames: { readonly samples: Int16Array; readonly atMs: number }[] = []
  #startMs: number | undefined
  #queue: Promise<void> = Promise.resolve()

  constructor(decode: Decode, signal: AbortSignal) {
    this.#decode = decode
    this.#signal = signal
    this.#activity = new VoiceActivity(({ kind, atMs }) => {
      if (kind === 'voiceStarted') this.#startMs = atMs
      else this.finish()
    }, HANGOVER_MS)
    if (signal.aborted) this.results.end()
    signal.addEventListener('abort', () => this.results.end(), { once: true })
  }

  write(frame: Int16Array, mediaTimeMs: number, kind: FrameKind): void {
    this.#frames.push({ samples: frame.slice(), atMs: mediaTimeMs })
    this.#activity.write(frame, mediaTimeMs, kind)
    if (this.#startMs === undefined) {
      if (this.#frames.length > KEPT_MS / FRAME_MS) this.#frames.shift()
    } else if (mediaTimeMs - this.#startMs >= limits.local.stretchMs) {
      this.finish()
      this.#startMs = mediaTimeMs
    }
  }

  finish(): void {
    const startMs = this.#startMs
    if (startMs === undefined) return
    this.#startMs = undefined
    const spoken = this.#frames.filter(({ atMs }) => atMs >= startMs - BEFORE_MS)
    const endMs = (spoken.at(-1)?.atMs ?? startMs) + FRAME_MS
    this.#frames = []
    const speech = new Int16Array(spoken.length * FRAME_SAMPLES)
    for (const [at, { samples }] of spoken.entries()) speech.set(samples, at * FRAME_SAMPLES)
    this.#queue = this.#queue.then(() => this.#tell(speech, startMs, endMs))
  }

  /** Nothing more will be heard. */
  fail(error: Error): void {
    this.results.end(error)
  }

  async #tell(speech: Int16Array, startMs: number, endMs: number): Promise<void> {
    if (this.#signal.aborted) return
    try {
      const words = await this.#decode(speech)
      if (words === undefined && endMs - startMs - HANGOVER_MS < SENSELESS_MS) return
      this.results.push({ kind: 'final', text: words ?? NOT_UNDERSTOOD, startMs, endMs })
    } catch (error) {
      this.results.end(asError(error))
    }
  }
}
