import type { Kysely } from 'kysely'
import type { z } from 'zod'
import type { CallEvent } from '../call/events.ts'
import type { LineFigures } from '../call/ports.ts'
import { within } from '../clock.ts'
import { GatewayError, isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import { accountsOf, type CallFilter, eventsOf, findCall, listCalls, type StoredCall } from '../store/calls.ts'
import { findSummary, type StoredSummary, type StoredTranscript, transcriptsOf } from '../store/digests.ts'
import type { StoreScope } from '../store/scope.ts'
import type { Tables } from '../store/tables.ts'
import { eventFrom, isoTime, recordOf } from './call-record.ts'
import { type CarrierAccount, storedFigures, summaryOf, summaryOfStored } from './call-view.ts'
import type { ObservedCall, ServerDependencies } from './dependencies.ts'
import { filteredHere, isOf, type KnownCall, merged, placeOfCall, recordsHere } from './known-calls.ts'
import { pageOf, placeOf } from './page.ts'
import { Refusal } from './problem.ts'
import type { CallDetail, CallSummary, listQuery } from './schemas.ts'

type ListQuery = z.output<typeof listQuery>

/** Of this gateway and of the store together. */
export class Calls {
  readonly #with: ServerDependencies

  constructor(dependencies: ServerDependencies) {
    this.#with = dependencies
  }

  here(scope: StoreScope, id: string): ObservedCall | undefined {
    const call = this.#with.exchange.find(id)
    return call && isOf(scope, call) ? call : undefined
  }

  /** For what is done to a call: only the gateway that has it can do it. */
  mustBeHere(scope: StoreScope, id: string): ObservedCall {
    const call = this.here(scope, id)
    if (!call) throw new Refusal(404, 'There is no such call here, or it ended too long ago.')
    if (call.state === 'ended') throw new Refusal(409, 'The call has ended already.')
    return call
  }

  async list(scope: StoreScope, query: ListQuery) {
    const { exchange } = this.#with
    const [live, ended] = [exchange.live, exchange.ended].map(calls => calls.filter(call => isOf(scope, call)))
    const { known, complete } = await this.#known(scope, query, [...live!.toReversed(), ...ended!])
    const { page, next } = pageOf(known, query.limit, placeOfCall)
    const accounts = await this.#accounts(scope, page)
    const calls = await Promise.all(page.map(call => this.#summary(call, accounts, query.private === 'true')))
    return { calls, next, complete, totals: { live: live!.length, ended: ended!.length } }
  }

  /** While the database is away, calls of this gateway are told all the same; words are known to the database alone. */
  async #known(scope: StoreScope, query: ListQuery, all: readonly ObservedCall[]) {
    const place = placeOf(query.cursor)
    const after = place && { offeredAt: new Date(place.atMs), id: place.id }
    const page = { after, count: query.limit + 1 }
    const filter = filterOf(query)
    const ask = (asked: CallFilter) => this.#with.store.ask(db => listCalls(db, scope, asked, page))
    if (filter.text !== undefined) {
      const found = await ask(filter)
      return { known: found.map(call => this.#best(scope, call)), complete: true }
    }
    const records = recordsHere(all)
    const here = filteredHere(records.calls, filter, page)
    try {
      return { known: merged(here, await ask({ ...filter, except: records.names })), complete: true }
    } catch (error) {
      if (!isCode(error, 'STORE_AWAY')) throw error
      return { known: merged(here, []), complete: false }
    }
  }

  #best(scope: StoreScope, stored: StoredCall): KnownCall {
    const here = this.here(scope, stored.id)
    return here ? { here } : { stored }
  }

  /** Of those of this gateway, by their records; the calls are told without them, too. */
  async #accounts(scope: StoreScope, calls: readonly KnownCall[]): Promise<ReadonlyMap<string, CarrierAccount>> {
    const asked = calls.flatMap(call => ('here' in call && hasMoreInStore(call.here) ? [call.here.view.record] : []))
    const rows = asked.length === 0 ? [] : await this.#soon(db => accountsOf(db, scope, asked))
    return new Map(rows?.map(row => [row.id, row]))
  }

  /** Whatever is told without it does not wait long for it. */
  #soon<Row>(query: (db: Kysely<Tables>) => Promise<Row[]>): Promise<Row[] | undefined> {
    const late = () => new GatewayError('STORE_AWAY', 'The database did not answer soon.')
    return within(this.#with.clock, limits.http.figuresMs, this.#with.store.ask(query), late).catch(error => {
      if (!isCode(error, 'STORE_AWAY')) throw error
      return undefined
    })
  }

  async #summary(
    call: KnownCall,
    accounts: ReadonlyMap<string, CarrierAccount>,
    withPrivate: boolean,
  ): Promise<CallSummary> {
    if ('stored' in call) return summaryOfStored(call.stored, this.#with.clock.wallMs(), withPrivate)
    const account = accounts.get(call.here.view.record)
    return summaryOf(call.here, await this.#figures(call.here), account, withPrivate)
  }

  async detail(scope: StoreScope, id: string, withPrivate: boolean): Promise<CallDetail> {
    const here = this.here(scope, id)
    const call = here ? { here } : await this.#stored(scope, id)
    const summary = await this.#summary(call, await this.#accounts(scope, [call]), withPrivate)
    const { events, complete } = await this.#events(scope, call)
    const rtp = 'here' in call ? ((await this.#figures(call.here)) ?? null) : storedFigures(call.stored)
    const digests = await this.#digests(scope, call, withPrivate)
    return { ...summary, rtp, ...recordOf(events, withPrivate), ...digests, complete }
  }

  /** What was made of it when it was over. */
  async #digests(scope: StoreScope, call: KnownCall, withPrivate: boolean) {
    const id = 'here' in call ? call.here.view.record : call.stored.id
    const asked =
      'here' in call && call.here.state !== 'ended'
        ? []
        : await this.#soon(async db => [
            [await findSummary(db, scope, id), await transcriptsOf(db, scope, id)] as const,
          ])
    const [summary, transcripts = []] = asked?.[0] ?? []
    return {
      summary: summary ? digestOf(summary, withPrivate) : null,
      transcripts: transcripts.map(each => transcriptOf(each, withPrivate)),
    }
  }

  async #stored(scope: StoreScope, id: string): Promise<KnownCall> {
    // Such an id no database takes.
    const stored = id.includes('\0') ? undefined : await this.#with.store.ask(db => findCall(db, scope, id))
    if (!stored) throw new Refusal(404, 'There is no such call.')
    return { stored }
  }

  /** Memory keeps the beginning of a long call: the rest is asked for where it is. */
  async #events(scope: StoreScope, call: KnownCall): Promise<{ events: readonly CallEvent[]; complete: boolean }> {
    const kept = 'here' in call ? call.here.events : []
    const whole = 'here' in call && kept.length < limits.call.eventsKept
    if (whole && !hasMoreInStore(call.here)) return { events: kept, complete: !isOfCarrier(call.here) }
    const { id, business } =
      'here' in call ? { id: call.here.view.record, business: call.here.view.business } : call.stored
    const most = limits.http.eventsTold
    if (whole) {
      const rows = await this.#soon(db => eventsOf(db, scope, id, most))
      const stored = rows?.map(row => eventFrom(id, business, row)) ?? []
      return { events: together(kept, stored), complete: rows !== undefined && rows.length < most }
    }
    try {
      const rows = await this.#with.store.ask(db => eventsOf(db, scope, id, most + 1))
      const events = rows.slice(0, most).map(row => eventFrom(id, business, row))
      return events.length < kept.length ? { events: kept, complete: false } : { events, complete: rows.length <= most }
    } catch (error) {
      if (kept.length === 0 || !isCode(error, 'STORE_AWAY')) throw error
      return { events: kept, complete: false }
    }
  }

  /** A call without figures is worth telling; one that waits for them for ever is not. */
  #figures(call: ObservedCall): Promise<LineFigures | undefined> {
    const late = () => new Error('the media thread did not tell its figures in time')
    return within(this.#with.clock, limits.http.figuresMs, call.figures(), late).catch(() => undefined)
  }
}

