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

export interface SoundStanding {
  /** Or of a call that is forgotten. */
  readonly deleted: boolean
  readonly converted: boolean
  /** The journal of the gateway whose disk has it, as far as that is known. */
  readonly home: string | null
}

/** Of a recording or a voicemail. */
export async function soundStanding(
  db: Kysely<Tables>,
  scope: StoreScope,
  { name, call }: { readonly name: string; readonly call: string },
): Promise<SoundStanding> {
  const { rows } = await sql<SoundStanding>`
    with sound as (
      select deleted_at, converted_at, home from recordings where id = ${name} and ${isWithin(scope)}
      union all select deleted_at, null, home from voicemails where recording = ${name} and ${isWithin(scope)}
    )
    select
      exists (select from sound where deleted_at is not null) or exists (
        select from calls where forgotten_at is not null and ${isWithin(scope)}
          and id = coalesce((select names.call from call_names names where names.name = ${call}), ${call})
      ) as deleted,
      exists (select from sound where converted_at is not null) as converted,
      (select max(home) from sound) as home`.execute(db)
  return rows[0]!
}

export interface KeptSoundRow {
  readonly kind: 'recording' | 'voicemail'
  readonly name: string
  readonly call: string
  readonly business: string
  /** The journal of the gateway whose disk has it; of one from before that was kept nothing. */
  readonly home: string | null
}

/** Of what is over and still there, on one gateway's disk or nobody knows whose; the oldest first. */
export async function soundsBefore(
  db: Kysely<Tables>,
  scope: StoreScope,
  { kind, business, before, home }: { kind: KeptSoundRow['kind']; business: string; before: Date; home: string },
): Promise<KeptSoundRow[]> {
  const source =
    kind === 'recording'
      ? sql`select id as name, call, business, at, home from recordings where ended_why is not null and deleted_at is null`
      : sql`select recording as name, call, business, at, home from voicemails where deleted_at is null`
  const { rows } = await sql<Omit<KeptSoundRow, 'kind'>>`
    select name, call, business, home from (${source}) sound
    where business = ${business} and at < ${before} and (home = ${home} or home is null) and ${isWithin(scope)}
    order by home is null, at limit ${limits.store.rowsAtOnce}`.execute(db)
  return rows.map(row => ({ kind, ...row }))
}

/** By the id of its row. */
export function voicemailRow(db: Kysely<Tables>, scope: StoreScope, id: string) {
  const query = db.selectFrom('voicemails').select(['recording', 'call', 'business', 'deleted_at', 'home'])
  return query.where('id', '=', id).where(isWithin(scope)).executeTakeFirst()
}
