import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Law } from '../media/audio.ts'
import { Recoding } from '../media/recode.ts'
import { Pace } from './captions.ts'
import { guarded } from './iterate.ts'
import type { Speaker } from './ports.ts'

export interface Voiced {
  readonly audio: Uint8Array
  /** The words that this audio says. */
  readonly text: string
}

const BYTES_PER_MS = 8

/** A speaker in the law of one line. */
export class Voice {
  readonly #speaker: Speaker
  readonly law: Law
  readonly #clock: Clock
  readonly #stepMs: number
  readonly #pace = new Pace()

  constructor(speaker: Speaker, law: Law, clock: Clock, stepMs: number) {
    this.#speaker = speaker
    this.law = law
    this.#clock = clock
    this.#stepMs = stepMs
  }

  async *speak(text: string, signal: AbortSignal): AsyncGenerator<Voiced, void, undefined> {
    const late = () => new GatewayError('ENGINE_FAILED', `The speaker gave nothing for ${this.#stepMs} ms.`)
    const pieces = guarded(this.#speaker.speak(text, signal), signal, { clock: this.#clock, ms: this.#stepMs, late })
    const captions = this.#pace.captions(text)
    const recoding = new Recoding(this.#speaker.format, this.law)
    let ms = 0
    for await (const piece of pieces) {
      const audio = recoding.process(piece)
      if (audio.length === 0) continue
      ms += audio.length / BYTES_PER_MS
      yield { audio, text: captions.during(audio.length / BYTES_PER_MS) }
    }
    this.#pace.learn(text, ms)
    yield { audio: recoding.flush(), text: captions.rest() }
  }
}
