import { sql, type Transaction } from 'kysely'
import { telephoneNumber, withheldNumbers } from '../call/caller-number.ts'
import { factsOfNoCall } from '../call/carrier-events.ts'
import type { CallEvent } from '../call/events.ts'
import { carrierOutcomes, carrierTold, naming } from './carrier-projection.ts'
import { digests } from './digests-projection.ts'
import { openAccounts } from './open-accounts-projection.ts'
import { outbound } from './outbound-projection.ts'
import { recordings } from './recordings-projection.ts'
import { words } from './search-projection.ts'
import { dropWords, isOfGone } from './sound-words.ts'
import type { TableProjection } from './table-projection.ts'
import type { Tables } from './tables.ts'
import { texts } from './texts-projection.ts'
import { transfers } from './transfers-projection.ts'
import { usage } from './usage-projection.ts'
import { voicemails } from './voicemails-projection.ts'

/**
 * What events mean for the tables: the events themselves first, and everything else read from them, so that all of it could
 * be made again from `call_events` alone.
 */
export async function project(transaction: Transaction<Tables>, events: readonly CallEvent[]): Promise<void> {
  if (events.length === 0) return
  await naming(events)?.execute(transaction)
  const { rows } = await inserted(events).execute(transaction)
  const ids = rows.map(({ id }) => id)
  const names = new Set(events.map(({ fact }) => fact.name))
  for (const { of, statement } of projections) {
    if (!of || of.some(name => names.has(name))) await statement(ids).execute(transaction)
  }
  const gone = events.flatMap(({ fact }) =>
    fact.name === 'recordingDeleted' || fact.name === 'voicemailDeleted' ? [fact.recording] : [],
  )
  if (gone.length > 0) await dropWords(transaction, gone)
}

/** Of a call that was forgotten what tells of a person is not taken any more: of the carrier's account the rest is. */
const ofForgotten: CallEvent['fact']['name'] = 'carrierTold'

function inserted(events: readonly CallEvent[]) {
  const rows = events.map(({ call, business, atMs, fact }, place) => {
    const { name, ...rest } = fact
    const { private: hidden, ...details } = rest as Record<string, unknown>
    return { place, call, business, at: new Date(atMs).toISOString(), name, details, private: hidden ?? null }
  })
  return sql<{ id: string }>`
    insert into call_events (call, business, at, name, details, private)
    select coalesce(own.call, event.call), event.business, at, event.name, details,
      case when known.forgotten_at is null and not ${isOfGone} then private end
    from jsonb_to_recordset(${JSON.stringify(rows, storable)}::jsonb)
      as event(place integer, call text, business text, at timestamptz, name text, details jsonb, private jsonb)
    left join call_names own on own.name = event.call
    left join calls known on known.id = coalesce(own.call, event.call)
    where known.forgotten_at is null or event.private is null or event.name = ${ofForgotten}
    order by place
    returning id`
}

/** The database takes no zero character and no half of a pair, which a caller's phone or a model may send. */
function storable(_key: string, value: unknown): unknown {
  if (typeof value === 'string') return storableText(value)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [storableText(key), each]))
}

function storableText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}

/** Told for want of a better word, or of a part of a call: another gateway may know its end, whoever of the two is read first. */
const behind = ['takenOver', 'redirected', 'lost', ...carrierOutcomes].map(outcome => `'${outcome}'`).join(', ')
/** What the caller has left is the last word, also while the call goes on. */
const standsBehind = (outcome: string) =>
  sql.raw(`case ${outcome} when 'voicemail' then -1 else coalesce(array_position(array[${behind}], ${outcome}), 0) end`)
const endStands = sql`known.outcome is null or ${standsBehind('excluded.outcome')} <= ${standsBehind('known.outcome')}`
const outcome =
  "case name when 'ended' then details->>'reason' when 'refused' then 'refused' when 'voicemailLeft' then 'voicemail' end"
/** With the carrier or the dialplan: the call with us is over. */
const leftElsewhere = sql.raw("coalesce(details->>'by', 'reception') = 'reception'")
const theEndFirst = sql`order by ${standsBehind(outcome)}, id desc`

