import type { Kysely, Selectable } from 'kysely'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables } from './tables.ts'

export type StoredRecording = Selectable<Tables['recordings']>

export function recordingNamed(
  db: Kysely<Tables>,
  scope: StoreScope,
  id: string,
): Promise<StoredRecording | undefined> {
  return db.selectFrom('recordings').selectAll().where('id', '=', id).where(isWithin(scope)).executeTakeFirst()
}
