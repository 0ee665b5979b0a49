import { type Clock, every } from '../clock.ts'
import { limits } from '../limits.ts'
import type { Scope } from '../scope.ts'
import type { Ari } from './ari.ts'

export interface Leasing {
  readonly ari: Ari
  readonly clock: Clock
  readonly scope: Scope
  readonly leaseMs: number
}

/** The dialplan takes the channel then, or it is hung up where no dialplan has ever had it. */
export const LIFE = 'TIMEOUT(absolute)'

export function seconds(ms: number): string {
  return String(ms / 1_000)
}

/** A channel's life ends soon unless it is renewed: a gateway that dies or freezes holds nobody. */
export class Lease {
  readonly #channel: string
  readonly #with: Leasing
  readonly #failed: (error: unknown) => void
  #held = true
  /** One at a time. */
  #renewal: Promise<void> | undefined

  constructor(channel: string, leasing: Leasing, failed: (error: unknown) => void) {
    this.#channel = channel
    this.#with = leasing
    this.#failed = failed
    const { clock, scope, leaseMs } = leasing
    scope.onClose(every(clock, leaseMs / limits.call.renewalsPerLease, () => this.renew()))
  }

  renew(): void {
    if (!this.#held || this.#renewal) return
    const { ari, leaseMs } = this.#with
    const renewed = ari.setVariables(this.#channel, { [LIFE]: seconds(leaseMs) })
    this.#renewal = renewed.catch(this.#failed).finally(() => {
      this.#renewal = undefined
    })
  }

  /** Is renewed no more; settles when no renewal is under way that could cut a longer life short. */
  async end(): Promise<void> {
    this.#held = false
    await this.#renewal
  }

  beginAgain(): void {
    this.#held = true
    this.renew()
  }
}
