import type { Speaker } from '../../agent/ports.ts'
import type { Clock } from '../../clock.ts'
import { limits } from '../../limits.ts'
import { encode } from '../../media/g711.ts'
import { Resampler } from '../../media/resample.ts'
import type { Sound } from '../../media/wav.ts'
import { fliteSpeech } from './flite.ts'

/** Of flite's voices the clearest over a telephone. */
const AGENT_VOICE = 'slt'
const RATE = 8_000
const PIECE_BYTES = RATE / 5

export type Render = (text: string, signal: AbortSignal) => Promise<Sound>

/** Sentences that were spoken before are spoken from memory: the latest ones, up to a bound. */
export class RenderedSpeaker implements Speaker {
  readonly format = { encoding: 'ulaw', rate: RATE } as const
  readonly #render: Render
  readonly #kept = new Map<string, Uint8Array>()
  #keptBytes = 0

  constructor(render: Render) {
    this.#render = render
  }

  async *speak(text: string, signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const sound = await this.#soundOf(text.trim(), signal)
    for (let at = 0; at < sound.length; at += PIECE_BYTES) yield sound.subarray(at, at + PIECE_BYTES)
  }

  async #soundOf(text: string, signal: AbortSignal): Promise<Uint8Array> {
    const kept = this.#kept.get(text)
    if (kept) {
      this.#kept.delete(text)
      this.#kept.set(text, kept)
      return kept
    }
    const sound = forTelephone(await this.#render(text, signal))
    this.#keep(text, sound)
    return sound
  }

  #keep(text: string, sound: Uint8Array): void {
    if (this.#kept.has(text)) return
    this.#kept.set(text, sound)
    this.#keptBytes += sound.length
    for (const [oldest, { length }] of this.#kept) {
      if (this.#kept.size <= limits.local.sentences && this.#keptBytes <= limits.local.soundBytes) return
      this.#kept.delete(oldest)
      this.#keptBytes -= length
    }
  }
}

function forTelephone({ rate, samples }: Sound): Uint8Array {
  const resampled = rate === RATE ? samples : new Resampler(rate, RATE).process(samples)
  const bytes = new Uint8Array(resampled.length)
  encode('ulaw', resampled, bytes)
  return bytes
}

export function fliteSpeaker(command: readonly string[], clock: Clock): Speaker {
  return new RenderedSpeaker((text, signal) => fliteSpeech(command, text, { clock, voice: AGENT_VOICE, signal }))
}
