import type { Business } from '../../business.ts'
import type { Clock } from '../../clock.ts'
import { limits } from '../../limits.ts'
import { freeListener, grammarListener, type Listener } from './listener.ts'
import { type GrammarSearch, grammarSearch, type Search } from './listening.ts'
import type { SpeechPrograms } from './programs.ts'

/** A call's place in the pool: one recognizer at a time, by the grammar or for free sentences. */
export interface Seat {
  take(kind: Search['kind']): Promise<Listener>
  /** Ends the recognizer that this seat has taken; its place is another call's. */
  leave(): Promise<void>
}

export interface PoolOptions {
  readonly programs: SpeechPrograms
  readonly clock: Clock
  /** Calls at once. */
  readonly seats: number
}

/** As many recognizers as there may be calls, some of them started ahead. What a call has heard by, no other call gets. */
export class RecognizerPool {
  readonly #with: PoolOptions
  readonly #seats = new Set<Seat>()
  /** By what business they listen for; only ever those of the latest one. */
  #warm:
    | { readonly key: string; readonly search: Promise<GrammarSearch>; readonly idle: Promise<Listener>[] }
    | undefined
  #closed = false

  constructor(options: PoolOptions) {
    this.#with = options
  }

  get taken(): number {
    return this.#seats.size
  }

  /** Starts recognizers ahead for calls of this business; rejects when that does not work. */
  async prewarm(business: Business): Promise<void> {
    await Promise.all(this.#refill(business))
  }

  /** Nothing when every place is taken. */
  sit(business: Business): Seat | undefined {
    if (this.#closed || this.#seats.size >= this.#with.seats) return undefined
    let current: Promise<Listener> | undefined
    const end = async () => {
      const ending = current
      current = undefined
      await ending?.then(
        listener => listener.close(),
        () => {},
      )
    }
    const seat: Seat = {
      take: async kind => {
        const before = end()
        const mine = kind === 'grammar' ? this.#warmOne(business) : freeListener(this.#with.programs, this.#with.clock)
        current = mine
        await before
        return mine
      },
      leave: async () => {
        await end()
        this.#seats.delete(seat)
      },
    }
    this.#seats.add(seat)
    return seat
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#seats].map(seat => seat.leave()))
    await this.#cool()
  }

  async #warmOne(business: Business): Promise<Listener> {
    this.#refill(business)
    const warm = this.#warm!
    const ready = await warm.idle.shift()
    this.#refill(business)
    if (ready?.running) return ready
    // One that has ended while it waited for a call is no use, and what was made for it goes.
    await ready?.close()
    return this.#start(await warm.search)
  }

  #refill(business: Business): readonly Promise<Listener>[] {
    const key = JSON.stringify([business.services, business.destinations, business.outbound.enabled])
    if (this.#warm?.key !== key) {
      void this.#cool()
      const search = grammarSearch(business, this.#with.programs, this.#with.clock)
      this.#warm = { key, search, idle: [] }
    }
    const { search, idle } = this.#warm!
    const wanted = this.#closed ? 0 : Math.min(limits.local.warm, this.#with.seats)
    while (idle.length < wanted) {
      const starting = search.then(ready => this.#start(ready))
      // Whoever takes it hears of a failure.
      starting.catch(() => {})
      idle.push(starting)
    }
    return [...idle]
  }

  async #cool(): Promise<void> {
    const idle = this.#warm?.idle.splice(0) ?? []
    await Promise.all(idle.map(each => each.then(listener => listener.close()).catch(() => {})))
  }

  #start(search: GrammarSearch): Promise<Listener> {
    return grammarListener(this.#with.programs, search, this.#with.clock)
  }
}
