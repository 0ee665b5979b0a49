import { type Kysely, sql, type Transaction } from 'kysely'
import { answerTextId, noticeTextId, templateTextId } from '../call/text-ids.ts'
import { recordNamed } from './calls.ts'
import { isWithin, type StoreScope } from './scope.ts'
import { searchable } from './search-projection.ts'
import type { Tables } from './tables.ts'

/**
 * What was written down of a sound, and what was made of that. It goes with the sound: whoever deletes a message means its words,
 * too. That it was written down stays, and is how this finds what may quote it.
 */

const isGone = sql`(
  exists (select from voicemails where recording = event.details->>'recording' and deleted_at is not null)
  or exists (select from recordings where recordings.id = event.details->>'recording' and deleted_at is not null))`

/** Of an event that comes late: what would be read in it is gone, or made of what is. */
export const isOfGone = sql`
  case event.name
    when 'transcribed' then ${isGone}
    when 'callerAnswered' then ${isGone}
    when 'summarized' then exists (
      select from call_events written
      where written.call = coalesce(own.call, event.call) and written.name = 'transcribed' and written.private is null
    )
    else false
  end`

interface Written {
  readonly recording: string
  readonly call: string
}

/** Of these sounds, from all tables and the search; true when there was any. However often it is asked for. */
export async function dropWords(transaction: Transaction<Tables>, recordings: readonly string[]): Promise<boolean> {
  const { rows } = await sql<Written>`
    select distinct call, details->>'recording' as recording from call_events
    where name = 'transcribed' and details->>'recording' = any(${recordings}::text[]) and call in (
      select call from voicemails where recording = any(${recordings}::text[])
      union select call from recordings where id = any(${recordings}::text[])
    )`.execute(transaction)
  if (rows.length === 0) return false
  const calls = [...new Set(rows.map(({ call }) => call))]
  await sql`
    update call_events own set private = null
    where call = any(${calls}::text[]) and private is not null and (
      (name in ('transcribed', 'callerAnswered') and details->>'recording' = any(${recordings}::text[]))
      or (name = 'summarized' and exists (
        select from call_events written
        where written.call = own.call and written.name = 'transcribed'
          and written.details->>'recording' = any(${recordings}::text[]) and written.id < own.id
      ))
    )`.execute(transaction)
  await sql`delete from transcripts where recording = any(${recordings}::text[])`.execute(transaction)
  await sql`
    delete from summaries
    where call = any(${calls}::text[]) and not exists (
      select from call_events told
      where told.call = summaries.call and told.name = 'summarized' and told.private is not null
    )`.execute(transaction)
  await hideDeliveries(transaction, calls, recordings)
  await emptyTexts(transaction, rows)
  await searchable(sql`select id as call from calls where id = any(${calls}::text[]) and words is not null`).execute(
    transaction,
  )
  return true
}

/** That they were told stays; told again they are without it. */
async function hideDeliveries(
  transaction: Transaction<Tables>,
  calls: readonly string[],
  recordings: readonly string[],
): Promise<void> {
  await sql`
    update deliveries set body = (body::jsonb #- '{data,private}')::text
    where call = any(${calls}::text[]) and case event
      when 'voicemail.transcribed' then
        body::jsonb #>> '{data,recording}' = any(${recordings}::text[]) and body::jsonb #> '{data,private}' is not null
      when 'call.summarized' then
        not exists (select from summaries where summaries.call = deliveries.call) and body::jsonb #> '{data,private}' is not null
      else false
    end`.execute(transaction)
}

/** What the owner was told it says, and what the caller was answered. One that is not sent yet is waited for. */
async function emptyTexts(transaction: Transaction<Tables>, written: readonly Written[]): Promise<void> {
  const ids = written.flatMap(textsOf)
  await sql`update texts set text = '' where id = any(${ids}::text[]) and status <> 'wanted'`.execute(transaction)
  await sql`
    update call_events set private = jsonb_set(private, '{text}', '""')
    where call = any(${ids}::text[]) and name = 'textWanted' and private->>'text' <> ''`.execute(transaction)
}

function textsOf({ call, recording }: Written): readonly string[] {
  const own = [noticeTextId({ kind: 'voicemailWords', call, about: recording }), answerTextId(recording)]
  return own.flatMap(id => [id, templateTextId(id)])
}

/** Somebody makes something of its words just now: that would come back. */
export async function areWordsInUse(
  db: Kysely<Tables>,
  scope: StoreScope,
  { recording, call: name }: Written,
): Promise<boolean> {
  const found = await db
    .selectFrom('calls')
    .select('id')
    .where('id', '=', recordNamed(name))
    .where(isWithin(scope))
    .executeTakeFirst()
  const call = found?.id ?? name
  const { rows } = await sql`
    select from jobs.job
    where state = 'active' and name in ('transcribe', 'summarize', 'answer', 'notify', 'deliver')
      and data->'subject'->>'call' in (select ${call}::text union select name from call_names where call = ${call})
    union all
    select from texts where id = any(${textsOf({ call, recording })}::text[]) and status = 'wanted' and ${isWithin(scope)}
    limit 1`.execute(db)
  return rows.length > 0
}

/** Since then another gateway has deleted what was written down: what was made of it may stand in the journal of this one. */
export async function wordsWentElsewhere(
  db: Kysely<Tables>,
  scope: StoreScope,
  { home, since }: { readonly home: string; readonly since: Date },
): Promise<boolean> {
  const { rows } = await sql`
    select from voicemails sound
    where deleted_at > ${since} and home is distinct from ${home} and ${isWithin(scope)} and exists (
      select from call_events written
      where written.call = sound.call and written.name = 'transcribed' and written.details->>'recording' = sound.recording
    )
    limit 1`.execute(db)
  return rows.length > 0
}
