import type { Business } from '../business.ts'
import { type Clock, pause } from '../clock.ts'
import { asError, GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Plane } from '../plane/line.ts'
import type { Scope } from '../scope.ts'
import type { Seat } from './admission.ts'
import type { CallEvent, CallFact, TransferOutcome } from './events.ts'
import type {
  AnnounceTransfer,
  FindRoute,
  Leg,
  Redirect,
  TransferNotice,
  TransferParty,
  TransferWish,
} from './ports.ts'
import { Transfer } from './transfer.ts'
import { transferHeaders } from './transfer-headers.ts'

/** What transfers need of the house. */
export interface TransferMeans {
  readonly route: FindRoute
  /** A port pair more, or nothing when all are in use. */
  readonly admit: () => Seat | undefined
  /** For a destination that says nothing else. */
  readonly ringMs: number
  readonly announce?: AnnounceTransfer | undefined
  /** Left out: there is no carrier that connects anybody. */
  readonly redirect?: Redirect | undefined
  /** For callers who wait; left out: there is some. */
  readonly hasMusic?: () => boolean
}

interface TransfersDependencies {
  readonly means: TransferMeans
  readonly clock: Clock
  readonly plane: Plane
  readonly leg: Leg
  /** By which the carrier knows the call, if it has announced it. */
  readonly record: string | undefined
  readonly business: Business
  /** The call's lifetime. */
  readonly scope: Scope
  readonly emit: (fact: CallFact) => void
  /** What happened before this gateway took the call over. */
  readonly earlier?: readonly CallEvent[] | undefined
}

type Asked = TransferWish | 'back'

/** Of one call: one at a time, each an attempt of its own, all to destinations of the business and nowhere else. */
export class Transfers {
  readonly #with: TransfersDependencies
  readonly #listeners = new Set<(asked: Asked) => boolean>()
  #attempts: number
  #running: Transfer | undefined
  /** The call no longer waits for it. */
  #left = false
  #destination: string | undefined
  #connectedWith: string | undefined
  /** For whoever is dialled, or talks with the caller. */
  #seat: Seat | undefined
  /** As they told last, or as the records have it. */
  callerName: string | undefined

  constructor(dependencies: TransfersDependencies) {
    this.#with = dependencies
    const { earlier = [] } = dependencies
    this.#attempts = earlier.filter(({ fact }) => fact.name === 'transferBegan').length
  }

  /** That the caller is to be, or is or was last, connected with. */
  get destination(): string | undefined {
    return this.#running ? this.#destination : this.#connectedWith
  }

