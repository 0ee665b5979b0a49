import { sql } from 'kysely'
import type { TableProjection } from './table-projection.ts'

/** A message that Twilio tells of twice is received once; one that is to be sent may have its row already, which kept others from it. */
const told: TableProjection = {
  of: ['textReceived', 'textWanted'],
  statement: ids => sql`
  insert into texts (id, business, channel, customer, ours, direction, text, template, media, at, status, status_at)
  select distinct on (call)
    call, business, details->>'channel', private->>'customer', private->>'ours',
    case name when 'textReceived' then 'in' else 'out' end,
    private->>'text', details->>'template', coalesce((details->>'media')::integer, 0), at,
    case name when 'textReceived' then 'received' else 'wanted' end, at
  from call_events where id = any(${ids}::bigint[]) and name in ('textReceived', 'textWanted')
  order by call, id
  on conflict (id) do nothing`,
}

const sent: TableProjection = {
  of: ['textWanted', 'textSent'],
  statement: ids => sql`
  update texts set carrier = told.carrier
  from (
    select call, min(details->>'carrier') as carrier from call_events
    where name = 'textSent'
      and call in (select call from call_events where id = any(${ids}::bigint[]) and name in ('textWanted', 'textSent'))
    group by call
  ) told
  where texts.id = told.call and texts.carrier is null
    and not exists (select from texts other where other.carrier = told.carrier)`,
}

/** In the order in which they come: a later one stays. What could not be found out may be told after all. */
const states = ['wanted', 'unknown', 'queued', 'sent', 'delivered', 'read', 'undelivered', 'failed']

/** Read from all that was told of a message, under its own id or the carrier's, in whatever order it came. */
const settled: TableProjection = {
  of: ['textWanted', 'textSent', 'textTold'],
  statement: ids => sql`
  with news as (
    select call from call_events
    where id = any(${ids}::bigint[]) and name in ('textWanted', 'textSent', 'textTold')
  )
  update texts set status = last.status, status_at = last.at, error_code = last.error
  from (
    select distinct on (own.id) own.id, event.status, event.at, event.error
    from texts own join lateral (
      select
        case name when 'textSent' then 'queued' else details->>'status' end as status,
        at, (details->>'errorCode')::integer as error
      from call_events where call in (own.id, own.carrier) and name in ('textSent', 'textTold')
    ) event on true
    where own.direction = 'out' and own.id in (
      select texts.id from texts join news on texts.id = news.call
      union select texts.id from texts join news on texts.carrier = news.call
    )
    order by own.id, array_position(${states}::text[], event.status) desc, event.at
  ) last
  where texts.id = last.id`,
}

/** The latest word counts, whichever is read first. */
const consents: TableProjection = {
  of: ['consentTold'],
  statement: ids => sql`
  insert into text_consents as known (business, channel, customer, stopped, at)
  select distinct on (1, 2, 3)
    business, details->>'channel', private->>'customer', (details->>'stopped')::boolean, at
  from call_events where id = any(${ids}::bigint[]) and name = 'consentTold'
  order by 1, 2, 3, at desc, id desc
  on conflict (business, channel, customer) do update set stopped = excluded.stopped, at = excluded.at
    where known.at <= excluded.at`,
}

// Of those alone who have told it by a message: who was entered otherwise is asked for otherwise.
const STOPPED = 'They have written STOP.'

/** Who wants no messages is not called either. */
const notCalled: TableProjection = {
  of: ['consentTold'],
  statement: ids => sql`
  insert into do_not_call (business, number, at, why)
  select distinct on (1, 2) consent.business, consent.customer, consent.at, ${STOPPED}
  from text_consents consent join call_events event
    on event.business = consent.business and event.private->>'customer' = consent.customer
  where event.id = any(${ids}::bigint[]) and event.name = 'consentTold' and consent.stopped
  order by 1, 2, 3
  on conflict (business, number) do nothing`,
}

const calledAgain: TableProjection = {
  of: ['consentTold'],
  statement: ids => sql`
  delete from do_not_call own using call_events event
  where event.id = any(${ids}::bigint[]) and event.name = 'consentTold'
    and own.business = event.business and own.number = event.private->>'customer' and own.why = ${STOPPED}
    and not exists (
      select from text_consents consent
      where consent.business = own.business and consent.customer = own.number and consent.stopped
    )`,
}

/** Told when the caller has ended it and once more when the carrier has it: the one knows the number, the other may come alone. */
const awaited: TableProjection = {
  of: ['recordingAwaited'],
  statement: ids => sql`
  insert into awaited_recordings as known (recording, call, business, at, seconds, url, caller_number)
  select
    details->>'recording', min(call), min(business), min(at), max((details->>'seconds')::integer),
    min(private->>'url'), min(private->>'callerNumber')
  from call_events where id = any(${ids}::bigint[]) and name = 'recordingAwaited'
  group by 1
  order by 1
  on conflict (recording) do update set
    caller_number = coalesce(known.caller_number, excluded.caller_number),
    seconds = greatest(known.seconds, excluded.seconds)`,
}

const fetched: TableProjection = {
  of: ['recordingAwaited', 'voicemailLeft', 'recordingGivenUp'],
  statement: ids => sql`
  update awaited_recordings awaited set settled_at = told.at
  from (
    select call, coalesce(details->>'recording', private->>'recording') as recording, min(at) as at
    from call_events
    where name in ('voicemailLeft', 'recordingGivenUp') and call in (
      select call from call_events
      where id = any(${ids}::bigint[]) and name in ('recordingAwaited', 'voicemailLeft', 'recordingGivenUp')
    )
    group by 1, 2
  ) told
  where awaited.call = told.call and awaited.recording = told.recording and awaited.settled_at is null`,
}

const notices: TableProjection = {
  of: ['noticeSent'],
  statement: ids => sql`
  insert into notices (call, kind, by, about, business, at, ok, why)
  select distinct on (1, 2, 3, 4)
    call, details->>'kind', details->>'by', coalesce(details->>'about', ''), business, at, (details->>'ok')::boolean, details->>'why'
  from call_events where id = any(${ids}::bigint[]) and name = 'noticeSent'
  order by 1, 2, 3, 4, id desc
  on conflict (call, kind, by, about) do update set at = excluded.at, ok = excluded.ok, why = excluded.why`,
}

/** Messages, what callers left with the carrier, and who was told of what. */
export const texts: readonly TableProjection[] = [
  ...[told, sent, settled, consents, notCalled, calledAgain],
  ...[awaited, fetched, notices],
]
