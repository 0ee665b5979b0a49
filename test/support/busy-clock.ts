import type { Clock } from '../../src/clock.ts'
import { VirtualClock } from './virtual-clock.ts'

/** A clock whose timers fire late, by as much as a test says: the thread was busy, or the system's timers are coarse. */
export class BusyClock implements Clock {
  readonly inner = new VirtualClock()
  lateMs = 0
  timersSet = 0

  now(): number {
    return this.inner.now() + this.lateMs
  }

  wallMs(): number {
    return this.inner.wallMs()
  }

  after(delayMs: number, run: () => void): () => void {
    this.timersSet += 1
    return this.inner.after(delayMs, run)
  }
}
