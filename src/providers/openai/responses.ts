import { limits } from '../../limits.ts'

/** Something that the model shall respond to; without instructions of its own: to what was said last. */
export interface Wish {
  readonly instructions?: string
  /** These very words. */
  readonly words?: string
}

interface Active {
  readonly wish: Wish
  id: string | undefined
  unwanted: boolean
  /** It has given something. */
  begun: boolean
}

/**
 * One response at a time: that is all a conversation can carry, and a second one is refused. What is wished for meanwhile
 * waits. A cancelled one still counts until its end is told.
 */
export class Responses {
  #active: Active | undefined
  #waiting: Wish[] = []

  /** The wish, when it is to be sent now. */
  ask(wish: Wish): Wish | undefined {
    if (!this.#active) return this.#begin(wish)
    if (this.#waiting.length < limits.openai.waitingResponses) this.#waiting.push(wish)
    return undefined
  }

  /** Also one that the server has begun of its own accord. Tells whether anybody wants it. */
  created(id: string): boolean {
    if (!this.#active) this.#begin({})
    this.#active!.id = id
    return !this.#active!.unwanted
  }

  /** It gives something, for the first time. */
  gave(id: string): boolean {
    if (!this.wants(id) || !this.#active || this.#active.begun) return false
    this.#active.begun = true
    return true
  }

  wants(id: string): boolean {
    return this.#active?.id === id && !this.#active.unwanted
  }

  /** Asked for and nothing given yet, or given and not over. */
  get expected(): 'first' | 'more' | undefined {
    if (!this.#active) return undefined
    return this.#active.begun || this.#active.unwanted ? 'more' : 'first'
  }

  /** The active one is over, or was refused; the next wish, when there is one, is to be sent now. */
  over(): Wish | undefined {
    this.#active = undefined
    const next = this.#waiting.shift()
    return next && this.#begin(next)
  }

  /** Nobody wants any of it any more. Tells whether the server must be told. */
  cancel(): boolean {
    this.#waiting = []
    if (!this.#active || this.#active.unwanted) return false
    this.#active.unwanted = true
    return true
  }

  /** The connection is gone, and all with it: what was wished for and has not come. */
  lost(): {
    readonly id: string | undefined
    readonly active: Wish | undefined
    readonly begun: boolean
    readonly waiting: readonly Wish[]
  } {
    const active = this.#active?.unwanted ? undefined : this.#active
    const waiting = this.#waiting
    this.#active = undefined
    this.#waiting = []
    return { id: active?.id, active: active?.wish, begun: active?.begun ?? false, waiting }
  }

  #begin(wish: Wish): Wish {
    this.#active = { wish, id: undefined, unwanted: false, begun: false }
    return wish
  }
}
