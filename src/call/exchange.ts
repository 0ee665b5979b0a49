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
import type { CallFacts, Handler, JudgeLeg, KnowCaller, Leg, Recorder, Telephony } from './ports.ts'
import type { TransferMeans } from './transfers.ts'

export interface ExchangeDependencies {
  readonly clock: Clock
  readonly scope: Scope
  readonly telephony: Telephony
  readonly plane: Plane
  readonly admission: Admission
  /** For whom a call is, as that business is now; asked once a call. */
  readonly addressee: (facts: CallFacts) => Addressee
  /** Left out: every channel is a call of its own. */
  readonly judge?: JudgeLeg
  readonly handlers: Readonly<Record<Engine, Handler>>
  /** Who has a call instead of its engine, at this hour; left out: nobody. */
  readonly instead?: (asked: CallAtDoor) => Handler | undefined
  /** What happened to a call that is taken over before this gateway began; left out: nothing is known of it. */
  readonly earlierLife?: (call: string) => readonly CallEvent[]
  /** Left out: nobody is known. */
  readonly knowCaller?: KnowCaller
  /** Left out: nothing that is heard can be kept. */
  readonly recorders?: { of(call: string, business: string): Recorder }
  /** Left out: nobody can be transferred anywhere. */
  readonly transfers?: Omit<TransferMeans, 'admit'>
  /** Every fact about every call goes here, once. */
  readonly observe: (event: CallEvent) => void
}

/** A call that begins, or goes on with this gateway. */
export interface CallAtDoor {
  readonly business: Business
  /** It has come by no way on which that was decided before. */
  readonly plain: boolean
  /** What happened to it in an earlier life of the gateway; nothing of a call that begins. */
  readonly earlier: readonly CallEvent[] | undefined
}

type Refusal = Extract<CallFact, { name: 'refused' }>['reason']

const plain: ReturnType<JudgeLeg> = { kind: 'plain' }

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

  /** What was said in them is to be known nowhere but where it can be deleted. */
  dropEnded(): void {
    this.#ended.length = 0
  }

  /** The last calls that have ended, newest first; bounded. */
  get ended(): readonly Call[] {
    return this.#ended
  }

  /** By its channel, or by its record: then the latest channel of that. */
  find(name: string): Call | undefined {
    const isMeant = (call: Call) => call.id === name || call.record === name
    return this.#live.get(name) ?? this.live.findLast(isMeant) ?? this.#ended.find(isMeant)
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
    const earlierLife = leg.takenOver ? (this.#with.earlierLife?.(leg.id) ?? []) : []
    const judged = judgedBefore(earlierLife) ?? this.#with.judge?.(leg.facts, leg.takenOver) ?? plain
    if (judged.kind === 'forged' && !leg.takenOver) return this.#refuse(leg, business, 'forged', judged)
    if (this.#draining && !leg.takenOver) return this.#refuse(leg, business, 'draining', judged)
    if (!business.active && !leg.takenOver) return this.#refuse(leg, business, 'inactive', judged)
    const seat = leg.takenOver ? admission.readmit() : admission.admit()
    if (!seat) return this.#refuse(leg, business, 'capacity', judged)
    const { clock, plane, observe, knowCaller = async () => nothingKnown } = this.#with
    const scope = this.#with.scope.child(leg.id)
    const isPlain = judged.kind === 'plain' || (judged.kind === 'partOf' && judged.byHand === true)
    const door = { business, plain: isPlain, earlier: leg.takenOver ? earlierLife : undefined }
    const handler = this.#with.instead?.(door) ?? handlers[business.engine]
    const part = judged.kind === 'partOf' ? partIn(judged) : undefined
    const earlier = part?.again && !leg.takenOver ? (this.find(part.partOf)?.events ?? []) : earlierLife
    const doubts = [
      ...(doubt === undefined ? [] : [{ code: 'BUSINESS_UNKNOWN', detail: doubt }]),
      ...(judged.kind === 'plain' && judged.doubt !== undefined
        ? [{ code: 'LEG_UNPROVEN', detail: judged.doubt }]
        : []),
    ]
    const transfers = { ...(this.#with.transfers ?? nowhere), admit: () => admission.admitTransfer() }
    const parts = { clock, plane, business, part, doubts, handler, knowCaller, transfers, scope, observe, earlier }
    const recorder = this.#with.recorders?.of(leg.id, business.id)
    const call = new Call(leg, { ...parts, recorder })
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
  #refuse(leg: Leg, business: Business, reason: Refusal, judged: ReturnType<JudgeLeg>): void {
    const of = { call: leg.id, business: business.id, atMs: this.#with.clock.wallMs() }
    const forged = judged.kind === 'forged'
    if (forged) this.#with.observe({ ...of, fact: { name: 'degraded', code: 'LEG_FORGED', detail: judged.why } })
    const part = judged.kind === 'partOf' && { partOf: judged.record }
    const { callerNumber } = leg.facts
    this.#with.observe({ ...of, fact: { name: 'refused', reason, ...part, private: { callerNumber } } })
    const hungUp = leg.hangup(reason === 'inactive' || reason === 'forged' ? 'rejected' : 'congestion')
    // A caller who has gone meanwhile is refused enough; closing tells of anything else.
    void hungUp.catch(() => {}).finally(() => leg.close())
  }
}

function partIn({ record, again, outbound }: Extract<ReturnType<JudgeLeg>, { kind: 'partOf' }>) {
  return { partOf: record, ...(again !== undefined && { again: true as const }), ...(outbound && { outbound }) }
}

/** Whoever was judged here when they came: what was found then stands. */
function judgedBefore(earlierLife: readonly CallEvent[]): ReturnType<JudgeLeg> | undefined {
  for (const { fact } of earlierLife) {
    if (fact.name !== 'offered' || fact.partOf === undefined) continue
    return { kind: 'partOf', record: fact.partOf, ...(fact.outbound && { outbound: true }) }
  }
  return earlierLife.length > 0 ? plain : undefined
}
