import { sql } from 'kysely'
import { finalStatuses } from '../call/carrier-events.ts'
import { limits } from '../limits.ts'
import type { TableProjection } from './table-projection.ts'

const { marginMs, priceMs } = limits.twilio.accounts
const longest = limits.call.durationMs / 1_000

/** By then the carrier has told its end, or nothing is to be expected any more. */
const begun: TableProjection = {
  of: ['announced'],
  statement: ids => sql`
  insert into open_accounts as own (call, business, next_at)
  select
    call, min(business),
    max(at + interval '1 second' * coalesce((details->>'mostSeconds')::integer, ${longest}))
      + interval '1 millisecond' * ${marginMs}
  from call_events event
  where id = any(${ids}::bigint[]) and name = 'announced' and not exists (
    select from call_events over
    where over.call = event.call and over.name = 'carrierTold' and over.details->>'status' = any(${finalStatuses}::text[])
  )
  group by call
  order by call
  on conflict (call) do update set next_at = greatest(own.next_at, excluded.next_at)`,
}

/** The carrier reckons a while after the end. */
const ended: TableProjection = {
  of: ['carrierTold'],
  statement: ids => sql`
  insert into open_accounts as own (call, business, next_at)
  select call, min(business), min(at) + interval '1 millisecond' * ${priceMs}
  from call_events
  where id = any(${ids}::bigint[]) and name = 'carrierTold' and details->>'status' = any(${finalStatuses}::text[])
  group by call
  order by call
  on conflict (call) do update set next_at = excluded.next_at where own.attempts = 0`,
}

const closed: TableProjection = {
  of: ['carrierTold', 'carrierLost'],
  statement: ids => sql`
  delete from open_accounts own using call_events told
  where own.call in (select call from call_events where id = any(${ids}::bigint[]))
    and told.call = own.call and (told.name = 'carrierLost' or told.name = 'carrierTold' and told.details->'price' is not null)`,
}

/** Whatever else is told of its end is better known, and takes its place. */
const lost: TableProjection = {
  of: ['carrierLost'],
  statement: ids => sql`
  update calls set
    state = 'ended', ended_at = coalesce(calls.ended_at, event.at), outcome = coalesce(calls.outcome, 'carrierLost')
  from call_events event
  where event.id = any(${ids}::bigint[]) and event.name = 'carrierLost' and calls.id = event.call`,
}

/** Once the calls have their rows. */
export const openAccounts: readonly TableProjection[] = [begun, ended, closed, lost]
