import { type Kysely, type Selectable, sql } from 'kysely'
import type { DigestSource } from '../call/kept-events.ts'
import type { Page } from './calls.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables, VoicemailRow } from './tables.ts'

export type StoredVoicemail = Selectable<VoicemailRow>

export interface VoicemailPlace {
  readonly at: Date
  readonly id: string
}

export interface VoicemailFilter {
  readonly business?: string | undefined
  readonly call?: string | undefined
  readonly read?: boolean | undefined
  readonly archived?: boolean | undefined
  /** Nothing: by the carrier or the dialplan. */
  readonly by?: StoredVoicemail['by'] | undefined
  /** Left out: those that are there. */
  readonly deleted?: boolean | undefined
}

/** The newest first. */
export function listVoicemails(
  db: Kysely<Tables>,
  scope: StoreScope,
  { business, call, read, archived, by, deleted = false }: VoicemailFilter,
  { after, count }: Page<VoicemailPlace>,
): Promise<StoredVoicemail[]> {
  let query = db.selectFrom('voicemails').selectAll().where(isWithin(scope))
  query = query.where('deleted_at', deleted ? 'is not' : 'is', null)
  if (business !== undefined) query = query.where('business', '=', business)
  if (call !== undefined) query = query.where('call', '=', call)
  if (read !== undefined) query = query.where('read_at', read ? 'is not' : 'is', null)
  if (archived !== undefined) query = query.where('archived_at', archived ? 'is not' : 'is', null)
  if (by !== undefined) query = query.where('by', by === null ? 'is' : '=', by)
  if (after) query = query.where(sql<boolean>`(at, id) < (${after.at}, ${after.id}::bigint)`)
  return query.orderBy('at', 'desc').orderBy('id', 'desc').limit(count).execute()
}

/** One that was deleted is told as such: its sound is gone. */
export function voicemailWithId(
  db: Kysely<Tables>,
  scope: StoreScope,
  id: string,
): Promise<StoredVoicemail | undefined> {
  return db.selectFrom('voicemails').selectAll().where('id', '=', id).where(isWithin(scope)).executeTakeFirst()
}

export interface VoicemailMarks {
  readonly read?: boolean | undefined
  readonly archived?: boolean | undefined
}

/** What was marked before keeps its time. */
export async function markVoicemail(
  db: Kysely<Tables>,
  scope: StoreScope,
  id: string,
  { read, archived }: VoicemailMarks,
  at: Date,
): Promise<StoredVoicemail | undefined> {
  const { rows } = await sql<StoredVoicemail>`
    update voicemails set
      read_at = case ${read ?? null}::boolean when true then coalesce(read_at, ${at}::timestamptz) when false then null else read_at end,
      archived_at = case ${archived ?? null}::boolean
        when true then coalesce(archived_at, ${at}::timestamptz) when false then null else archived_at end
    where id = ${id}::bigint and deleted_at is null and ${isWithin(scope)}
    returning *`.execute(db)
  return rows[0]
}

/** Which of these recordings the database knows as voicemails. */
export async function toldVoicemails(
  db: Kysely<Tables>,
  scope: StoreScope,
  recordings: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('voicemails')
    .select('recording')
    .where('recording', 'in', recordings)
    .where(isWithin(scope))
    .execute()
  return new Set(rows.map(({ recording }) => recording))
}

export interface StoredTranscript {
  readonly by: DigestSource
  readonly text: string
}

/** What was said in it, once somebody has written it down. */
export function transcriptOf(
  db: Kysely<Tables>,
  scope: StoreScope,
  recording: string,
): Promise<StoredTranscript | undefined> {
  return db
    .selectFrom('transcripts')
    .select(['by', 'text'])
    .where('recording', '=', recording)
    .where(isWithin(scope))
    .executeTakeFirst()
}
