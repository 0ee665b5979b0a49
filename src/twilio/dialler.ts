import type { Businesses } from '../call/addressee.ts'
import type { CallEvent } from '../call/events.ts'
import { type Clock, every } from '../clock.ts'
import { asError, isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { lookAtOutbound, recordOf, type StoredOutbound, type UnderWay } from '../store/outbound.ts'
import type { Store } from '../store/store.ts'
import { afterAttempt, beforeAttempt, callerIdOf } from './dialler-decision.ts'
import { carrierErrorOf } from './errors.ts'
import { addressOf } from './paths.ts'
import type { TwilioRest } from './rest.ts'

interface DiallerDependencies {
  readonly store: Pick<Store, 'ask'>
  readonly rest: Pick<TwilioRest, 'call'>
  readonly businesses: () => Pick<Businesses, 'find'>
  readonly publicBaseUrl: string | undefined
  /** In words: why nobody can be called by this gateway. */
  readonly unable: string | undefined
  /** At once, of all gateways of the database. */
  readonly callsOut: number
  /** A call that came now would be taken. */
  readonly ready: () => boolean
  readonly tell: (event: CallEvent) => void
  /** All that was told is on the disk. */
  readonly kept: () => Promise<void>
  readonly clock: Clock
  readonly log: Log
}

/** Nothing when nothing keeps this gateway from making calls. */
export function whyNoCallsOut(settings: {
  readonly publicBaseUrl: string | undefined
  readonly hasKeys: boolean
  /** Webhooks of Twilio are let in. */
  readonly hears: boolean
  readonly callsOut: number
}): string | undefined {
  if (settings.callsOut === 0) return 'This Parley makes no calls: OUTBOUND_CALLS is 0.'
  if (!settings.hasKeys) return 'Set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: by them calls are made.'
  if (!settings.hears) return 'Set TWILIO_AUTH_TOKEN: without it nothing is believed of what becomes of a call.'
  return settings.publicBaseUrl === undefined
    ? 'Set PUBLIC_BASE_URL: Twilio asks there what is to become of a call.'
    : undefined
}

/**
 * Makes the calls that were asked for. The database's rows are the only queue, and what became of an attempt is read from
 * the record of its call: it does not matter which gateway began it, which one was told of it, and which of them still lives.
 */
export class Dialler {
  readonly #with: DiallerDependencies
  readonly #stop: () => void
  readonly #asking = new Set<Promise<void>>()
  #looking: Promise<void> | undefined
  #again = false
  #anyOpen = true
  #lookedAtMs = 0
  #closed = false
  #lastTrouble = ''

  constructor(dependencies: DiallerDependencies) {
    this.#with = dependencies
    const { clock } = dependencies
    const { lookMs, idleMs } = limits.twilio.outbound
    this.#stop = every(clock, lookMs, () => {
      if (this.#anyOpen || clock.now() - this.#lookedAtMs >= idleMs) this.wake()
    })
  }

  get unable(): string | undefined {
    return this.#with.unable
  }

  /** There may be something to do. */
  wake(): void {
    if (this.#closed) return
    this.#again = true
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
  }

  /** What is being asked of the carrier is waited for. */
  async close(): Promise<void> {
    this.#closed = true
    this.#stop()
    await this.#looking
    await Promise.all(this.#asking)
  }

  async #look(): Promise<void> {
    const { store, clock, log } = this.#with
    while (this.#again && !this.#closed) {
      this.#again = false
      this.#lookedAtMs = clock.now()
      try {
        const seen = await store.ask(db => lookAtOutbound(db, 'all', this.#deciding()))
        // Another gateway looks just now.
        if (!seen) return
        this.#anyOpen = seen.anyOpen
        for (const order of seen.begun) this.#begin(order)
        this.#lastTrouble = ''
      } catch (error) {
        const { message } = asError(error)
        // That the database is away is told by others.
        if (!isCode(error, 'STORE_AWAY') && message !== this.#lastTrouble) log.error(message)
        this.#lastTrouble = message
      }
    }
  }

  #deciding() {
    const { clock, unable, callsOut, ready } = this.#with
    const wallMs = clock.wallMs()
    const able = unable === undefined && ready()
    return {
      at: new Date(wallMs),
      most: able ? callsOut : 0,
      underWay: (seen: UnderWay) => this.#after(seen, wallMs),
      due: (order: StoredOutbound, forbidden: boolean) => this.#before(order, forbidden, wallMs),
    }
  }

  #before(order: StoredOutbound, forbidden: boolean, wallMs: number) {
    const { number, business: id } = order
    const decided = beforeAttempt({ number, forbidden }, this.#with.businesses().find(id), wallMs)
    switch (decided.kind) {
      case 'dial':
        return { state: 'calling', at: new Date(wallMs) } as const
      case 'later':
        return { state: 'waiting', nextAt: new Date(decided.atMs) } as const
      case 'never':
        return { state: 'ended', outcome: decided.why, at: new Date(wallMs) } as const
    }
  }

  #after({ order, status, answeredBy, outcome, withoutAgent }: UnderWay, wallMs: number) {
    const { business, attempts, begun_at } = order
    const notMade = { notMadeRefused: 'refused', notMadeUnreachable: 'unreachable' }[outcome ?? ''] as
      | 'refused'
      | 'unreachable'
      | undefined
    const attempt = { attempts, begunAtMs: begun_at?.getTime() ?? 0, status, answeredBy, notMade, withoutAgent }
    const decided = afterAttempt(attempt, this.#with.businesses().find(business)?.outbound, wallMs)
    if (decided.kind === 'open') return undefined
    if (decided.lost) this.#tell(order, { name: 'callNotMade', attempt: attempts, why: 'unreachable' })
    return decided.kind === 'again'
      ? ({ state: 'waiting', nextAt: new Date(decided.atMs), outcome: decided.outcome } as const)
      : ({ state: 'ended', outcome: decided.outcome, at: new Date(wallMs) } as const)
  }

  #begin(order: StoredOutbound): void {
    const asking = this.#ask(order)
      .catch(err => this.#with.log.error({ err, call: recordOf(order) }, 'a call out could not be begun'))
      .finally(() => this.#asking.delete(asking))
    this.#asking.add(asking)
  }

  /** On the disk before the carrier is asked: what it is known by is known, whatever happens next. */
  async #ask(order: StoredOutbound): Promise<void> {
    const { kept, log } = this.#with
    const { attempts: attempt, number: calledNumber } = order
    const request = this.#requestFor(order)
    this.#tell(order, { name: 'callAsked', attempt, private: { calledNumber } })
    await kept()
    try {
      if (!request) throw new Error('its business has changed meanwhile')
      const { sid } = await this.#with.rest.call(request)
      this.#tell(order, { name: 'callMade', attempt, carrier: sid })
    } catch (thrown) {
      const error = carrierErrorOf(thrown, 'a call')
      const { code, message, unsure } = error
      log[code === 'CARRIER_REFUSED' ? 'error' : 'warn']({ call: recordOf(order) }, message)
      // What may be ringing is told by the carrier, or by its silence.
      if (unsure && request) return
      const why = code === 'CARRIER_REFUSED' ? 'refused' : 'unreachable'
      this.#tell(order, { name: 'callNotMade', attempt, why })
    }
  }

  #requestFor(order: StoredOutbound) {
    const { publicBaseUrl, businesses } = this.#with
    const business = businesses().find(order.business)
    const from = business && callerIdOf(business)
    if (!business || from === undefined || publicBaseUrl === undefined) return undefined
    const { ringSeconds, voicemail } = business.outbound
    const known = { record: recordOf(order), business: order.business }
    return {
      ...{ to: order.number, from, ringSeconds },
      url: addressOf(publicBaseUrl, '/v1/twilio/call', { ...known, ...(order.context as Record<string, string>) }),
      statusCallback: addressOf(publicBaseUrl, '/v1/twilio/status', known),
      detect: voicemail === undefined ? ('Enable' as const) : ('DetectMessageEnd' as const),
      amdCallback: addressOf(publicBaseUrl, '/v1/twilio/answered-by', known),
    }
  }

  #tell(order: StoredOutbound, fact: CallEvent['fact']): void {
    const { tell, clock } = this.#with
    tell({ call: recordOf(order), business: order.business, atMs: clock.wallMs(), fact })
  }
}
