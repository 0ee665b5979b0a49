import { type Kysely, type Selectable, sql } from 'kysely'
import type { TextChannel } from '../call/carrier-events.ts'
import type { Page } from './calls.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables, TextRow } from './tables.ts'

export type StoredText = Selectable<TextRow>

/** What messages are asked for by; what is left out does not matter. */
export interface TextFilter {
  readonly business?: string | undefined
  readonly channel?: TextChannel | undefined
  /** Whole. */
  readonly customer?: string | undefined
  readonly direction?: TextRow['direction'] | undefined
  readonly status?: TextRow['status'] | undefined
}

export interface TextPlace {
  readonly at: Date
  readonly id: string
}

/** The newest first; with business, channel and customer it is a thread. */
export function listTexts(
  db: Kysely<Tables>,
  scope: StoreScope,
  { business, channel, customer, direction, status }: TextFilter,
  { after, count }: Page<TextPlace>,
): Promise<StoredText[]> {
  let query = db.selectFrom('texts').selectAll().where(isWithin(scope))
  if (business !== undefined) query = query.where('business', '=', business)
  if (channel !== undefined) query = query.where('channel', '=', channel)
  if (customer !== undefined) query = query.where('customer', '=', customer)
  if (direction !== undefined) query = query.where('direction', '=', direction)
  if (status !== undefined) query = query.where('status', '=', status)
  if (after) query = query.where(sql<boolean>`(at, id) < (${after.at}, ${after.id})`)
  return query.orderBy('at', 'desc').orderBy('id', 'desc').limit(count).execute()
}

/** By its own id, or the carrier's. */
export function findText(db: Kysely<Tables>, scope: StoreScope, id: string): Promise<StoredText | undefined> {
  const named = sql<boolean>`(id = ${id} or carrier = ${id})`
  return db.selectFrom('texts').selectAll().where(named).where(isWithin(scope)).executeTakeFirst()
}

type Thread = Pick<StoredText, 'business' | 'channel' | 'customer'>

export interface Standing {
  /** They have asked for no more. */
  readonly stopped: boolean
  readonly lastWroteAt: Date | null
}

/** How it stands with a customer. */
export async function standingOf(db: Kysely<Tables>, scope: StoreScope, thread: Thread): Promise<Standing> {
  const { business, channel, customer } = thread
  const { rows } = await sql<Standing>`
    select
      coalesce((
        select stopped from text_consents
        where business = ${business} and channel = ${channel} and customer = ${customer} and ${isWithin(scope)}
      ), false) as stopped,
      (
        select max(at) from texts
        where business = ${business} and channel = ${channel} and customer = ${customer} and direction = 'in'
          and ${isWithin(scope)}
      ) as "lastWroteAt"`.execute(db)
  return rows[0]!
}

/** False when somebody else has it: one message is sent by one gateway. */
export async function claimText(
  db: Kysely<Tables>,
  scope: StoreScope,
  text: Omit<StoredText, 'direction' | 'media' | 'carrier' | 'status' | 'status_at' | 'error_code'>,
): Promise<boolean> {
  if (scope !== 'all' && scope.business !== text.business) return false
  const row = { ...text, direction: 'out', status: 'wanted', status_at: text.at } as const
  const query = db
    .insertInto('texts')
    .values(row)
    .onConflict(conflict => conflict.column('id').doNothing())
  return (await query.returning('id').executeTakeFirst()) !== undefined
}

/** Wanted before, and what became of it is not known: whoever sent it may have died. */
export function openTexts(db: Kysely<Tables>, scope: StoreScope, before: Date, most: number): Promise<StoredText[]> {
  const query = db.selectFrom('texts').selectAll().where('status', '=', sql.lit('wanted')).where('at', '<', before)
  return query.where(isWithin(scope)).orderBy('at').limit(most).execute()
}

/** Of the carrier's ids those that are known of a message. */
export async function knownCarriers(
  db: Kysely<Tables>,
  scope: StoreScope,
  carriers: readonly string[],
): Promise<ReadonlySet<string>> {
  const query = db.selectFrom('texts').select('carrier').where(isWithin(scope))
  const rows = await query.where(sql<boolean>`carrier = any(${carriers}::text[])`).execute()
  return new Set(rows.map(({ carrier }) => carrier!))
}

/** The business that has written to a customer last, of those that share a number. */
export async function lastWriter(
  db: Kysely<Tables>,
  scope: StoreScope,
  { channel, customer, ours }: Pick<StoredText, 'channel' | 'customer' | 'ours'>,
): Promise<string | undefined> {
  const query = db.selectFrom('texts').select('business').where(isWithin(scope)).where('customer', '=', customer)
  const wrote = query.where('channel', '=', channel).where('ours', '=', ours).where('direction', '=', 'out')
  return (await wrote.orderBy('at', 'desc').limit(1).executeTakeFirst())?.business
}
