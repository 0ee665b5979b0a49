import type { Clock } from '../clock.ts'

/**
 * What came of a reply to which nothing more belongs; `broken`: not all that it was to say; `unsaid`: it was to say given
 * words, and made no sound of them.
 */
type ReplyOutcome = 'spoken' | 'broken' | 'unsaid' | 'empty'

interface OwedRepliesDependencies {
  readonly clock: Clock
  /** The longest that the conversant may give nothing while it owes a reply. */
  readonly patienceMs: number
  readonly late: () => void
}

/** The replies that a conversant owes: those that we have given cause for, and the one that it makes. */
export class OwedReplies {
  readonly #with: OwedRepliesDependencies
  /** Not begun. */
  #awaited = 0
  #begun: PromiseWithResolvers<void> | undefined
  /** It was asked to say given words, and has not ended. */
  #saying = false
  /** It has given something to be heard since it began to reply. */
  #spoke = false
  /** The latest has broken off. */
  #broken = false
  #cancelWatch = () => {}

  constructor(dependencies: OwedRepliesDependencies) {
    this.#with = dependencies
  }

  get any(): boolean {
    return this.#begun !== undefined || this.#awaited > 0
  }

  /** The one that has begun is over, whatever has become of it. */
  get whole(): Promise<void> {
    return this.#begun?.promise ?? Promise.resolve()
  }

  /** One that says something new. */
  await(): void {
    this.#spoke = false
    this.awaitMore()
  }

  awaitWords(): void {
    this.#saying = true
    this.await()
  }

  /** One that goes on with what has been said. */
  awaitMore(): void {
    this.#awaited += 1
    this.watch()
  }

  began(): void {
    // With the result of a tool it goes on with what it has begun to say.
    if (!this.any) this.#spoke = false
    this.withdrawn()
    this.#begun ??= Promise.withResolvers()
  }

  withdrawn(): void {
    this.#awaited = Math.max(0, this.#awaited - 1)
  }

  spoke(): void {
    this.#spoke = true
  }

  /** False when nobody waits for the end of it, because it was cancelled. */
  ended(broken: boolean): boolean {
    if (!this.#begun) return false
    this.#broken = broken
    this.#end()
    return true
  }

  /** What has come of all of them. */
  takeOutcome(): ReplyOutcome {
    const saying = this.#saying
    this.#saying = false
    if (this.#spoke) return this.#broken ? 'broken' : 'spoken'
    return saying ? 'unsaid' : 'empty'
  }

  /** Nobody waits for any of them. */
  drop(): void {
    this.#awaited = 0
    this.#end()
    this.#cancelWatch()
  }

  /** Nor do they have an outcome. */
  forget(): void {
    this.drop()
    this.#saying = false
    this.#spoke = false
  }

  /** The conversant has given something: its time begins anew. */
  watch(): void {
    const { clock, patienceMs, late } = this.#with
    this.#cancelWatch()
    if (this.any) this.#cancelWatch = clock.after(patienceMs, late)
  }

  #end(): void {
    this.#begun?.resolve()
    this.#begun = undefined
  }
}