/** However many of a call's events come together, as if they came one by one. */
const calls: TableProjection = {
  statement: ids => sql`
  insert into calls as known (
    id, business, state, engine, codec, caller_number, called_user, parameters,
    offered_at, answered_at, ended_at, outcome, duration_ms, set_up_ms, figures
  )
  select
    call,
    min(business),
    case when bool_or(name in ('ended', 'refused') or (name = 'voicemailLeft' and ${leftElsewhere})) then 'ended' else 'live' end,
    max(details->>'engine') filter (where name = 'offered'),
    max(details->>'codec') filter (where name = 'offered'),
    max(private->>'callerNumber') filter (where name in ('offered', 'refused', 'voicemailLeft', 'announced', 'carrierTold')),
    max(private->>'calledUser') filter (where name = 'offered'),
    coalesce(
      max((private->'parameters')::text) filter (where name = 'offered'),
      max((private->'parameters')::text) filter (where name = 'announced')
    )::jsonb,
    min(at),
    min(at) filter (where name = 'answered'),
    (array_agg(at ${theEndFirst}) filter (where name = 'ended'))[1],
    (array_agg(${sql.raw(outcome)} ${theEndFirst}) filter (where name in ('ended', 'refused', 'voicemailLeft')))[1],
    (array_agg((details->>'durationMs')::integer ${theEndFirst}) filter (where name = 'ended'))[1],
    min((details->>'setUpMs')::integer) filter (where name = 'answered'),
    (max((details->'figures')::text) filter (where name = 'mediaClosed'))::jsonb
  from call_events
  where id = any(${ids}::bigint[]) and name <> all(${factsOfNoCall}::text[])
  group by call
  on conflict (id) do update set
    state = case when 'ended' in (known.state, excluded.state) then 'ended' else 'live' end,
    engine = coalesce(known.engine, excluded.engine),
    codec = coalesce(known.codec, excluded.codec),
    caller_number = coalesce(known.caller_number, excluded.caller_number),
    called_user = coalesce(known.called_user, excluded.called_user),
    parameters = coalesce(known.parameters, excluded.parameters),
    offered_at = least(known.offered_at, excluded.offered_at),
    answered_at = coalesce(known.answered_at, excluded.answered_at),
    ended_at = case when ${endStands} then coalesce(excluded.ended_at, known.ended_at)
      else coalesce(known.ended_at, excluded.ended_at) end,
    outcome = case when ${endStands} then coalesce(excluded.outcome, known.outcome) else known.outcome end,
    duration_ms = case when ${endStands} then coalesce(excluded.duration_ms, known.duration_ms)
      else coalesce(known.duration_ms, excluded.duration_ms) end,
    set_up_ms = coalesce(known.set_up_ms, excluded.set_up_ms),
    figures = coalesce(excluded.figures, known.figures)`,
}

/** A call that was taken over is offered once more. Sorted, so that two gateways do not wait for each other. */
const callers: TableProjection = {
  of: ['offered', 'takenOver', 'callerNamed'],
  statement: ids => sql`
  insert into callers as known (business, number, name, first_at, last_at, calls)
  select
    event.business, call.caller_number,
    (array_agg(event.private->>'name' order by event.id desc) filter (where event.name = 'callerNamed'))[1],
    min(event.at), max(event.at),
    count(*) filter (where event.name = 'offered' and event.details->'again' is null)
      - count(*) filter (where event.name = 'takenOver')
  from call_events event join calls call on call.id = event.call
  where event.id = any(${ids}::bigint[]) and event.name in ('offered', 'takenOver', 'callerNamed')
    and call.caller_number ~ ${telephoneNumber.source} and call.caller_number <> all(${withheldNumbers}::text[])
  group by 1, 2
  order by 1, 2
  on conflict (business, number) do update set
    name = coalesce(excluded.name, known.name),
    first_at = least(known.first_at, excluded.first_at),
    last_at = greatest(known.last_at, excluded.last_at),
    calls = known.calls + excluded.calls`,
}

/** Where the time went is told when the agent begins to be heard; what was heard, when it has ended. */
const turns: TableProjection = {
  of: ['callerSpoke', 'agentSpoke'],
  statement: ids => sql`
  insert into turns (call, business, at, who, text, heard_ms, complete, latency, answer_ms)
  select
    said.call, said.business, said.at,
    case said.name when 'callerSpoke' then 'caller' else 'agent' end,
    said.private->>'text',
    (said.details->>'ms')::integer,
    (said.details->>'complete')::boolean,
    timed.latency,
    round((timed.latency->>'pauseMs')::numeric + (timed.latency->>'thinkMs')::numeric)::integer
  from call_events said
  left join lateral (
    select jsonb_object_agg(pair.key, pair.value) as latency
    from call_events timed cross join lateral jsonb_each(timed.details) pair
    where said.name = 'agentSpoke'
      and timed.call = said.call and timed.id < said.id and timed.name in ('turnAnswered', 'replyTimed')
      and timed.id > coalesce((
        select max(before.id) from call_events before
        where before.call = said.call and before.id < said.id and before.name = 'agentSpoke'
      ), 0)
  ) timed on true
  where said.id = any(${ids}::bigint[]) and said.name in ('callerSpoke', 'agentSpoke')
  order by said.id`,
}

const toolCalls: TableProjection = {
  of: ['toolRan'],
  statement: ids => sql`
  insert into tool_calls (call, business, at, tool, ok, took_ms)
  select call, business, at, details->>'tool', (details->>'ok')::boolean, (details->>'tookMs')::integer
  from call_events where id = any(${ids}::bigint[]) and name = 'toolRan' order by id`,
}

const messages: TableProjection = {
  of: ['messageTaken', 'appointmentRequested'],
  statement: ids => sql`
  insert into messages (call, business, at, kind, callback, text, details)
  select
    call, business, at,
    case name when 'messageTaken' then 'message' else 'appointment' end,
    private->>'callback',
    coalesce(private->>'text', concat_ws(' ', private->>'service', private->>'date', private->>'time')),
    private
  from call_events where id = any(${ids}::bigint[]) and name in ('messageTaken', 'appointmentRequested') order by id`,
}

const projections: readonly TableProjection[] = [
  ...[calls, ...carrierTold, callers, turns, toolCalls, messages, ...voicemails, recordings],
  ...outbound,
  ...openAccounts,
  ...transfers,
  ...texts,
  ...usage,
  ...digests,
  words,
]
