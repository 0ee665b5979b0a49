import { sql } from 'kysely'
import type { TableProjection } from './table-projection.ts'

/** Of calls that were asked for: known as such before the carrier has told anything. */
const asked: TableProjection = {
  of: ['callAsked'],
  statement: ids => sql`
  update calls set direction = 'outbound', called_user = coalesce(calls.called_user, event.private->>'calledNumber')
  from call_events event
  where event.id = any(${ids}::bigint[]) and event.name = 'callAsked' and calls.id = event.call`,
}

/** What the carrier, or the call's own channel, tells of its end is better known. */
const notMade: TableProjection = {
  of: ['callNotMade'],
  statement: ids => sql`
  update calls set
    state = 'ended', ended_at = coalesce(calls.ended_at, event.at),
    outcome = coalesce(calls.outcome, 'notMade' || upper(left(event.details->>'why', 1)) || substr(event.details->>'why', 2))
  from call_events event
  where event.id = any(${ids}::bigint[]) and event.name = 'callNotMade' and calls.id = event.call`,
}

const answerer: TableProjection = {
  of: ['answererTold'],
  statement: ids => sql`
  update calls set answered_by = event.details->>'answeredBy'
  from call_events event
  where event.id = any(${ids}::bigint[]) and event.name = 'answererTold' and calls.id = event.call`,
}

const SAID = 'They have said so on the telephone.'

/** Of whom Parley has called it is known for certain who that was: what a trunk shows as calling may be another number. */
const forbidden: TableProjection = {
  of: ['callsForbidden'],
  statement: ids => sql`
  insert into do_not_call (business, number, at, why)
  select distinct on (1, 2)
    event.business, coalesce(asked.private->>'calledNumber', event.private->>'number'), event.at, ${SAID}
  from call_events event left join call_events asked on asked.call = event.call and asked.name = 'callAsked'
  where event.id = any(${ids}::bigint[]) and event.name = 'callsForbidden'
  order by 1, 2, event.id
  on conflict (business, number) do nothing`,
}

/** Once the calls have their rows. */
export const outbound: readonly TableProjection[] = [asked, notMade, answerer, forbidden]
