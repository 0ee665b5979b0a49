import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { FRAME_MS } from './audio.ts'

const SLOTS = 10
const TURN_MS = FRAME_MS / SLOTS
const CATCH_UP_TURNS = limits.media.catchUpMs / TURN_MS
/** Timers have a granularity of 1 ms: one that fires this much early is taken as on time, or it would fire late next. */
const EARLY_MS = 0.5

/** Called every 20 ms. `skippedTicks` before this one were left out, because a stall had made them too old. */
export type Tick = (dueMs: number, skippedTicks: number) => void

export interface Member {
  /**
   * Ticks at once instead of when its slot comes, and every 20 ms from now on. It thereby runs ahead of its own rhythm,
   * never by more than 20 ms: where that would be exceeded, the tick comes as soon as it may.
   */
  moveToNow(): void
  /** While ahead, puts all further ticks off by 2 ms. */
  payBack(): void
  /** How far it is ahead. */
  readonly leadMs: number
  remove(): void
}

interface Seat {
  readonly tick: Tick
  /** When the next tick is due. */
  turn: number
  leadTurns: number
}

/**
 * One timer for everything that happens every 20 ms. Turns of 2 ms have absolute deadlines (start + n * 2 ms), so nothing
 * drifts, and each member has its place in one of ten slots, so the work of many lines spreads over the 20 ms. The timer
 * exists only while there are members, and wakes only for turns that have some.
 */
export class Wheel {
  readonly #clock: Clock
  readonly #slots: Set<Seat>[] = Array.from({ length: SLOTS }, () => new Set())
  readonly #startMs: number
  #members = 0
  #nextTurn = 0
  #timer: { readonly turn: number; readonly cancel: () => void } | undefined
  #running = false

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startMs = clock.now()
  }

  get memberCount(): number {
    return this.#members
  }

  /** Takes a place in the emptiest slot, the soonest of these. */
  add(tick: Tick): Member {
    this.#members += 1
    const seat: Seat = { tick, turn: this.#emptiestTurn(), leadTurns: 0 }
    this.#slot(seat.turn).add(seat)
    this.#arm()
    return {
      moveToNow: () => this.#moveToNow(seat),
      payBack: () => this.#payBack(seat),
      get leadMs() {
        return seat.leadTurns * TURN_MS
      },
      remove: () => this.#remove(seat),
    }
  }

  #slot(turn: number): Set<Seat> {
    return this.#slots[turn % SLOTS]!
  }

  #dueMs(turn: number): number {
    return this.#startMs + turn * TURN_MS
  }

  #turnsSinceStart(): number {
    return (this.#clock.now() - this.#startMs) / TURN_MS
  }

  #emptiestTurn(): number {
    const soonest = Math.max(this.#nextTurn, Math.ceil(this.#turnsSinceStart()))
    let best = soonest
    for (let turn = soonest + 1; turn < soonest + SLOTS; turn++) {
      if (this.#slot(turn).size < this.#slot(best).size) best = turn
    }
    return best
  }

  #moveToNow(seat: Seat): void {
    if (!this.#slot(seat.turn).has(seat)) return
    const nowTurn = Math.round(this.#turnsSinceStart())
    const gain = Math.min(seat.turn - nowTurn, SLOTS - seat.leadTurns)
    if (gain <= 0) return
    seat.leadTurns += gain
    if (seat.turn - gain > nowTurn) return this.#move(seat, seat.turn - gain)
    this.#move(seat, nowTurn + SLOTS)
    seat.tick(this.#dueMs(nowTurn), 0)
  }

  #payBack(seat: Seat): void {
    if (seat.leadTurns === 0 || !this.#slot(seat.turn).has(seat)) return
    seat.leadTurns -= 1
    this.#move(seat, seat.turn + 1)
  }

  #move(seat: Seat, turn: number): void {
    this.#slot(seat.turn).delete(seat)
    seat.turn = turn
    this.#slot(turn).add(seat)
    this.#arm()
  }

  #remove(seat: Seat): void {
    if (!this.#slot(seat.turn).delete(seat)) return
    this.#members -= 1
    this.#arm()
  }

  /** Keeps the one timer set for the next turn that has a member. */
  #arm(): void {
    if (this.#running) return
    const turn = this.#nextOccupied()
    if (turn === this.#timer?.turn) return
    this.#timer?.cancel()
    this.#timer = undefined
    if (turn === undefined) return
    const cancel = this.#clock.after(Math.max(0, this.#dueMs(turn) - this.#clock.now()), this.#fired)
    this.#timer = { turn, cancel }
  }

  #nextOccupied(): number | undefined {
    if (this.#members === 0) return undefined
    let turn = this.#nextTurn
    while (!this.#isDue(turn)) turn += 1
    return turn
  }

  /** A slot may hold none but members whose turn comes next time round. */
  #isDue(turn: number): boolean {
    for (const seat of this.#slot(turn)) if (seat.turn <= turn) return true
    return false
  }

  readonly #fired = (): void => {
    this.#timer = undefined
    this.#running = true
    const last = Math.floor(this.#turnsSinceStart() + EARLY_MS / TURN_MS)
    this.#nextTurn = Math.max(this.#nextTurn, last - CATCH_UP_TURNS)
    while (this.#nextTurn <= last) this.#run(this.#nextTurn++)
    this.#running = false
    this.#arm()
  }

  #run(turn: number): void {
    for (const seat of this.#slot(turn)) {
      // Whoever moved into this slot while it runs has its turn next time round.
      if (seat.turn > turn) continue
      const skippedTicks = (turn - seat.turn) / SLOTS
      seat.turn = turn + SLOTS
      seat.tick(this.#dueMs(turn), skippedTicks)
    }
  }
}
