import type { Clock } from '../../src/clock.ts'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly run: () => void
}

/** Time that passes only when a test says so. Timers due at the same moment run in the order they were set. */
export class VirtualClock implements Clock {
  #nowMs = 0
  #order = 0
  readonly #timers = new Set<Timer>()
  readonly #startWallMs: number

  constructor(startWallMs = Date.UTC(2026, 0, 5, 9)) {
    this.#startWallMs = startWallMs
  }

  now(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#startWallMs + this.#nowMs
  }

  /** Timers that have been set and have neither run nor been cancelled: zero when nothing leaks. */
  get pending(): number {
    return this.#timers.size
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Runs every timer that falls due within the time, in order, synchronously. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) this.#run(next)
    this.#nowMs = untilMs
  }

  /** As advance, but promises settle between one timer and the next: for whole conversations. */
  async run(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await this.settle()
    for (let next = this.#next(untilMs); next; next = this.#next(untilMs)) {
      this.#run(next)
      await this.settle()
    }
    this.#nowMs = untilMs
  }

  /** Lets every promise that can settle without time passing do so. */
  async settle(): Promise<void> {
    for (let round = 0; round < 4; round++) await new Promise<void>(resolve => setImmediate(resolve))
  }

  #run(timer: Timer): void {
    this.#timers.delete(timer)
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
    timer.run()
  }

  #next(untilMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.dueMs > untilMs) continue
      if (!first || timer.dueMs < first.dueMs || (timer.dueMs === first.dueMs && timer.order < first.order))
        first = timer
    }
    return first
  }
}
