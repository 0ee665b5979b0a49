import { type Kysely, type Selectable, sql } from 'kysely'
import type { Page } from './calls.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { DeliveryRow, Tables } from './tables.ts'

export type StoredDelivery = Selectable<DeliveryRow>
export type NewDelivery = Pick<StoredDelivery, 'id' | 'business' | 'call' | 'hook' | 'event' | 'at' | 'body'>

export interface Attempt {
  readonly at: Date
  readonly status: number | null
  readonly why: string | null
  readonly taken: boolean
}

export function deliveryNamed(db: Kysely<Tables>, scope: StoreScope, id: string): Promise<StoredDelivery | undefined> {
  return db.selectFrom('deliveries').selectAll().where('id', '=', id).where(isWithin(scope)).executeTakeFirst()
}

/**
 * The first that was made stands, also under another id: what has happened is looked through once more under the name that its
 * call has in the record, and not under that of its channel. An event is known by its place among those of its call.
 */
export async function keepDelivery(
  db: Kysely<Tables>,
  scope: StoreScope,
  delivery: NewDelivery,
): Promise<StoredDelivery | undefined> {
  const { business, call, hook, event, body } = delivery
  const of = db.selectFrom('deliveries').selectAll().where('call', '=', call).where('business', '=', business)
  const place = (told: unknown) => sql`${told}::jsonb #> '{data,sequence}'`
  const isSame = sql<boolean>`${place(sql.ref('body'))} = ${place(body)}`
  const same = of.where('hook', '=', hook).where('event', '=', event).where(isSame).where(isWithin(scope))
  const known = await same.executeTakeFirst()
  if (known) return known
  const row = { ...delivery, last_at: null, last_status: null, last_why: null, delivered_at: null }
  await db
    .insertInto('deliveries')
    .values(row)
    .onConflict(conflict => conflict.column('id').doNothing())
    .execute()
  return deliveryNamed(db, scope, delivery.id)
}

export async function deliveryAttempted(
  db: Kysely<Tables>,
  scope: StoreScope,
  id: string,
  { at, status, why, taken }: Attempt,
): Promise<void> {
  await db
    .updateTable('deliveries')
    .set(row => ({ attempts: row('attempts', '+', 1), last_at: at, last_status: status, last_why: why }))
    .$if(taken, query => query.set({ delivered_at: at }))
    .where('id', '=', id)
    .where(isWithin(scope))
    .execute()
}

export async function deliveryUntold(db: Kysely<Tables>, scope: StoreScope, id: string, why: string): Promise<void> {
  const open = db.updateTable('deliveries').set({ last_why: why }).where('id', '=', id)
  await open.where('delivered_at', 'is', null).where(isWithin(scope)).execute()
}

const GONE = 410

/** Whoever answers so wants nothing more, until the business says otherwise. */
export async function isHookOff(
  db: Kysely<Tables>,
  scope: StoreScope,
  { business, hook }: Pick<StoredDelivery, 'business' | 'hook'>,
): Promise<boolean> {
  const gone = db.selectFrom('deliveries').select('id').where('business', '=', business).where('hook', '=', hook)
  const since = sql<boolean>`last_at > coalesce((select changed_at from businesses where id = ${business}), '-infinity')`
  const row = await gone.where('last_status', '=', GONE).where(isWithin(scope)).where(since).limit(1).executeTakeFirst()
  return row !== undefined
}

export interface DeliveryFilter {
  readonly business?: string | undefined
  readonly hook?: string | undefined
  readonly call?: string | undefined
  readonly delivered?: boolean | undefined
}

export interface DeliveryPlace {
  readonly at: Date
  readonly id: string
}

/** The newest first. */
export function listDeliveries(
  db: Kysely<Tables>,
  scope: StoreScope,
  { business, hook, call, delivered }: DeliveryFilter,
  { after, count }: Page<DeliveryPlace>,
): Promise<StoredDelivery[]> {
  let query = db.selectFrom('deliveries').selectAll().where(isWithin(scope))
  if (business !== undefined) query = query.where('business', '=', business)
  if (hook !== undefined) query = query.where('hook', '=', hook)
  if (call !== undefined) query = query.where('call', '=', call)
  if (delivered !== undefined) query = query.where('delivered_at', delivered ? 'is not' : 'is', null)
  if (after) query = query.where(sql<boolean>`(at, id) < (${after.at}, ${after.id})`)
  return query.orderBy('at', 'desc').orderBy('id', 'desc').limit(count).execute()
}
