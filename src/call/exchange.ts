import type { Business, Engine } from '../business.ts'
import { type Clock, within } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Plane } from '../plane/line.ts'
import type { Scope } from '../scope.ts'
import type { Addressee } from './addressee.ts'
import type { Admission } from './admission.ts'
import { Call } from './call.ts'
import { nothingKnown } from './caller-context.ts'
import type { CallEvent, CallFact } from './events.ts'
import type { CallFacts, Handler, KnowCaller, Leg, Telephony } from './ports.ts'
import type { TransferMeans } from './transfers.ts'

export interface ExchangeDependencies {
  readonly clock: Clock
  readonly scope: Scope
  readonly telephony: Telephony
  readonly plane: Plane
  readonly admission: Admission
  /** For whom a call is, as that business is now; asked once a call. */
  readonly addressee: (facts: CallFacts) => Addressee
  readonly handlers: Readonly<Record<Engine, Handler>>
  /** What happened to a call that is taken over before this gateway began; left out: nothing is known of it. */
  readonly earlierLife?: (call: string) => readonly CallEvent[]
  /** Left out: nobody is known. */
  readonly knowCaller?: KnowCaller
  /** Left out: nobody can be transferred anywhere. */
  readonly transfers?: Omit<TransferMeans, 'admit'>
  /** Every fact about every call goes here, once. */
  readonly observe: (event: CallEvent) => void
}

const nowhere: Omit<TransferMeans, 'admit'> = { route: () => undefined, ringMs: 0 }

/** Where offered calls become calls: admits or refuses them, keeps the books, and ends them all when the gateway stops. */
export class Exchange {
  readonly #with: ExchangeDependencies
  readonly #live = new Map<string, Call>()
  readonly #ended: Call[] = []
  #draining = false

  constructor(dependencies: ExchangeDependencies) {
    this.#with = dependencies
    dependencies.telephony.onOffered(leg => this.#onOffered(leg))
  }

  get ready(): boolean {
    return !this.#draining && this.#with.telephony.ready && !this.#with.admission.full
  }

  get draining(): boolean {
    return this.#draining
  }

  get live(): readonly Call[] {
    return [...this.#live.values()]
  }

  /** The last calls that have ended, newest first; bounded. */
  get ended(): readonly Call[] {
    return this.#ended
  }

  find(id: string): Call | undefined {
    return this.#live.get(id) ?? this.#ended.find(call => call.id === id)
  }

  /** Of a call that is over, known here or not. */
  foundLater(event: CallEvent): void {
    this.find(event.call)?.foundLater(event)
    this.#with.observe(event)
  }

  /** No new calls; running ones may finish until the time is up, then they are ended. */
  async drain(patienceMs: number): Promise<void> {
    this.#draining = true
    // Who talks with somebody else needs no gateway.
    for (const call of this.live) if (call.state === 'connected') call.hangUp('drain')
    await this.#allEnded(patienceMs)
    for (const call of this.live) call.hangUp('drain')
    await this.#allEnded(limits.call.endingMs)
  }

  async #allEnded(withinMs: number): Promise<void> {
    const ended = Promise.all(this.live.map(call => call.ended))
    const late = () => new GatewayError('STATE_TIMEOUT', 'Calls are still up.')
    await within(this.#with.clock, withinMs, ended, late).catch(() => {})
  }

  #onOffered(leg: Leg): void {
    if (this.#live.has(leg.id)) return
    const { admission, handlers } = this.#with
    const { business, doubt } = this.#with.addressee(leg.facts)
    if (this.#draining && !leg.takenOver) return this.#refuse(leg, business, 'draining')
    if (!business.active && !leg.takenOver) return this.#refuse(leg, business, 'inactive')
    const seat = leg.takenOver ? admission.readmit() : admission.admit()
    if (!seat) return this.#refuse(leg, business, 'capacity')
    const { clock, plane, observe, knowCaller = async () => nothingKnown, earlierLife } = this.#with
    const scope = this.#with.scope.child(leg.id)
    const handler = handlers[business.engine]
    const earlier = leg.takenOver ? earlierLife?.(leg.id) : undefined
    const transfers = { ...(this.#with.transfers ?? nowhere), admit: () => admission.admitTransfer() }
    const parts = { clock, plane, business, doubt, handler, knowCaller, transfers, scope, observe, earlier }
    const call = new Call(leg, parts)
    this.#live.set(call.id, call)
    void call.ended.then(() => {
      seat.release()
      this.#live.delete(call.id)
      this.#ended.unshift(call)
      if (this.#ended.length > limits.call.endedKept) this.#ended.pop()
    })
    call.begin()
  }

  /** 503 lets the trunk try its next way at once, which does not help where nobody wants the call; none is left ringing. */
  #refuse(leg: Leg, business: Business, reason: Extract<CallFact, { name: 'refused' }>['reason']): void {
    const atMs = this.#with.clock.wallMs()
    this.#with.observe({ call: leg.id, business: business.id, atMs, fact: { name: 'refused', reason } })
    const hungUp = leg.hangup(reason === 'inactive' ? 'rejected' : 'congestion')
    // A caller who has gone meanwhile is refused enough; closing tells of anything else.
    void hungUp.catch(() => {}).finally(() => leg.close())
  }
}
