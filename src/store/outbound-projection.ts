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

/** Once the calls have their rows. */
export const outbound: readonly TableProjection[] = [asked, notMade, answerer]
