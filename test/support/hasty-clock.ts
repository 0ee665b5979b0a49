import { VirtualClock } from './virtual-clock.ts'

/** A clock whose timers fire early, as the system's do: they count whole milliseconds, and the time is between two of them. */
export class HastyClock extends VirtualClock {
  #looks = 0

  override now(): number {
    this.#looks += 1
    return super.now() + Math.min(0.9, this.#looks / 1_000)
  }

  override after(delayMs: number, run: () => void): () => void {
    return super.after(Math.max(1, Math.trunc(delayMs)), run)
  }
}
