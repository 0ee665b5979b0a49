const PAIRS_A_CALL = 2
const SHARE_USED = 0.9

/**
 * Admission counts Asterisk's RTP port pairs, not calls: a call takes one for the caller and one for the media channel, a
 * transfer one more, a caller in the dialplan's fallback one. Ten in a hundred stay free, because an Asterisk whose
 * range is exhausted crashes (facts: "External media over RTP").
 */
export class Admission {
  readonly pairs: number
  readonly maxCalls: number
  #calls = 0
  #pairsUsed = 0
  #refused = 0

  constructor(rtp: { readonly start: number; readonly end: number }, maxCalls?: number) {
    this.pairs = Math.floor(pairsOf(rtp) * SHARE_USED)
    this.maxCalls = Math.min(maxCalls ?? Number.POSITIVE_INFINITY, Math.floor(this.pairs / PAIRS_A_CALL))
  }

  get figures() {
    return {
      calls: this.#calls,
      maxCalls: this.maxCalls,
      pairs: this.pairs,
      pairsUsed: this.#pairsUsed,
      refused: this.#refused,
    }
  }

  get full(): boolean {
    return this.#calls >= this.maxCalls || this.#pairsUsed + PAIRS_A_CALL > this.pairs
  }

  /** A seat for a call, or nothing when the house is full. */
  admit(): Seat | undefined {
    if (this.full) {
      this.#refused++
      return undefined
    }
    this.#calls++
    return this.#seat(PAIRS_A_CALL, () => this.#calls--)
  }

  /** A call that Asterisk carries already, from before a restart: it holds its ports whether we count them or not. */
  readmit(): Seat {
    this.#calls++
    return this.#seat(PAIRS_A_CALL, () => this.#calls--)
  }

  /** A caller who is in the dialplan's fallback: no call of ours, but a port pair all the same. */
  occupy(): Seat {
    return this.#seat(1, () => {})
  }

  #seat(pairs: number, left: () => void): Seat {
    this.#pairsUsed += pairs
    let held = true
    return {
      release: () => {
        if (!held) return
        held = false
        this.#pairsUsed -= pairs
        left()
      },
    }
  }
}

export interface Seat {
  /** Idempotent. */
  release(): void
}

/** An RTP port is even and its odd neighbour carries RTCP (RFC 3550, section 11). */
function pairsOf(rtp: { readonly start: number; readonly end: number }): number {
  const firstEven = rtp.start + (rtp.start % 2)
  return Math.max(0, Math.floor((rtp.end - firstEven + 1) / 2))
}
