import { type Kysely, type Selectable, sql } from 'kysely'
import type { Page } from './calls.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables } from './tables.ts'

export type StoredRecording = Selectable<Tables['recordings']>

export interface RecordingFilter {
  readonly business?: string | undefined
  readonly call?: string | undefined
  /** Left out: those that are there. */
  readonly deleted?: boolean | undefined
}

export interface RecordingPlace {
  readonly at: Date
  readonly id: string
}

/** The newest first. */
export function listRecordings(
  db: Kysely<Tables>,
  scope: StoreScope,
  { business, call, deleted = false }: RecordingFilter,
  { after, count }: Page<RecordingPlace>,
): Promise<StoredRecording[]> {
  let query = db.selectFrom('recordings').selectAll().where(isWithin(scope))
  query = query.where('deleted_at', deleted ? 'is not' : 'is', null)
  if (business !== undefined) query = query.where('business', '=', business)
  if (call !== undefined) query = query.where('call', '=', call)
  if (after) query = query.where(sql<boolean>`(at, id) < (${after.at}, ${after.id})`)
  return query.orderBy('at', 'desc').orderBy('id', 'desc').limit(count).execute()
}

/** Also one that is deleted: that it was there, and when it went, is told. */
export function findRecording(db: Kysely<Tables>, scope: StoreScope, id: string): Promise<StoredRecording | undefined> {
  return db.selectFrom('recordings').selectAll().where('id', '=', id).where(isWithin(scope)).executeTakeFirst()
}

/** What is known of files that were found. */
export function recordingsById(
  db: Kysely<Tables>,
  scope: StoreScope,
  ids: readonly string[],
): Promise<StoredRecording[]> {
  if (ids.length === 0) return Promise.resolve([])
  return db.selectFrom('recordings').selectAll().where('id', 'in', ids).where(isWithin(scope)).execute()
}
