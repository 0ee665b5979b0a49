import type { Clock } from '../../src/clock.ts'

/** The same time as the clock behind it, and a count of the timers that were set through this one and are still to run. */
export class CountedClock implements Clock {
  pending = 0
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  wallMs(): number {
    return this.#clock.wallMs()
  }

  after(delayMs: number, run: () => void): () => void {
    let over = false
    const settle = () => {
      if (!over) this.pending -= 1
      over = true
    }
    this.pending += 1
    const cancel = this.#clock.after(delayMs, () => {
      settle()
      run()
    })
    return () => {
      settle()
      cancel()
    }
  }
}
