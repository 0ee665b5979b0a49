import { type Kysely, type Selectable, sql } from 'kysely'
import { limits } from '../limits.ts'
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

/** Of a call, by any of its names, as far as they are over. */
export async function recordingsOfCall(db: Kysely<Tables>, scope: StoreScope, call: string): Promise<string[]> {
  const own = sql<string>`coalesce((select names.call from call_names names where names.name = ${call}), ${call})`
  const query = db.selectFrom('recordings').select('id').where('call', '=', own).where('deleted_at', 'is', null)
  const rows = await query.where('ended_why', 'is not', null).where(isWithin(scope)).execute()
  return rows.map(({ id }) => id)
}

/** A recording or a voicemail. */
export async function isSoundDeleted(db: Kysely<Tables>, scope: StoreScope, name: string): Promise<boolean> {
  const { rows } = await sql`
    select from recordings where id = ${name} and deleted_at is not null and ${isWithin(scope)}
    union all select from voicemails where recording = ${name} and deleted_at is not null and ${isWithin(scope)}`.execute(
    db,
  )
  return rows.length > 0
}

export interface KeptSoundRow {
  readonly kind: 'recording' | 'voicemail'
  readonly name: string
  readonly call: string
  readonly business: string
}

/** Of what is over and still there, the oldest first. */
export async function soundsBefore(
  db: Kysely<Tables>,
  scope: StoreScope,
  { kind, business, before }: { kind: KeptSoundRow['kind']; business: string; before: Date },
): Promise<KeptSoundRow[]> {
  const source =
    kind === 'recording'
      ? sql`select id as name, call, business, at from recordings where ended_why is not null and deleted_at is null`
      : sql`select recording as name, call, business, at from voicemails where deleted_at is null`
  const { rows } = await sql<Omit<KeptSoundRow, 'kind'>>`
    select name, call, business from (${source}) sound
    where business = ${business} and at < ${before} and ${isWithin(scope)}
    order by at limit ${limits.store.rowsAtOnce}`.execute(db)
  return rows.map(row => ({ kind, ...row }))
}

/** By the id of its row. */
export function voicemailRow(db: Kysely<Tables>, scope: StoreScope, id: string) {
  const query = db.selectFrom('voicemails').select(['recording', 'call', 'business', 'deleted_at'])
  return query.where('id', '=', id).where(isWithin(scope)).executeTakeFirst()
}
