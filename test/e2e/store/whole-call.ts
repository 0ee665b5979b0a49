import { type Kysely, sql } from 'kysely'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import type { Tables } from '../../../src/store/tables.ts'

/** A call of which every table has something, and no fact comes twice. */

const hidden = { callerNumber: '+15550100199', calledUser: 'bianca', requestUri: '', parameters: {}, headers: {} }
const facts: readonly CallFact[] = [
  { name: 'offered', engine: 'scripted', codec: 'ulaw', private: hidden },
  { name: 'answered', setUpMs: 40 },
  { name: 'callerSpoke', private: { text: 'A tooth hurts' } },
  { name: 'toolRan', tool: 'look_up', ok: true, tookMs: 12 },
  { name: 'agentSpoke', ms: 400, complete: false, private: { text: 'Come at' } },
  {
    ...{ name: 'transferBegan', attempt: 1, destination: 'reception', mode: 'blind', by: 'agent' },
    private: { reason: 'a tooth' },
  },
  { name: 'transferRang', attempt: 1, afterMs: 80 },
  { name: 'transferEnded', attempt: 1, outcome: 'busy', tookMs: 900 },
  { name: 'messageTaken', private: { text: 'call me', callback: '+15550100199' } },
  { name: 'ended', reason: 'callerHungUp', durationMs: 5_000 },
]

export function eventsOfCall(call: string): CallEvent[] {
  return facts.map((fact, at) => ({ call, business: 'dentist', atMs: Date.UTC(2026, 0, 5, 9) + 500 * at, fact }))
}

/**
 * What breaks the promise: that what was acknowledged is there, whole; that nothing is there twice; and that what is read
 * from the events agrees with them.
 */
export async function broken(db: Kysely<Tables>, acknowledged: readonly string[]): Promise<unknown[]> {
  const { rows: calls } = await sql`
    with kept as (
      select call, count(*) as events, count(distinct name) as facts,
        count(*) filter (where name = 'ended') as ended,
        count(*) filter (where name in ('callerSpoke', 'agentSpoke')) as turns,
        count(*) filter (where name = 'messageTaken') as messages,
        count(*) filter (where name = 'toolRan') as tools,
        count(*) filter (where name = 'transferBegan') as transfers,
        count(*) filter (where name = 'transferEnded') as settled,
        array_agg(name order by id) as names
      from call_events group by call
    )
    select acknowledged, kept.*
    from jsonb_array_elements_text(${JSON.stringify(acknowledged)}::jsonb) acknowledged
    full join kept on kept.call = acknowledged
    left join calls on calls.id = kept.call
    where kept.call is null
      or (acknowledged is not null and kept.facts <> ${facts.length})
      or kept.events <> kept.facts
      or kept.names <> (array[${sql.join(facts.map(({ name }) => name))}])[1:kept.events::int]
      or calls.id is null
      or (calls.state = 'ended') <> (kept.ended = 1)
      or kept.turns <> (select count(*) from turns where call = kept.call)
      or kept.messages <> (select count(*) from messages where call = kept.call)
      or kept.tools <> (select count(*) from tool_calls where call = kept.call)
      or kept.transfers <> (select count(*) from transfers where call = kept.call)
      or kept.settled <> (select count(outcome) from transfers where call = kept.call)
    limit 5`.execute(db)
  const { rows: totals } = await sql`
    select ended, counted
    from (select count(*) as ended from call_events where name = 'ended') events, (select sum(calls) as counted from usage) days
    where ended <> counted`.execute(db)
  return [...calls, ...totals]
}
