import { limits } from '../../limits.ts'

/** Something that the model shall respond to; without instructions of its own: to what was said last. */
export interface Wish {
  readonly instructions?: string
  /** These very words. */
  readonly words?: string
}

/** To reply to what the caller has said. */
export const ANSWER: Wish = {}

interface Active {
  wish: Wish
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
  /** There is no session that could be asked. */
  #away = false

  /** The wish, when it is to be sent now. */
  ask(wish: Wish): Wish | undefined {
    if (!this.#active && !this.#away) return this.#begin(wish)
    if (this.#waiting.length < limits.openai.waitingResponses) this.#waiting.push(wish)
    return undefined
  }

  /** Also one that the server has begun of its own accord. Tells whether anybody wants it. */
  created(id: string): boolean {
    if (!this.#active) this.#begin(ANSWER)
    this.#active!.id = id
    return !this.#active!.unwanted
  }

  /** What was asked for is refused: one that the server has begun itself is running. Any other wish than its own waits. */
  preceded(): void {
    const active = this.#active
    if (!active || active.unwanted || active.wish === ANSWER) return
    this.askFirst(active.wish)
    active.wish = ANSWER
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

  /** Asked for, and the server has said nothing to it yet: it may refuse. */
  get unborn(): boolean {
    return this.#active !== undefined && this.#active.id === undefined
  }

  /** It has given something. */
  get begun(): boolean {
    return this.#active?.begun ?? false
  }

  /** Whoever has asked for the active one does not want it any more. */
  get unwanted(): boolean {
    return this.#active?.unwanted ?? false
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

  /** The connection is gone, and with it what was being made; what is wished for waits for the next one. */
  lost(): { readonly id: string | undefined; readonly wish: Wish; readonly begun: boolean } | undefined {
    const active = this.#active
    this.#active = undefined
    this.#away = true
    return active && !active.unwanted ? { id: active.id, wish: active.wish, begun: active.begun } : undefined
  }

  /** Before everything that waits. */
  askFirst(wish: Wish): void {
    this.#waiting.unshift(wish)
  }

  /** There is a connection again: the wish that is to be sent now. */
  restored(): Wish | undefined {
    this.#away = false
    return this.over()
  }

  #begin(wish: Wish): Wish {
    this.#active = { wish, id: undefined, unwanted: false, begun: false }
    return wish
  }
}
