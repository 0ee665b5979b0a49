import type { Kysely, Selectable } from 'kysely'
import type { StoreScope } from './scope.ts'
import type { NoticeRow, Tables } from './tables.ts'

/** False when somebody else gives it, or has given it: each is given once. What became of it is told later. */
export async function claimNotice(
  db: Kysely<Tables>,
  scope: StoreScope,
  notice: Omit<Selectable<NoticeRow>, 'ok' | 'why'>,
): Promise<boolean> {
  if (scope !== 'all' && scope.business !== notice.business) return false
  const query = db.insertInto('notices').values({ ...notice, ok: false, why: null })
  const claimed = query.onConflict(conflict => conflict.columns(['call', 'kind', 'by']).doNothing()).returning('call')
  return (await claimed.executeTakeFirst()) !== undefined
}
