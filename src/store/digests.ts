import type { Kysely, Selectable } from 'kysely'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables } from './tables.ts'

export type StoredTranscript = Selectable<Tables['transcripts']>
export type StoredSummary = Selectable<Tables['summaries']>

/** Of one message or recording. */
export function findTranscript(
  db: Kysely<Tables>,
  scope: StoreScope,
  recording: string,
): Promise<StoredTranscript | undefined> {
  const query = db.selectFrom('transcripts').selectAll().where('recording', '=', recording)
  return query.where(isWithin(scope)).executeTakeFirst()
}

/** Of all that was left in one call. */
export function transcriptsOf(db: Kysely<Tables>, scope: StoreScope, call: string): Promise<StoredTranscript[]> {
  const query = db.selectFrom('transcripts').selectAll().where('call', '=', call)
  return query.where(isWithin(scope)).orderBy('at').execute()
}

export function findSummary(db: Kysely<Tables>, scope: StoreScope, call: string): Promise<StoredSummary | undefined> {
  return db.selectFrom('summaries').selectAll().where('call', '=', call).where(isWithin(scope)).executeTakeFirst()
}
