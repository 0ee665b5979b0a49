import { type Kysely, sql } from 'kysely'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables } from './tables.ts'

/** What came of one day's calls. */
export interface StoredDay {
  /** 2026-01-05 */
  readonly day: string
  readonly calls: number
  readonly answered: number
  readonly transferred: number
  readonly refused: number
  readonly voicemails: number
  /** Of the calls that were answered, from their offer to their end. */
  readonly call_ms: string
  /** Times that the agent answered a caller, and how long that took: from the caller's last sound to the agent's first. */
  readonly answers: number
  readonly average_ms: number | null
  readonly p95_ms: number | null
}

export interface Days {
  /** Of one business, else of all in the scope. */
  readonly business: string | undefined
  readonly timeZone: string
  /** Both included. */
  readonly from: string
  readonly to: string
}

/** By day, as the clocks at the business tell it; days without a call too. */
export async function statsByDay(
  db: Kysely<Tables>,
  scope: StoreScope,
  { business, timeZone, from, to }: Days,
): Promise<StoredDay[]> {
  const whose = sql`${isWithin(scope)} and ${business === undefined ? sql`true` : sql`business = ${business}`}`
  const begins = sql`${from}::date::timestamp at time zone ${timeZone}`
  const ends = sql`(${to}::date + 1)::timestamp at time zone ${timeZone}`
  const dayOf = (time: 'at' | 'offered_at') => sql`(${sql.ref(time)} at time zone ${timeZone})::date`
  const during = (time: 'at' | 'offered_at') =>
    sql`${whose} and ${sql.ref(time)} >= ${begins} and ${sql.ref(time)} < ${ends}`
  const { rows } = await sql<StoredDay>`
    with called as (
      select
        ${dayOf('offered_at')} as day,
        count(*)::integer as calls,
        count(answered_at)::integer as answered,
        (count(*) filter (where outcome = 'transferred'))::integer as transferred,
        (count(*) filter (where outcome = 'refused'))::integer as refused,
        coalesce(sum(duration_ms) filter (where answered_at is not null), 0) as call_ms
      from calls where ${during('offered_at')} group by 1
    ), recorded as (
      select ${dayOf('at')} as day, count(*)::integer as voicemails
      from voicemails where ${during('at')} group by 1
    ), answering as (
      select
        ${dayOf('at')} as day,
        count(*)::integer as answers,
        round(avg(answer_ms))::integer as average_ms,
        percentile_disc(0.95) within group (order by answer_ms) as p95_ms
      from turns where answer_ms is not null and ${during('at')} group by 1
    )
    select
      days.day::date as day, coalesce(calls, 0) as calls, coalesce(answered, 0) as answered,
      coalesce(transferred, 0) as transferred, coalesce(refused, 0) as refused, coalesce(voicemails, 0) as voicemails,
      coalesce(call_ms, 0) as call_ms, coalesce(answers, 0) as answers, average_ms, p95_ms
    from generate_series(${from}::date::timestamp, ${to}::date::timestamp, '1 day') as days(day)
    left join called on called.day = days.day
    left join recorded on recorded.day = days.day
    left join answering on answering.day = days.day
    order by days.day`.execute(db)
  return rows
}

/** As the business chose it. */
export async function timeZoneOf(db: Kysely<Tables>, scope: StoreScope, business: string): Promise<string | undefined> {
  const query = db.selectFrom('businesses').select(sql<string | null>`settings->>'timeZone'`.as('time_zone'))
  const row = await query.where('id', '=', business).where(isWithin(scope, 'businesses.id')).executeTakeFirst()
  return row?.time_zone ?? undefined
}
