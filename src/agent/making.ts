import type { Scope } from '../scope.ts'

/** What is being made to be said. All of it ends when the caller takes the floor. */
export class Making {
  readonly #parent: Scope
  readonly #onIdle: () => void
  #scope: Scope
  #works = new Set<object>()

  constructor(parent: Scope, onIdle: () => void) {
    this.#parent = parent
    this.#onIdle = onIdle
    this.#scope = parent.child('making')
  }

  get busy(): boolean {
    return this.#works.size > 0
  }

  get signal(): AbortSignal {
    return this.#scope.signal
  }

  /** The work settles its own failures. */
  start(work: (signal: AbortSignal) => Promise<void>): void {
    const works = this.#works
    const entry = {}
    works.add(entry)
    void work(this.#scope.signal).finally(() => {
      works.delete(entry)
      if (works === this.#works && works.size === 0) this.#onIdle()
    })
  }

  cancel(): void {
    void this.#scope.close(new Error('Not wanted any more.'))
    this.#scope = this.#parent.child('making')
    this.#works = new Set()
  }
}
