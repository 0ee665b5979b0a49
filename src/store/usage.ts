import type { Kysely, Selectable } from 'kysely'
import { recordNamed } from './calls.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { CallUsageRow, Tables, UsageRow } from './tables.ts'

export type StoredUsage = Selectable<UsageRow>
export type StoredCallUsage = Selectable<CallUsageRow>

/** Days as 2026-01-05, in UTC, both of them included. */
export interface UsageQuery {
  readonly business: string | undefined
  readonly from: string
  readonly to: string
  readonly most: number
}

export function usageByDay(db: Kysely<Tables>, scope: StoreScope, query: UsageQuery): Promise<StoredUsage[]> {
  const { business, from, to, most } = query
  let rows = db.selectFrom('usage').selectAll().where(isWithin(scope)).where('day', '>=', from).where('day', '<=', to)
  if (business !== undefined) rows = rows.where('business', '=', business)
  return rows.orderBy('day').orderBy('business').limit(most).execute()
}

/** Nothing when the call is unknown, or has used nothing yet. */
export function usageOfCall(db: Kysely<Tables>, scope: StoreScope, name: string): Promise<StoredCallUsage | undefined> {
  const own = db.selectFrom('call_usage').selectAll().where('call', '=', recordNamed(name))
  return own.where(isWithin(scope)).executeTakeFirst()
}
