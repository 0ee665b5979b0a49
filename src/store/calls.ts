import { type Kysely, type Selectable, type SelectQueryBuilder, sql } from 'kysely'
import type { CallEvent, CallFact, TransferOutcome } from '../call/events.ts'
import { limits } from '../limits.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { CallEventRow, CallRow, Tables } from './tables.ts'

/** What calls are asked for by; what is left out does not matter. */
export interface CallFilter {
  readonly business?: string | undefined
  /** The caller's, whole. */
  readonly number?: string | undefined
  readonly state?: CallRow['state'] | undefined
  readonly outcome?: string | undefined
  /** What one of its transfers came to. */
  readonly transfer?: TransferOutcome | undefined
  readonly since?: Date | undefined
  readonly before?: Date | undefined
  /** Words that were said in it, by either side; known once it has ended. */
  readonly text?: string | undefined
  /** Calls that are told by somebody who knows better. */
  readonly except?: readonly string[] | undefined
}

/** A call's place in the order of pages: newest first. */
export interface CallPlace {
  readonly offeredAt: Date
  readonly id: string
}

export interface Page<Place> {
  /** Begins behind it. */
  readonly after: Place | undefined
  readonly count: number
}

export type StoredCall = Omit<Selectable<CallRow>, 'words' | 'forgotten_at'>
export type StoredEvent = Pick<Selectable<CallEventRow>, 'at' | 'name' | 'details' | 'private'>

const told = [
  'id',
  'business',
  'state',
  'engine',
  'codec',
  'caller_number',
  'called_user',
  'parameters',
  'offered_at',
  'answered_at',
  'ended_at',
  'outcome',
  'duration_ms',
  'set_up_ms',
  'figures',
  'transferred_to',
  'direction',
  'carrier_status',
  'carrier_seconds',
  'carrier_error',
  'answered_by',
  'price',
  'price_unit',
] as const satisfies readonly (keyof CallRow)[]

/** The newest first. */
export function listCalls(
  db: Kysely<Tables>,
  scope: StoreScope,
  filter: CallFilter,
  { after, count }: Page<CallPlace>,
): Promise<StoredCall[]> {
  const all = filtered(db.selectFrom('calls').where(isWithin(scope)), filter)
  const asked = after ? all.where(sql<boolean>`(offered_at, id) < (${after.offeredAt}, ${after.id})`) : all
  return filter.text === undefined
    ? newestFirst(asked.select(told)).limit(count).execute()
    : withWords(db, asked, filter.text, count)
}

/** The id of the record of the call that has this name. */
export function recordNamed(name: string) {
  return sql<string>`coalesce((select call from call_names where name = ${name}), ${name})`
}

/** By any of its names. */
export function findCall(db: Kysely<Tables>, scope: StoreScope, name: string): Promise<StoredCall | undefined> {
  return db
    .selectFrom('calls')
    .select(told)
    .where('id', '=', recordNamed(name))
    .where(isWithin(scope))
    .executeTakeFirst()
}

/** What the carrier has told of these. */
export function accountsOf(db: Kysely<Tables>, scope: StoreScope, records: readonly string[]) {
  const columns = ['id', 'direction', 'carrier_status', 'carrier_seconds', 'carrier_error', 'answered_by'] as const
  const query = db.selectFrom('calls').select([...columns, 'price', 'price_unit'])
  return query.where(sql<boolean>`id = any(${records}::text[])`).where(isWithin(scope)).execute()
}

/** The oldest first, `most` of them. */
export function eventsOf(db: Kysely<Tables>, scope: StoreScope, call: string, most: number): Promise<StoredEvent[]> {
  const query = db.selectFrom('call_events').select(['at', 'name', 'details', 'private'])
  return query.where('call', '=', call).where(isWithin(scope)).orderBy('id').limit(most).execute()
}

/** Of all calls but those that are forgotten, in the order in which they were taken; of words those that are still there. */
export async function eventsSince(
  db: Kysely<Tables>,
  scope: StoreScope,
  { since, after, count }: { readonly since: Date; readonly after: string; readonly count: number },
): Promise<{ readonly id: string; readonly event: CallEvent }[]> {
  const query = db.selectFrom('call_events').selectAll().where('at', '>=', since).where('id', '>', after)
  const known = sql<boolean>`not exists (select from calls where calls.id = call_events.call and calls.forgotten_at is not null)`
  const there = sql<boolean>`(private is not null or name not in ('transcribed', 'summarized'))`
  const rows = await query.where(isWithin(scope)).where(known).where(there).orderBy('id').limit(count).execute()
  return rows.map(({ id, call, business, at, name, details, private: hidden }) => {
    const fact = { name, ...details, ...(hidden && { private: hidden }) } as unknown as CallFact
    return { id, event: { call, business, atMs: at.getTime(), fact } }
  })
}

type Asked = SelectQueryBuilder<Tables, 'calls', object>

function filtered(all: Asked, filter: CallFilter): Asked {
  const { business, number, state, outcome, transfer, since, before, except = [] } = filter
  let query = all
  if (business !== undefined) query = query.where('business', '=', business)
  if (number !== undefined) query = query.where('caller_number', '=', number)
  // Written out, so that the index of the few live ones is seen to fit.
  if (state !== undefined) query = query.where('state', '=', sql.lit(state))
  if (outcome !== undefined) query = query.where('outcome', '=', outcome)
  if (transfer !== undefined) {
    query = query.where('id', 'in', db => db.selectFrom('transfers').select('call').where('outcome', '=', transfer))
  }
  if (since) query = query.where('offered_at', '>=', since)
  if (before) query = query.where('offered_at', '<', before)
  if (except.length > 0) {
    const records = sql`select call from call_names where name = any(${except}::text[])`
    query = query.where(sql<boolean>`id <> all(${except}::text[]) and id not in (${records})`)
  }
  return query
}

function newestFirst<Row>(query: SelectQueryBuilder<Tables, 'calls', Row>) {
  return query.orderBy('offered_at', 'desc').orderBy('id', 'desc')
}

/**
 * A common word is soon met by looking through the newest calls, a rare one is in few places of the index of words. How common
 * one is the database cannot tell of rare ones, and left the choice it may look through a million calls. So it looks
 * through some, and when these do not fill the page, all that have the words are fetched by the index and put in order.
 */
async function withWords(db: Kysely<Tables>, asked: Asked, text: string, count: number): Promise<StoredCall[]> {
  const match = sql<boolean>`words @@ websearch_to_tsquery('simple', ${text})`
  const newest = newestFirst(asked.select([...told, 'words'])).limit(limits.store.callsLookedThrough)
  const met = await db.selectFrom(newest.as('newest')).select(told).where(match).limit(count).execute()
  if (met.length === count) return met
  return db.transaction().execute(async transaction => {
    // With less, a word that half of all calls have is known by the page only, and each of these is read in vain.
    await sql`select set_config('work_mem', ${limits.store.searchMemory}, true)`.execute(transaction)
    return transaction
      .with(
        cte => cte('found').materialized(),
        () => asked.select(told).where(match),
      )
      .selectFrom('found')
      .select(told)
      .orderBy('offered_at', 'desc')
      .orderBy('id', 'desc')
      .limit(count)
      .execute()
  })
}
