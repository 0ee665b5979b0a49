type Release = () => void | Promise<void>

/**
 * A lifetime. Scopes form a tree: process -> call -> turn. Closing aborts the signal first, so that whoever waits stops
 * waiting, and then releases in reverse order of registration, children included.
 *
 * Register before the first `await` that could be interrupted: what is registered on a scope that has already closed is
 * released at once, so a hangup during set-up finds everything.
 */
export class Scope {
  readonly name: string
  readonly #abort = new AbortController()
  readonly #releases = new Set<{ release: Release }>()
  readonly #failed: (error: unknown, scope: string) => void
  #closing: Promise<void> | undefined

  constructor(name: string, failed: (error: unknown, scope: string) => void) {
    this.name = name
    this.#failed = failed
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  /** A lifetime within this one: it ends with its parent, or before. */
  child(name: string): Scope {
    const child = new Scope(`${this.name}/${name}`, this.#failed)
    const forget = this.onClose(() => child.close(this.signal.reason))
    child.onClose(forget)
    return child
  }

  /** Registers what must be undone; the returned function forgets it again. */
  onClose(release: Release): () => void {
    if (this.#closing) {
      void this.#run(release)
      return () => {}
    }
    const entry = { release }
    this.#releases.add(entry)
    return () => this.#releases.delete(entry)
  }

  /** Ends the lifetime; every caller gets the same promise, settled when all is released. Never rejects. */
  close(reason: unknown = new Error(`${this.name} closed`)): Promise<void> {
    if (!this.#closing) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#closing = promise
      this.#abort.abort(reason)
      void this.#releaseAll().then(resolve)
    }
    return this.#closing
  }

  async #releaseAll(): Promise<void> {
    for (const { release } of [...this.#releases].reverse()) await this.#run(release)
    this.#releases.clear()
  }

  async #run(release: Release): Promise<void> {
    try {
      await release()
    } catch (error) {
      this.#failed(error, this.name)
    }
  }
}
