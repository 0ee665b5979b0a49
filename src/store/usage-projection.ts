import { sql } from 'kysely'
import { usageCounters } from '../call/events.ts'
import type { TableProjection } from './table-projection.ts'

const provided = usageCounters.map(counter => ({
  column: counter.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
  sum: `coalesce(sum((event.details->>'${counter}')::bigint) filter (where event.name = 'usageCounted'), 0)`,
}))

/**
 * Carriers count from the answer to the end, and each minute that was begun. Another gateway may go on with a call, or know
 * its end when it was told to be lost: what was counted of it before is taken off.
 */
const used = [
  {
    column: 'call_ms',
    sum: `coalesce(sum((event.details->>'durationMs')::bigint) filter (where event.name = 'ended'), 0)`,
  },
  {
    column: 'telephone_minutes',
    sum: `coalesce(sum(
      greatest(1, ceil(extract(epoch from call.ended_at - call.answered_at) / 60)) - coalesce(counted.telephone_minutes, 0)
    ) filter (where event.id = last_end.id and call.outcome <> 'takenOver' and call.answered_at is not null), 0)`,
  },
  ...provided,
]
const columns = sql.raw(used.map(({ column }) => column).join(', '))
const sums = sql.raw(used.map(({ sum }) => sum).join(', '))
const added = sql.raw(used.map(({ column }) => `${column} = known.${column} + excluded.${column}`).join(', '))

/** When the calls' own rows know of these events, and what each has used does not yet. */
const withCalls = (ids: readonly string[]) => sql`
  call_events event left join calls call on call.id = event.call
  left join call_usage counted on counted.call = event.call
  left join (
    select call, max(id) as id from call_events where id = any(${ids}::bigint[]) and name = 'ended' group by call
  ) last_end on last_end.call = event.call`

/** A call that was taken over is offered once more. */
const byDay: TableProjection = {
  of: ['offered', 'takenOver', 'answered', 'ended', 'usageCounted'],
  statement: ids => sql`
  insert into usage as known (business, day, calls, answered, ${columns})
  select
    event.business, (event.at at time zone 'UTC')::date,
    count(*) filter (where event.name = 'offered' and event.details->'again' is null)
      - count(*) filter (where event.name = 'takenOver'),
    count(*) filter (where event.name = 'answered' and event.details->'again' is null),
    ${sums}
  from ${withCalls(ids)}
  where event.id = any(${ids}::bigint[]) and event.name in ('offered', 'takenOver', 'answered', 'ended', 'usageCounted')
  group by 1, 2
  order by 1, 2
  on conflict (business, day) do update set
    calls = known.calls + excluded.calls,
    answered = known.answered + excluded.answered,
    ${added}`,
}

const byCall: TableProjection = {
  of: ['ended', 'usageCounted'],
  statement: ids => sql`
  insert into call_usage as known (call, business, ${columns})
  select event.call, event.business, ${sums}
  from ${withCalls(ids)}
  where event.id = any(${ids}::bigint[]) and event.name in ('ended', 'usageCounted')
  group by 1, 2
  order by 1
  on conflict (call) do update set ${added}`,
}

export const usage: readonly TableProjection[] = [byDay, byCall]
