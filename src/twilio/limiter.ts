import type { Clock } from '../clock.ts'

interface LimiterOptions {
  readonly perMinute: number
  /** Remembered; of more the one that has been quiet for longest is forgotten. */
  readonly most: number
  readonly clock: Clock
}

const MINUTE_MS = 60_000

/** How often something may happen to each of many: at once as often as in a minute, and then as often as that goes by. */
export class Limiter {
  readonly #with: LimiterOptions
  /** When the last of what has happened is paid for, the longest quiet first. */
  readonly #paidMs = new Map<string, number>()

  constructor(options: LimiterOptions) {
    this.#with = options
  }

  /** Once more would be too often. */
  isOver(name: string): boolean {
    return this.#aheadMs(name) + this.#eachMs > MINUTE_MS
  }

  count(name: string): void {
    const paidMs = this.#with.clock.now() + this.#aheadMs(name) + this.#eachMs
    this.#paidMs.delete(name)
    this.#paidMs.set(name, paidMs)
    if (this.#paidMs.size > this.#with.most) this.#paidMs.delete(this.#paidMs.keys().next().value!)
  }

  /** Counted, unless it is too often. */
  take(name: string): boolean {
    if (this.isOver(name)) return false
    this.count(name)
    return true
  }

  get #eachMs(): number {
    return MINUTE_MS / this.#with.perMinute
  }

  #aheadMs(name: string): number {
    return Math.max(0, (this.#paidMs.get(name) ?? 0) - this.#with.clock.now())
  }
}
