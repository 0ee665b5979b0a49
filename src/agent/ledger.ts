/** Where the time of one reply went, in milliseconds: what is ours, and what is the conversant's. */
export interface ReplyTimes {
  /** From the news that the caller has ended to the wish for a reply: ours, and the wait for a first word. */
  readonly askMs: number
  /** From the wish to the news that a reply is being made, and from that to its first sound: the conversant's. */
  readonly beginMs: number
  readonly makeMs: number
  /** From the first sound to the first frame that the caller can hear: ours. */
  readonly playMs: number
}

/** Of the reply that is being waited for; what comes out of order is of another. */
export class Ledger {
  #endedMs: number | undefined
  #askedMs: number | undefined
  #begunMs: number | undefined
  #madeMs: number | undefined

  /** The caller has ended: all that was noted before belongs to a reply that nobody waits for any more. */
  ended(nowMs: number): void {
    this.#endedMs = nowMs
    this.#askedMs = undefined
    this.#begunMs = undefined
    this.#madeMs = undefined
  }

  asked(nowMs: number): void {
    this.#askedMs = nowMs
  }

  withdrawn(): void {
    this.#askedMs = undefined
  }

  begun(nowMs: number): void {
    if (this.#askedMs !== undefined) this.#begunMs ??= nowMs
  }

  made(nowMs: number): void {
    if (this.#begunMs !== undefined) this.#madeMs ??= nowMs
  }

  /** Once for each reply; undefined for what was no reply to a caller. */
  heard(nowMs: number): ReplyTimes | undefined {
    const [ended, asked, begun, made] = [this.#endedMs, this.#askedMs, this.#begunMs, this.#madeMs]
    if (ended === undefined || asked === undefined || begun === undefined || made === undefined) return undefined
    this.#endedMs = undefined
    return {
      askMs: rounded(asked - ended),
      beginMs: rounded(begun - asked),
      makeMs: rounded(made - begun),
      playMs: rounded(nowMs - made),
    }
  }
}

/** To a tenth of a millisecond. */
function rounded(ms: number): number {
  return Math.round(10 * ms) / 10
}
