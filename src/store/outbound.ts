import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import type { AnsweredBy, CarrierStatus } from '../call/carrier-events.ts'
import { limits } from '../limits.ts'
import type { Page } from './calls.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { OutboundCallRow, Tables } from './tables.ts'

export type StoredOutbound = Selectable<OutboundCallRow>

export interface OutboundOrder {
  readonly id: string
  readonly business: string
  readonly key: string
  /** Of all that was asked. */
  readonly requestHash: string
  readonly number: string
  readonly context: Readonly<Record<string, string>>
  readonly at: Date
  /** Of the business, at most. */
  readonly perDay: number
}

export type Ordered =
  | { readonly kind: 'taken'; readonly stored: StoredOutbound }
  /** The same was asked before. */
  | { readonly kind: 'known'; readonly stored: StoredOutbound }
  /** Something else was asked with the same key. */
  | { readonly kind: 'other' }
  /** The business must not call that number. */
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'full' }
  /** The business has asked for as many as it may within a day. */
  | { readonly kind: 'spent' }
  | { readonly kind: 'unknown' }

const DAY_MS = 24 * 3_600_000

/** However often the same is asked, and by how many at once, there is one. */
export async function orderOutbound(db: Kysely<Tables>, scope: StoreScope, order: OutboundOrder): Promise<Ordered> {
  const { id, business, key, requestHash, number, context, at, perDay } = order
  if (scope !== 'all' && scope.business !== business) return { kind: 'unknown' }
  const find = () =>
    db
      .selectFrom('outbound_calls')
      .selectAll()
      .where('business', '=', business)
      .where('key', '=', key)
      .executeTakeFirst()
  const before = await find()
  if (before) return before.request_hash === requestHash ? { kind: 'known', stored: before } : { kind: 'other' }
  const stop = db.selectFrom('do_not_call').select('at').where('business', '=', business).where('number', '=', number)
  if (await stop.executeTakeFirst()) return { kind: 'forbidden' }
  const counted = db
    .selectFrom('outbound_calls')
    .select([
      sql<number>`(count(*) filter (where state <> 'ended'))::integer`.as('waiting'),
      sql<number>`(count(*) filter (where asked_at > ${new Date(at.getTime() - DAY_MS)}))::integer`.as('today'),
    ])
    .where('business', '=', business)
  const { waiting, today } = await counted.executeTakeFirstOrThrow()
  if (waiting >= limits.twilio.outbound.waiting) return { kind: 'full' }
  if (today >= perDay) return { kind: 'spent' }
  const stored = await db
    .insertInto('outbound_calls')
    .values({
      ...{ id, business, key, request_hash: requestHash, number, context: JSON.stringify(context) },
      ...{ state: 'waiting', next_at: at, asked_at: at },
    })
    .onConflict(conflict => conflict.columns(['business', 'key']).doNothing())
    .returningAll()
    .executeTakeFirst()
  if (stored) return { kind: 'taken', stored }
  const other = await find()
  return other?.request_hash === requestHash ? { kind: 'known', stored: other } : { kind: 'other' }
}

export function findOutbound(db: Kysely<Tables>, scope: StoreScope, id: string): Promise<StoredOutbound | undefined> {
  return db.selectFrom('outbound_calls').selectAll().where('id', '=', id).where(isWithin(scope)).executeTakeFirst()
}

/** The newest first. */
export function listOutbound(
  db: Kysely<Tables>,
  scope: StoreScope,
  { business, state }: { readonly business?: string | undefined; readonly state?: StoredOutbound['state'] | undefined },
  { after, count }: Page<{ readonly at: Date; readonly id: string }>,
): Promise<StoredOutbound[]> {
  let query = db.selectFrom('outbound_calls').selectAll().where(isWithin(scope))
  if (business !== undefined) query = query.where('business', '=', business)
  if (state !== undefined) query = query.where('state', '=', state)
  if (after) query = query.where(sql<boolean>`(asked_at, id) < (${after.at}, ${after.id})`)
  return query.orderBy('asked_at', 'desc').orderBy('id', 'desc').limit(count).execute()
}

/** Only one that waits: an attempt that is under way rings already. Nothing when it does not. */
export function stopOutbound(
  db: Kysely<Tables>,
  scope: StoreScope,
  id: string,
  at: Date,
): Promise<StoredOutbound | undefined> {
  const query = db
    .updateTable('outbound_calls')
    .set({ state: 'ended', outcome: 'stopped', next_at: null, ended_at: at })
  return query
    .where('id', '=', id)
    .where('state', '=', 'waiting')
    .where(isWithin(scope))
    .returningAll()
    .executeTakeFirst()
}

/** The record of an attempt, a call of its own. */
export function recordOf({ id, attempts }: Pick<StoredOutbound, 'id' | 'attempts'>): string {
  return `${id}-${attempts}`
}

