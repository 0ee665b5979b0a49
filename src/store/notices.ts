import { type Kysely, type Selectable, sql } from 'kysely'
import { limits } from '../limits.ts'
import { findCall, type StoredEvent } from './calls.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { NoticeRow, Tables } from './tables.ts'

interface ToldEvent extends StoredEvent {
  /** Its place among all that was told of the call. */
  readonly sequence: number
}

/** A call by any of its names, and what was told of it: of one that was endless how it came, and what was last. */
export async function storyOf(
  db: Kysely<Tables>,
  scope: StoreScope,
  name: string,
): Promise<{ readonly id: string; readonly events: readonly ToldEvent[] } | undefined> {
  const call = await findCall(db, scope, name)
  if (!call) return undefined
  const { first, last } = limits.store.storyEvents
  const { rows } = await sql<ToldEvent>`
    select at, name, details, private, sequence from (
      select *, row_number() over (order by id)::integer as sequence, count(*) over () as count
      from call_events where call = ${call.id} and ${isWithin(scope)}
    ) told
    where sequence <= ${first} or sequence > count - ${last} order by sequence`.execute(db)
  return { id: call.id, events: rows }
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