  /** Never rejects. */
  async run(wish: TransferWish, party: TransferParty, signal: AbortSignal): Promise<TransferOutcome> {
    const { means, leg, business } = this.#with
    const destination = this.#destinationOf(wish)
    if (destination?.via === 'carrier') return this.#redirect(wish, signal)
    const route = destination && means.route(business, destination.name, leg.facts.callerNumber)
    if (!destination || !route) return this.refuse(`"${wish.destination}" is no destination of the business.`)
    if (this.#running) return this.refuse('Another one is under way.')
    const { mode = destination.mode } = wish
    const notice = this.#noticeOf({ ...wish, mode })
    this.#tellBegin(notice)
    this.#seat ??= means.admit()
    const { attempt } = notice
    if (!this.#seat || signal.aborted) return this.#endEarly(attempt, signal.aborted ? 'cancelled' : 'noPort')
    this.#announce(notice)
    const scope = this.#with.scope.child(`transfer-${attempt}`)
    const transfer = new Transfer({
      ...this.#with,
      ...{ party, scope, attempt, mode },
      waiting: business.transfers.waiting === 'music' && means.hasMusic?.() !== false ? 'music' : 'line',
      ringMs: destination.ringSeconds === undefined ? means.ringMs : 1_000 * destination.ringSeconds,
      request: { ...route, headers: transferHeaders(notice) },
    })
    this.#running = transfer
    this.#destination = destination.name
    const cancel = () => transfer.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    const outcome = await transfer.outcome
    signal.removeEventListener('abort', cancel)
    this.#running = undefined
    if (outcome === 'connected') this.#connectedWith = destination.name
    else void scope.close().then(() => this.#releaseUnused())
    return outcome
  }

  isByCarrier(wish: TransferWish): boolean {
    return this.#destinationOf(wish)?.via === 'carrier'
  }

  #destinationOf({ destination }: TransferWish): Business['destinations'][number] | undefined {
    return this.#with.business.destinations.find(({ name }) => name === destination)
  }

  /** It needs no port of ours. Once the carrier has the caller this call is over, and it is the carrier that tells the rest. */
  async #redirect(wish: TransferWish, signal: AbortSignal): Promise<TransferOutcome> {
    const { means, leg, business, record, scope, clock } = this.#with
    const notice = this.#noticeOf({ ...wish, mode: 'blind' })
    const { attempt, destination } = notice
    this.#left = false
    this.#tellBegin(notice)
    if (!means.redirect || record === undefined)
      return this.#fail(attempt, new Error('The carrier knows nothing of this call, and can connect nobody.'))
    const either = AbortSignal.any([signal, scope.signal])
    try {
      either.throwIfAborted()
      this.#announce(notice)
      await means.redirect({ record, facts: leg.facts, destination, business, attempt }, either)
      await pause(clock, limits.transfer.redirectMs, either)
      return this.#fail(attempt, new Error('The carrier has not taken the caller away.'))
    } catch (error) {
      if (scope.closed || this.#left) return 'callerGone'
      return signal.aborted ? this.#endEarly(attempt, 'cancelled') : this.#fail(attempt, asError(error))
    }
  }

  #fail(attempt: number, error: Error): TransferOutcome {
    const code = error instanceof GatewayError ? error.code : 'TRANSFER_REFUSED'
    this.#with.emit({ name: 'degraded', code, detail: `A transfer failed: ${error.message}` })
    return this.#endEarly(attempt, 'failed')
  }

  /** What cannot be begun. */
  refuse(why: string): TransferOutcome {
    this.#with.emit({ name: 'degraded', code: 'TRANSFER_REFUSED', detail: `A transfer was not begun: ${why}` })
    return 'failed'
  }

  /** An operator wants it; false when nobody sees to it. */
  ask(asked: Asked): boolean {
    return [...this.#listeners].map(listener => listener(asked)).includes(true)
  }

  onAsked(listener: (asked: Asked) => boolean): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Whatever one has come to: the call cannot wait for it. */
  stop(outcome: 'callerGone' | 'cancelled' | 'failed'): void {
    this.#left = true
    this.#running?.stop(outcome)
  }

  /** Whoever the caller was connected with is gone. */
  release(): void {
    this.#seat?.release()
    this.#seat = undefined
  }

  /** The next attempt may have it by now. */
  #releaseUnused(): void {
    if (!this.#running) this.release()
  }

  #noticeOf({ destination, mode, by, reason }: TransferWish & Pick<TransferNotice, 'mode'>): TransferNotice {
    const { business, leg } = this.#with
    const { callerNumber, parameters } = leg.facts
    this.#attempts += 1
    return {
      ...{ call: leg.id, attempt: this.#attempts, business, destination, mode, by, parameters },
      reason: reason?.slice(0, limits.transfer.reasonChars),
      caller: { number: callerNumber, name: this.callerName },
    }
  }

  #tellBegin({ attempt, destination, mode, by, reason }: TransferNotice): void {
    const hidden = reason === undefined ? {} : { reason }
    this.#with.emit({ name: 'transferBegan', attempt, destination, mode, by, private: hidden })
  }

  #endEarly(attempt: number, outcome: TransferOutcome): TransferOutcome {
    this.#with.emit({ name: 'transferEnded', attempt, outcome, tookMs: 0 })
    this.#releaseUnused()
    return outcome
  }

  /** Beside the dialling: nobody waits for it. */
  #announce(notice: TransferNotice): void {
    const { means, scope, emit } = this.#with
    means.announce?.(notice, scope.signal).catch(error => {
      if (scope.closed) return
      const detail = `The business's webhook was not told of a transfer: ${asError(error).message}`
      emit({ name: 'degraded', code: 'WEBHOOK_FAILED', detail })
    })
  }
}
