import { type Kysely, sql } from 'kysely'
import type { EarlierCalls } from '../call/ports.ts'
import { limits } from '../limits.ts'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables } from './tables.ts'

/** Of this number a call was answered that came no earlier. */
export async function answeredSince(
  db: Kysely<Tables>,
  scope: StoreScope,
  number: string,
  since: Date,
): Promise<boolean> {
  const query = db.selectFrom('calls').select('id').where(isWithin(scope)).where('caller_number', '=', number)
  const found = await query.where('offered_at', '>=', since).where('answered_at', 'is not', null).limit(1).execute()
  return found.length > 0
}

/** What a business knows of a number by its calls that have ended. What was said in them is not told: who speaks is not known yet. */
export async function earlierCalls(db: Kysely<Tables>, scope: StoreScope, number: string): Promise<EarlierCalls> {
  const within = isWithin(scope)
  const { earlierCalls: counted, told } = limits.context
  const ms = (column: string) => sql.raw(`(extract(epoch from ${column}) * 1000)::double precision`)
  const query = sql<EarlierCalls>`
    with earlier as (
      select id, offered_at, outcome from calls
      where ${within} and caller_number = ${number} and state = 'ended'
      order by offered_at desc, id desc limit ${counted}
    ),
    unseen as (
      select kind, at, case kind when 'appointment' then text end as text from messages
      where ${within} and call in (select id from earlier) and read_at is null
      union all
      select 'voicemail', at, null from voicemails
      where ${within} and call in (select id from earlier)
        and read_at is null and archived_at is null and deleted_at is null
    )
    select
      (select name from callers where ${within} and number = ${number}) as name,
      (select count(*)::integer from earlier) as count,
      (select coalesce(jsonb_agg(to_jsonb(latest)), '[]') from (
        select ${ms('offered_at')} as "atMs", outcome from earlier order by offered_at desc, id desc limit ${told}
      ) latest) as latest,
      (select coalesce(jsonb_agg(to_jsonb(open)), '[]') from (
        select kind, ${ms('at')} as "atMs", text from unseen order by at desc limit ${told}
      ) open) as open`
  const { rows } = await query.execute(db)
  return rows[0]!
}
