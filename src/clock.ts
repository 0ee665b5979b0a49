/** Time is a dependency: nothing outside this file asks the system for it, so every test can run in virtual time. */
export interface Clock {
  /** Monotonic milliseconds: for every interval. */
  now(): number
  /** Milliseconds since 1970: for what people and records read, never for an interval. */
  wallMs(): number
  /**
   * Runs once after the delay; the returned function cancels it. It may come a millisecond or two early, because the system's
   * timers count whole ones: who compares the time with a deadline then waits for the rest.
   */
  after(delayMs: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

/** Runs again and again, each time `periodMs` after the last run began; the returned function ends it. */
export function every(clock: Clock, periodMs: number, run: () => void): () => void {
  let cancel = () => {}
  const again = () => {
    cancel = clock.after(periodMs, again)
    run()
  }
  cancel = clock.after(periodMs, again)
  return () => cancel()
}

/** Resolves after the delay; rejects with the signal's reason when that comes first. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const aborted = () => {
      cancel()
      reject(signal?.reason)
    }
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', aborted)
      resolve()
    })
    signal?.addEventListener('abort', aborted, { once: true })
  })
}

/** The promise's own outcome, or a rejection with `late()` once the delay is over. */
export function within<T>(clock: Clock, delayMs: number, promise: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(delayMs, () => reject(late()))
    promise.then(resolve, reject).finally(cancel)
  })
}
