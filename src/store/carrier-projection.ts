import { sql } from 'kysely'
import { type CarrierStatus, finalStatuses } from '../call/carrier-events.ts'
import type { CallEvent } from '../call/events.ts'
import type { TableProjection } from './table-projection.ts'

/** Of a call that had no channel here, or none that told its end. */
const outcomes = {
  completed: 'carrierEnded',
  busy: 'carrierBusy',
  noAnswer: 'carrierNoAnswer',
  failed: 'carrierFailed',
  canceled: 'carrierCanceled',
} as const satisfies Partial<Record<CarrierStatus, string>>

const LOST = 'carrierLost'

/** Every other end of a call is better known; and of these, that the carrier has told none is the least. */
export const carrierOutcomes: readonly string[] = [...Object.values(outcomes), LOST]

const final = sql`(event.details->>'status') = any(${finalStatuses}::text[])`

/**
 * Under which names the facts of a call come, known before the first of them under a new name is stored: a channel belongs to
 * the call that it was announced as, and the carrier's id to the call that was asked of it.
 */
export function naming(events: readonly CallEvent[]) {
  const names = events.flatMap(({ call, fact }) => {
    const isChannel = fact.name === 'offered' || fact.name === 'refused'
    if (isChannel && fact.partOf !== undefined && fact.partOf !== call) return [{ name: call, call: fact.partOf }]
    if (fact.name === 'callMade') return [{ name: fact.carrier, call }]
    if (fact.name === 'carrierTold' && fact.carrier !== undefined) return [{ name: fact.carrier, call }]
    return []
  })
  if (names.length === 0) return undefined
  return sql`
    insert into call_names (name, call)
    select distinct on (told.name) told.name, coalesce(known.call, told.call)
    from jsonb_to_recordset(${JSON.stringify(names)}::jsonb) as told(name text, call text)
    left join call_names known on known.name = told.call
    order by told.name
    on conflict (name) do nothing`
}

/** Read from all that the carrier has told of a call, in whatever order it came: a final state stays. */
const told: TableProjection = {
  of: ['carrierTold'],
  statement: ids => sql`
  update calls set
    direction = last.details->>'direction',
    carrier_status = last.details->>'status',
    carrier_seconds = all_told.seconds, carrier_error = all_told.error,
    answered_by = coalesce(all_told.answered_by, calls.answered_by),
    price = all_told.price, price_unit = all_told.price_unit,
    state = case when all_told.ended_at is null then calls.state else 'ended' end,
    ended_at = case when calls.outcome = ${LOST} then coalesce(all_told.ended_at, calls.ended_at)
      else coalesce(calls.ended_at, all_told.ended_at) end,
    outcome = coalesce(case when all_told.ended_at is null then calls.outcome else nullif(calls.outcome, ${LOST}) end, ${sql`(${JSON.stringify(outcomes)}::jsonb)`}->>(last.details->>'status')),
    duration_ms = coalesce(calls.duration_ms, case when all_told.ended_at is not null then all_told.seconds * 1000 end)
  from (
    select distinct on (event.call) event.call, event.details from call_events event
    where event.call in (select call from call_events where id = any(${ids}::bigint[]) and name = 'carrierTold')
      and event.name = 'carrierTold'
    order by event.call, ${final} desc, (event.details->>'sequence')::integer desc nulls last, event.id
  ) last join lateral (
    select
      max((event.details->>'seconds')::integer) as seconds,
      max((event.details->>'errorCode')::integer) as error,
      max(event.details->>'answeredBy') as answered_by,
      (array_agg((event.details->>'price')::numeric order by event.id desc)
        filter (where event.details->>'price' is not null))[1] as price,
      max(event.details->>'priceUnit') as price_unit,
      min(event.at) filter (where ${final}) as ended_at
    from call_events event where event.call = last.call and event.name = 'carrierTold'
  ) all_told on true
  where calls.id = last.call`,
}

/** Once the calls have their rows. */
export const carrierTold: readonly TableProjection[] = [told]
