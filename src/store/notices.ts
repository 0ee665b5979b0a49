import type { Kysely, Selectable } from 'kysely'
import { limits } from '../limits.ts'
import { eventsOf, findCall, type StoredEvent } from './calls.ts'
import type { StoreScope } from './scope.ts'
import type { NoticeRow, Tables } from './tables.ts'

/** A call by any of its names, and all that was told of it. */
export async function storyOf(
  db: Kysely<Tables>,
  scope: StoreScope,
  name: string,
): Promise<{ readonly id: string; readonly events: readonly StoredEvent[] } | undefined> {
  const call = await findCall(db, scope, name)
  return call && { id: call.id, events: await eventsOf(db, scope, call.id, limits.http.eventsTold) }
}

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
