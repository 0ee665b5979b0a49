import { type Kysely, type Selectable, sql } from 'kysely'
import type { Page } from './calls.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { DoNotCallRow, Tables } from './tables.ts'

export type StoredStop = Selectable<DoNotCallRow>

/** One that is known already stays as it was. Nothing for the business of somebody else. */
export async function forbidCalls(
  db: Kysely<Tables>,
  scope: StoreScope,
  stop: StoredStop,
): Promise<StoredStop | undefined> {
  if (scope !== 'all' && scope.business !== stop.business) return undefined
  await db
    .insertInto('do_not_call')
    .values(stop)
    .onConflict(conflict => conflict.columns(['business', 'number']).doNothing())
    .execute()
  const query = db.selectFrom('do_not_call').selectAll().where('business', '=', stop.business)
  return query.where('number', '=', stop.number).executeTakeFirstOrThrow()
}

/** False when there was none. */
export async function allowCalls(
  db: Kysely<Tables>,
  scope: StoreScope,
  business: string,
  number: string,
): Promise<boolean> {
  const query = db.deleteFrom('do_not_call').where('business', '=', business).where('number', '=', number)
  return (await query.where(isWithin(scope)).executeTakeFirst()).numDeletedRows > 0n
}

/** The newest first. */
export function listForbidden(
  db: Kysely<Tables>,
  scope: StoreScope,
  { business, number }: { readonly business?: string | undefined; readonly number?: string | undefined },
  { after, count }: Page<{ readonly at: Date; readonly id: string }>,
): Promise<StoredStop[]> {
  let query = db.selectFrom('do_not_call').selectAll().where(isWithin(scope))
  if (business !== undefined) query = query.where('business', '=', business)
  if (number !== undefined) query = query.where('number', '=', number)
  if (after) query = query.where(sql<boolean>`(at, number) < (${after.at}, ${after.id})`)
  return query.orderBy('at', 'desc').orderBy('number', 'desc').limit(count).execute()
}
