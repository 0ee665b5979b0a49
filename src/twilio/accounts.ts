import type { CallEvent } from '../call/events.ts'
import { type Clock, every } from '../clock.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { claimAccounts, closeAccount, type OpenAccount } from '../store/open-accounts.ts'
import type { Store } from '../store/store.ts'
import { CarrierError } from './errors.ts'
import type { TwilioRest } from './rest.ts'
import { type CarrierTold, isFinal, toldByRest } from './status.ts'

interface AccountsParts {
  readonly store: Pick<Store, 'ask' | 'caughtUp'>
  /** Left out: there are no keys, and nobody can be asked. */
  readonly rest: Pick<TwilioRest, 'callNow'> | undefined
  readonly tell: (event: CallEvent) => void
  readonly clock: Clock
  readonly log: Log
}

/**
 * Asks Twilio what it has not told: the end of a call whose time is over, and what a call has cost. The database has the list,
 * so it does not matter which gateway the call was announced to, and whether that still lives.
 */
export class Accounts {
  readonly #with: AccountsParts
  #running: Promise<void> | undefined
  #closed = false
  #stopLooking = () => {}

  constructor(parts: AccountsParts) {
    this.#with = parts
  }

  /** Now, and from time to time: what an earlier life has left among it. */
  watch(): void {
    void this.look()
    this.#stopLooking = every(this.#with.clock, limits.twilio.accounts.lookMs, () => void this.look())
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopLooking()
    await this.#running
  }

  /** Settles when all that is due was asked. */
  look(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(): Promise<void> {
    const { store, clock, log } = this.#with
    const { atOnce: most, retryMs } = limits.twilio.accounts
    try {
      await store.caughtUp()
      while (!this.#closed) {
        const claim = { at: new Date(clock.wallMs()), most, retryMs }
        const claimed = await store.ask(db => claimAccounts(db, 'all', claim))
        if (claimed.length === 0) return
        await Promise.all(claimed.map(each => this.#settle(each)))
      }
    } catch (err) {
      log.warn({ err }, 'calls of which Twilio has not told all could not be looked for')
    }
  }

  async #settle(account: OpenAccount): Promise<void> {
    const { call, business, carrier } = account
    const { tell, close } = settled(account, await this.#ask(account))
    if (tell?.name === 'carrierLost')
      this.#with.log.warn({ call, carrier }, 'a call is over of which Twilio has never told the end')
    if (tell) this.#with.tell({ call, business, atMs: this.#with.clock.wallMs(), fact: tell })
    if (close) await this.#with.store.ask(db => closeAccount(db, 'all', call))
  }

  /** `unknown`: nobody can tell, however often it is asked. */
  async #ask({ call, carrier }: OpenAccount): Promise<Known> {
    const { rest, log } = this.#with
    if (!rest || carrier === null) return 'unknown'
    try {
      return toldByRest(await rest.callNow(carrier)) ?? 'later'
    } catch (error) {
      if (error instanceof CarrierError && error.number === 20_404) return 'unknown'
      if (!this.#closed) log.warn({ err: error, call }, 'Twilio could not be asked about a call')
      return 'later'
    }
  }
}

type Known = CarrierTold | 'later' | 'unknown'

/** What is to be told now, and whether nothing is to be asked any more; a lost call and a price close by being told. */
export function settled(
  { over, ended, attempts }: Pick<OpenAccount, 'over' | 'ended' | 'attempts'>,
  known: Known,
): { readonly tell?: CarrierTold | { readonly name: 'carrierLost' }; readonly close: boolean } {
  const last = attempts >= limits.twilio.accounts.attempts
  if (typeof known === 'object' && isFinal(known.status)) {
    const news = !over || known.price !== undefined
    return { ...(news && { tell: known }), close: last }
  }
  if (known !== 'unknown' && !last) return { close: false }
  return ended ? { close: true } : { tell: { name: 'carrierLost' }, close: false }
}
