import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'

/** What one side hands over and one other takes, in order. One that is not emptied in time fails instead of growing. */
export class Queue<T> implements AsyncIterable<T> {
  readonly #items: T[] = []
  #taker: PromiseWithResolvers<IteratorResult<T, undefined>> | undefined
  #end: { readonly error: Error | undefined } | undefined

  push(item: T): void {
    if (this.#end) return
    if (this.#items.length >= limits.agent.queued) {
      return this.end(new GatewayError('ENGINE_FAILED', `More than ${limits.agent.queued} pieces wait to be taken.`))
    }
    this.#items.push(item)
    this.#serve()
  }

  /** What is in it is still taken; then it has ended, or failed. */
  end(error?: Error): void {
    this.#end ??= { error }
    this.#serve()
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: () => {
        this.#taker = Promise.withResolvers()
        const { promise } = this.#taker
        this.#serve()
        return promise
      },
      return: async () => {
        this.#items.length = 0
        this.end()
        return { done: true, value: undefined }
      },
    }
  }

  #serve(): void {
    const taker = this.#taker
    if (!taker || (this.#items.length === 0 && !this.#end)) return
    this.#taker = undefined
    if (this.#items.length > 0) taker.resolve({ done: false, value: this.#items.shift()! })
    else if (this.#end?.error) taker.reject(this.#end.error)
    else taker.resolve({ done: true, value: undefined })
  }
}
