import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'

/** What a leg is allowed to be: a part of this record, for this business. */
export interface LegClaim {
  readonly record: string
  readonly business: string
  /** The caller comes back from a transfer with this outcome. */
  readonly again?: string | undefined
}

/** Why a leg is not what it says it is, in words for an operator. */
export type LegDoubt = 'no token' | 'a wrong token' | 'a token that is too old' | 'a token that was used before'

interface LegTokenDependencies {
  readonly authToken: string
  /** A token for another gateway's host is none here. */
  readonly sipDomain: string
  readonly clock: Clock
}

/**
 * Binds a SIP leg to the webhook that has led it here: Twilio's signalling addresses are those of all its customers, and any
 * of them could dial ours. Whoever has the auth token can judge one, and nothing is kept to do so but those that are spent.
 */
export class LegTokens {
  readonly #key: Uint8Array
  readonly #sipDomain: string
  readonly #clock: Clock
  /** Until when each is remembered, the oldest first. */
  readonly #spent = new Map<string, number>()
  #beganMs: number

  constructor({ authToken, sipDomain, clock }: LegTokenDependencies) {
    this.#key = new Uint8Array(hkdfSync('sha256', authToken, '', 'parley leg token', 32))
    this.#sipDomain = sipDomain.toLowerCase()
    this.#clock = clock
    this.#beganMs = clock.wallMs()
  }

  make(claim: LegClaim): string {
    const expiry = Math.floor(this.#nowMs() + limits.twilio.legToken.aliveMs).toString(36)
    const nonce = randomBytes(9).toString('base64url')
    return `${expiry}.${nonce}.${this.#macOf(claim, expiry, nonce)}`
  }

  /** Made by whoever has the auth token, whenever that was and whoever has taken it. */
  proves(token: string, claim: LegClaim): boolean {
    return this.#partsOf(token, claim) !== undefined
  }

  #partsOf(token: string, claim: LegClaim): { readonly expiry: string; readonly nonce: string } | undefined {
    const [matched, expiry = '', nonce = '', mac = ''] =
      /^([0-9a-z]{1,10})\.([\w-]{12})\.([\w-]{22})$/.exec(token) ?? []
    return matched && isSame(mac, this.#macOf(claim, expiry, nonce)) ? { expiry, nonce } : undefined
  }

  /** Right once: nothing to say then, and the token is spent. */
  take(token: string, claim: LegClaim): LegDoubt | undefined {
    const parts = this.#partsOf(token, claim)
    if (!parts) return 'a wrong token'
    const { expiry, nonce } = parts
    const nowMs = this.#nowMs()
    const untilMs = Number.parseInt(expiry, 36)
    if (untilMs <= nowMs) return 'a token that is too old'
    this.#forget(nowMs)
    // What an earlier life of the gateway has let in is not known, nor is more than is remembered.
    const unknowable = untilMs - limits.twilio.legToken.aliveMs < Math.floor(this.#beganMs)
    if (unknowable || this.#spent.has(nonce) || this.#spent.size >= limits.twilio.legToken.spent)
      return 'a token that was used before'
    this.#spent.set(nonce, untilMs)
    return undefined
  }

  /** A clock that is set back takes the beginning with it: else all would be from before it until the clock is there again. */
  #nowMs(): number {
    const nowMs = this.#clock.wallMs()
    this.#beganMs = Math.min(this.#beganMs, nowMs)
    return nowMs
  }

  #forget(nowMs: number): void {
    for (const [nonce, untilMs] of this.#spent) {
      if (untilMs > nowMs) return
      this.#spent.delete(nonce)
    }
  }

  #macOf({ record, business, again = '' }: LegClaim, expiry: string, nonce: string): string {
    const text = JSON.stringify([this.#sipDomain, record, business, again, expiry, nonce])
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, 16).toString('base64url')
  }
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other))
}
