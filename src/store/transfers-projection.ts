import { sql } from 'kysely'
import type { TableProjection } from './table-projection.ts'

const began: TableProjection = {
  of: ['transferBegan'],
  statement: ids => sql`
  insert into transfers (id, call, business, attempt, destination, mode, by, began_at)
  select
    id, call, business, (details->>'attempt')::integer, details->>'destination', details->>'mode', details->>'by', at
  from call_events where id = any(${ids}::bigint[]) and name = 'transferBegan'`,
}

/** Read from all of its events, however many of them come together: those up to the next that began under the same count. */
const settled: TableProjection = {
  of: ['transferBegan', 'transferRang', 'transferAnswered', 'transferEnded'],
  statement: ids => sql`
  update transfers set
    rang_at = told.rang_at, answered_at = told.answered_at, ended_at = told.ended_at, outcome = told.outcome
  from (
    select
      own.id,
      min(event.at) filter (where event.name = 'transferRang') as rang_at,
      min(event.at) filter (where event.name = 'transferAnswered') as answered_at,
      min(event.at) filter (where event.name = 'transferEnded') as ended_at,
      min(event.details->>'outcome') filter (where event.name = 'transferEnded') as outcome
    from transfers own join call_events event on event.call = own.call and event.id > own.id
    where own.call in (select call from call_events where id = any(${ids}::bigint[]) and name like 'transfer%')
      and event.name in ('transferRang', 'transferAnswered', 'transferEnded')
      and (event.details->>'attempt')::integer = own.attempt
      and not exists (
        select from transfers next
        where next.call = own.call and next.attempt = own.attempt and next.id > own.id and next.id < event.id
      )
    group by own.id
  ) told
  where transfers.id = told.id`,
}

const transferredTo: TableProjection = {
  of: ['transferEnded'],
  statement: ids => sql`
  update calls set transferred_to = last.destination
  from (
    select distinct on (call) call, destination from transfers
    where outcome = 'connected'
      and call in (select call from call_events where id = any(${ids}::bigint[]) and name = 'transferEnded')
    order by call, id desc
  ) last
  where calls.id = last.call`,
}

/** Once the calls have their rows. */
export const transfers: readonly TableProjection[] = [began, settled, transferredTo]
