import type { Ear, Recognizer } from '../../agent/ports.ts'
import type { AudioFormat } from '../../media/audio.ts'
import { StretchEar } from './ear.ts'
import { isStrange, type Search } from './listening.ts'
import type { Seat } from './pool.ts'
import type { RecognizerProcess } from './recognizer-process.ts'
import { widened } from './widen.ts'

/** How one call is heard: by the grammar, or freely while a message is dictated. */
export class Hearing implements Recognizer {
  readonly #seat: Seat
  #kind: Search['kind'] | undefined
  #current: Promise<RecognizerProcess> | undefined
  #ear: StretchEar | undefined

  constructor(seat: Seat) {
    this.#seat = seat
  }

  /** From the next stretch of speech on. Resolves when it can be heard by. */
  async listenFor(kind: Search['kind']): Promise<void> {
    if (kind !== this.#kind) {
      this.#kind = kind
      const current = this.#seat.take(kind)
      this.#current = current
      const recognizer = await current
      // Deaf, the call must not go on: whoever talks to us hears of it at once, not with the next word.
      void recognizer.ended.then(() => this.#current === current && this.#ear?.fail(recognizer.whyEnded))
    }
    await this.#current
  }

  open(_format: AudioFormat, signal: AbortSignal): Ear {
    this.#ear = new StretchEar(async speech => {
      const recognizer = await this.#current
      const words = await recognizer?.recognize(widened(speech))
      return !words || isStrange(words) ? undefined : words
    }, signal)
    return this.#ear
  }
}