/** One under way, and what the record of its attempt tells. */
export interface UnderWay {
  readonly order: StoredOutbound
  readonly status: CarrierStatus | null
  readonly answeredBy: AnsweredBy | null
  readonly outcome: string | null
  /** Somebody answered, and no agent has ever had them. */
  readonly withoutAgent: boolean
}

type Change =
  | { readonly state: 'waiting'; readonly nextAt: Date; readonly outcome?: string }
  | { readonly state: 'calling'; readonly at: Date }
  | { readonly state: 'ended'; readonly outcome: string; readonly at: Date }

/** What becomes of each, decided by whoever has a look; nothing: it stays as it is. */
export interface Deciding {
  readonly at: Date
  /** Calls under way at once, of all gateways of this database. */
  readonly most: number
  readonly underWay: (seen: UnderWay) => Change | undefined
  readonly due: (order: StoredOutbound, forbidden: boolean) => Change
}

/** Any number, the same for every gateway. */
const LOCK = 7_055_300

/**
 * One look at all that is open, by one gateway at a time: what has ended is settled, and what is due begins. Tells what has
 * begun, as it is now, and how many are open.
 */
export async function lookAtOutbound(db: Kysely<Tables>, scope: StoreScope, { at, most, underWay, due }: Deciding) {
  return db.transaction().execute(async transaction => {
    const { rows } = await sql<{ mine: boolean }>`select pg_try_advisory_xact_lock(${LOCK}) as mine`.execute(
      transaction,
    )
    if (!rows[0]?.mine) return undefined
    const calling = await seenUnderWay(transaction, scope)
    let left = most
    for (const seen of calling) {
      const change = underWay(seen)
      if (change) await settle(transaction, seen.order, change)
      else left -= 1
    }
    const begun: StoredOutbound[] = []
    for (const { forbidden, ...order } of left > 0 ? await seenDue(transaction, scope, at, left) : []) {
      const changed = await settle(transaction, order, due(order, forbidden))
      if (changed.state === 'calling') begun.push(changed)
    }
    const open = transaction.selectFrom('outbound_calls').select('id').where('state', 'in', ['waiting', 'calling'])
    return { begun, anyOpen: (await open.limit(1).executeTakeFirst()) !== undefined }
  })
}

async function seenUnderWay(transaction: Transaction<Tables>, scope: StoreScope): Promise<UnderWay[]> {
  const found = await transaction
    .selectFrom(
      transaction
        .selectFrom('outbound_calls')
        .selectAll()
        .where('state', '=', sql.lit('calling'))
        .where(isWithin(scope))
        .as('own'),
    )
    .leftJoin('calls as call', join => join.on('call.id', '=', sql<string>`own.id || '-' || own.attempts`))
    .selectAll('own')
    .select(['call.carrier_status as call_status', 'call.answered_by as call_answerer', 'call.outcome as call_outcome'])
    .select(withoutAgent.as('without_agent'))
    .execute()
  return found.map(seen => {
    const { call_status: status, call_answerer: answeredBy, call_outcome: outcome, without_agent, ...order } = seen
    return { order, status, answeredBy, outcome, withoutAgent: without_agent }
  })
}

/** The reception had no place for them, or the way to it has failed, and it had not had them before. */
const withoutAgent = sql<boolean>`
  call.answered_at is null and exists (
    select from call_events event where event.call = call.id and (
      (event.name = 'announced' and event.details->>'verdict' = 'end')
      or (event.name = 'wayEnded' and event.details->>'status' in ('busy', 'noAnswer', 'failed'))
    )
  )`

function seenDue(transaction: Transaction<Tables>, scope: StoreScope, at: Date, count: number) {
  return transaction
    .selectFrom('outbound_calls as own')
    .selectAll('own')
    .select(
      sql<boolean>`
        exists (select from do_not_call stop where stop.business = own.business and stop.number = own.number)`.as(
        'forbidden',
      ),
    )
    .where('own.state', '=', sql.lit('waiting'))
    .where('own.next_at', '<=', at)
    .where(isWithin(scope))
    .orderBy('own.next_at')
    .orderBy('own.id')
    .limit(count)
    .execute()
}

/** Stopped meanwhile by its business: it stays so. */
async function settle(
  transaction: Transaction<Tables>,
  { id, attempts, state, outcome }: StoredOutbound,
  change: Change,
): Promise<StoredOutbound> {
  const query = transaction.updateTable('outbound_calls').where('id', '=', id).where('state', '=', state).returningAll()
  const set =
    change.state === 'waiting'
      ? { state: change.state, next_at: change.nextAt, outcome: change.outcome ?? outcome }
      : change.state === 'calling'
        ? { state: change.state, attempts: attempts + 1, begun_at: change.at, next_at: null }
        : { state: change.state, ended_at: change.at, next_at: null, outcome: change.outcome }
  const changed = await query.set(set).executeTakeFirst()
  return changed ?? transaction.selectFrom('outbound_calls').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}