function digestOf({ at, by, urgency, who, why, outcome, follow_up: followUp }: StoredSummary, withPrivate: boolean) {
  const open = withPrivate ? { private: { who, why, outcome, followUp } } : {}
  return { at: isoTime(at.getTime()), by, urgency, ...open }
}

function transcriptOf({ at, by, recording, text }: StoredTranscript, withPrivate: boolean) {
  return { recording, at: isoTime(at.getTime()), by, ...(withPrivate ? { private: { text } } : {}) }
}

function isOfCarrier({ view }: ObservedCall): boolean {
  return view.record !== view.id
}

/** What the carrier has told beside it: asked for when it is over, for as long as it is up nothing of it waits for the database. */
function hasMoreInStore(call: ObservedCall): boolean {
  return isOfCarrier(call) && call.state === 'ended'
}

/** What this channel has told stands here, and may be on its way to the store; what else is told of the call stands there. */
function together(here: readonly CallEvent[], stored: readonly CallEvent[]): CallEvent[] {
  const keyOf = ({ fact, atMs }: CallEvent) => `${fact.name} ${Math.trunc(atMs)}`
  const known = new Set(here.map(keyOf))
  const others = stored.filter(event => !known.has(keyOf(event)))
  return [...others, ...here].sort((one, other) => one.atMs - other.atMs)
}

function filterOf({ business, number, state, outcome, transfer, since, before, text }: ListQuery): CallFilter {
  const time = (iso: string | undefined) => (iso === undefined ? undefined : new Date(iso))
  return { business, number, state, outcome, transfer, text, since: time(since), before: time(before) }
}
