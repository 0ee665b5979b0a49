import { type Kysely, type Selectable, sql } from 'kysely'
import type { Page } from './calls.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { MessageRow, Tables } from './tables.ts'

export type StoredMessage = Selectable<MessageRow>

/** What messages are asked for by; what is left out does not matter. */
export interface MessageFilter {
  readonly business?: string | undefined
  readonly kind?: MessageRow['kind'] | undefined
  readonly unread?: boolean | undefined
}

export interface MessagePlace {
  readonly at: Date
  readonly id: string
}

/** The newest first. */
export function listMessages(
  db: Kysely<Tables>,
  scope: StoreScope,
  { business, kind, unread }: MessageFilter,
  { after, count }: Page<MessagePlace>,
): Promise<StoredMessage[]> {
  let query = db.selectFrom('messages').selectAll().where(isWithin(scope))
  if (business !== undefined) query = query.where('business', '=', business)
  if (kind !== undefined) query = query.where('kind', '=', kind)
  if (unread !== undefined) query = query.where('read_at', unread ? 'is' : 'is not', null)
  if (after) query = query.where(sql<boolean>`(at, id) < (${after.at}, ${after.id}::bigint)`)
  return query.orderBy('at', 'desc').orderBy('id', 'desc').limit(count).execute()
}

/** Undefined when there is no such message. One that was read before stays read since then. */
export function readMessage(
  db: Kysely<Tables>,
  scope: StoreScope,
  id: string,
  at: Date,
): Promise<StoredMessage | undefined> {
  const query = db.updateTable('messages').set(({ fn, val }) => ({ read_at: fn.coalesce('read_at', val(at)) }))
  return query.where('id', '=', id).where(isWithin(scope)).returningAll().executeTakeFirst()
}
