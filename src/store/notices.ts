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

/**
 * `open`: somebody was about to give it, and what came of that nobody has told; `failed`: it could not be given, and may be
 * tried once more.
 */
export type NoticeStanding = 'claimed' | 'open' | 'told' | 'failed'

type NoticeId = Pick<Selectable<NoticeRow>, 'call' | 'kind' | 'by' | 'about' | 'business'>

/** Whoever has it alone gives it. What became of it is told later. */
export async function claimNotice(
  db: Kysely<Tables>,
  scope: StoreScope,
  notice: NoticeId & Pick<Selectable<NoticeRow>, 'at'>,
): Promise<NoticeStanding> {
  if (scope !== 'all' && scope.business !== notice.business) return 'open'
  const query = db.insertInto('notices').values({ ...notice, ok: false, why: null })
  const claimed = query
    .onConflict(conflict => conflict.columns(['call', 'kind', 'by', 'about']).doNothing())
    .returning('call')
  if (await claimed.executeTakeFirst()) return 'claimed'
  const known = db
    .selectFrom('notices')
    .select(['ok', 'why'])
    .where(each => each.and(idOf(notice)))
  const before = await known.executeTakeFirst()
  if (before?.ok) return 'told'
  return before && before.why !== null ? 'failed' : 'open'
}

/** Certainly not given: the next attempt begins anew. */
export async function releaseNotice(db: Kysely<Tables>, scope: StoreScope, notice: NoticeId): Promise<void> {
  if (scope !== 'all' && scope.business !== notice.business) return
  const open = db.deleteFrom('notices').where(each => each.and(idOf(notice)))
  await open.where('ok', '=', false).where('why', 'is', null).execute()
}

function idOf({ call, kind, by, about }: NoticeId) {
  return { call, kind, by, about }
}
