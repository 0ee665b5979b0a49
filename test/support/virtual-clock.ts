import type { Clock } from '../../src/clock.ts'

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly run: () => void
  cancelled: boolean
}

/** Time that passes only when a test says so. Timers due at the same moment run in the order they were set. */
export class VirtualClock implements Clock {
  #nowMs = 0
  #order = 0
  #pending = 0
  /** A binary heap: the first due is the first. Cancelled ones stay until their time has come. */
  readonly #timers: Timer[] = []
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
    return this.#pending
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run, cancelled: false }
    this.#pending += 1
    this.#push(timer)
    return () => {
      if (timer.cancelled) return
      timer.cancelled = true
      this.#pending -= 1
    }
  }

  /** Runs every timer that falls due within the time, in order, synchronously. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms
    for (let next = this.#take(untilMs); next; next = this.#take(untilMs)) this.#run(next)
    this.#nowMs = untilMs
  }

  /** As advance, but promises settle between one timer and the next: for whole conversations. */
  async run(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    await this.settle()
    for (let next = this.#take(untilMs); next; next = this.#take(untilMs)) {
      const timePasses = next.dueMs > this.#nowMs
      this.#run(next)
      // Promises that no I/O holds up settle before the next tick. A whole turn of the loop costs five times as much; it
      // lets the process see rejections that nobody has handled.
      await (timePasses ? nextTurn() : nextTick())
    }
    this.#nowMs = untilMs
    await this.settle()
  }

  /** Lets every promise that can settle without time passing do so. */
  async settle(): Promise<void> {
    for (let round = 0; round < 4; round++) await nextTurn()
  }

  #run(timer: Timer): void {
    timer.cancelled = true
    this.#pending -= 1
    this.#nowMs = Math.max(this.#nowMs, timer.dueMs)
    timer.run()
  }

  #take(untilMs: number): Timer | undefined {
    for (let first = this.#timers[0]; first && first.dueMs <= untilMs; first = this.#timers[0]) {
      this.#pop()
      if (!first.cancelled) return first
    }
    return undefined
  }

  #push(timer: Timer): void {
    const timers = this.#timers
    let at = timers.push(timer) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(timer, timers[parent]!)) break
      timers[at] = timers[parent]!
      at = parent
    }
    timers[at] = timer
  }

  #pop(): void {
    const timers = this.#timers
    const last = timers.pop()!
    const { length } = timers
    if (length === 0) return
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && isBefore(timers[child + 1]!, timers[child]!)) child += 1
      if (!isBefore(timers[child]!, last)) break
      timers[at] = timers[child]!
      at = child
    }
    timers[at] = last
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order)
}

function nextTurn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

function nextTick(): Promise<void> {
  return new Promise(resolve => process.nextTick(resolve))
}
