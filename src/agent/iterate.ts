import type { Clock } from '../clock.ts'

/** How long each next piece may take, and what it means when it takes longer. */
export interface Patience {
  readonly clock: Clock
  readonly ms: number
  readonly late: () => Error
}

/**
 * The pieces of a source that may be slow, or deaf to its signal: whoever reads it leaves at once when the signal aborts,
 * and after the time limit. The source is always told that nobody reads it any more.
 */
export async function* guarded<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
  patience?: Patience,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await unlessAborted(iterator.next(), signal, patience)
      if (next.done) return
      yield next.value
    }
  } finally {
    // Not awaited: one that is stuck would keep us.
    iterator.return?.().catch(() => {})
  }
}

/** The promise's own outcome, unless the signal or the time limit comes first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal, patience?: Patience): Promise<T> {
  const { promise: result, resolve, reject } = Promise.withResolvers<T>()
  const aborted = () => reject(signal.reason)
  const cancelTimer = patience?.clock.after(patience.ms, () => reject(patience.late()))
  promise.then(resolve, reject)
  if (signal.aborted) aborted()
  signal.addEventListener('abort', aborted)
  return result.finally(() => {
    cancelTimer?.()
    signal.removeEventListener('abort', aborted)
  })
}
