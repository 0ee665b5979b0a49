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

  /** In the law of the line. */
  speak(text: string, signal: AbortSignal): AsyncGenerator<Voiced, void, undefined> {
    return this.#inLaw(this.make(text, signal))
  }

  /** What was made before. */
  repeat(made: readonly Voiced[]): AsyncGenerator<Voiced, void, undefined> {
    return this.#inLaw(made)
  }

  /** As the speaker gives it. */
  async *make(text: string, signal: AbortSignal): AsyncGenerator<Voiced, void, undefined> {
    const late = () => new GatewayError('ENGINE_FAILED', `The speaker gave nothing for ${this.#stepMs} ms.`)
    const pieces = guarded(this.#speaker.speak(text, signal), signal, { clock: this.#clock, ms: this.#stepMs, late })
    const captions = this.#pace.captions(text)
    const { encoding, rate } = this.#speaker.format
    const bytesPerMs = ((encoding === 'pcm16' ? 2 : 1) * rate) / 1_000
    let ms = 0
    for await (const audio of pieces) {
      if (audio.length === 0) continue
      ms += audio.length / bytesPerMs
      yield { audio, text: captions.during(audio.length / bytesPerMs) }
    }
    this.#pace.learn(text, ms)
    yield { audio: new Uint8Array(0), text: captions.rest() }
  }

  async *#inLaw(made: AsyncIterable<Voiced> | Iterable<Voiced>): AsyncGenerator<Voiced, void, undefined> {
    const recoding = new Recoding(this.#speaker.format, this.law)
    let words = ''
    for await (const { audio, text } of made) {
      const recoded = recoding.process(audio)
      words += text
      // What fills no sample yet keeps its words for the next piece.
      if (recoded.length === 0) continue
      yield { audio: recoded, text: words }
      words = ''
    }
    yield { audio: recoding.flush(), text: words }
  }
}
