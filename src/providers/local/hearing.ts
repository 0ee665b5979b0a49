import type { Ear, Recognizer } from '../../agent/ports.ts'
import type { AudioFormat } from '../../media/audio.ts'
import { StretchEar } from './ear.ts'
import type { Listener } from './listener.ts'
import type { Search } from './listening.ts'
import type { Seat } from './pool.ts'
import { widened } from './widen.ts'

/** How one call is heard: by the grammar, or freely while a message is dictated. */
export class Hearing implements Recognizer {
  readonly #seat: Seat
  #kind: Search['kind'] | undefined
  #current: Promise<Listener> | undefined
  /** The caller's, and that of whoever has answered for them. */
  readonly #ears = new Set<StretchEar>()

  constructor(seat: Seat) {
    this.#seat = seat
  }

  /** From the next stretch of speech on. Resolves when it can be heard by. */
  async listenFor(kind: Search['kind']): Promise<void> {
    if (kind !== this.#kind) {
      this.#kind = kind
      const current = this.#seat.take(kind)
      this.#current = current
      const listener = await current
      // Deaf, the call must not go on: whoever talks to us hears of it at once, not with the next word.
      void listener.ended.then(why => {
        if (this.#current === current) for (const ear of this.#ears) ear.fail(why)
      })
    }
    await this.#current
  }

  open(_format: AudioFormat, signal: AbortSignal): Ear {
    const ear = new StretchEar(async speech => {
      const listener = await this.#current
      return listener?.listen(widened(speech))
    }, signal)
    this.#ears.add(ear)
    signal.addEventListener('abort', () => this.#ears.delete(ear), { once: true })
    return ear
  }
}
