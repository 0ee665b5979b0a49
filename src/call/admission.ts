import { limits } from '../limits.ts'

const PAIRS_A_CALL = 1
const SHARE_USED = 0.9

/**
 * Admission counts the PBX's RTP port pairs, not calls: a call takes one, a transfer one more, a caller in the dialplan's
 * fallback one. Ten in a hundred stay free, for those who have been let in by the PBX and not yet been refused here. The
 * way between the PBX and us has as many pairs of its own, so none of its channels is ever asked for in vain.
 */
export class Admission {
  readonly pairs: number
  readonly maxCalls: number
  readonly #outsiders: () => number
  #calls = 0
  #pairsUsed = 0
  #refused = 0

  /** `outsiders` tells how many channels hold a port pair without being in a call of ours. */
  constructor(
    rtp: { readonly start: number; readonly end: number },
    maxCalls: number | undefined,
    outsiders: () => number,
  ) {
    this.#outsiders = outsiders
    this.pairs = Math.floor(pairsOf(rtp) * SHARE_USED)
    this.maxCalls = Math.min(maxCalls ?? limits.media.lines, Math.floor(this.pairs / PAIRS_A_CALL))
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
    return this.#calls >= this.maxCalls || !this.#pairLeft
  }

  get #pairLeft(): boolean {
    return this.#pairsUsed + this.#outsiders() + PAIRS_A_CALL <= this.pairs
  }

  /** A seat for a call, or nothing when the house is full. */
  admit(): Seat | undefined {
    if (this.full) {
      this.#refused++
      return undefined
    }
    return this.#seat()
  }

  /** A call that Asterisk carries already, from before a restart: it holds its ports whether we count them or not. */
  readmit(): Seat {
    return this.#seat()
  }

  /** For somebody whom a caller is connected with, or nothing when all pairs are in use. */
  admitTransfer(): Seat | undefined {
    return this.#pairLeft ? this.#seat(0) : undefined
  }

  #seat(calls = 1): Seat {
    this.#calls += calls
    this.#pairsUsed += PAIRS_A_CALL
    let held = true
    return {
      release: () => {
        if (!held) return
        held = false
        this.#calls -= calls
        this.#pairsUsed -= PAIRS_A_CALL
      },
    }
  }
}

export interface Seat {
  /** Idempotent. */
  release(): void
}

/** An RTP port is even and its odd neighbour carries RTCP (RFC 3550, section 11). */
export function pairsOf(rtp: { readonly start: number; readonly end: number }): number {
  const firstEven = rtp.start + (rtp.start % 2)
  return Math.max(0, Math.floor((rtp.end - firstEven + 1) / 2))
}
