import { type Kysely, sql } from 'kysely'
import { isWithin, type StoreScope } from './scope.ts'
import type { Tables } from './tables.ts'

/** What is known of a call when it is over: whether anything can come of what is done then. */
export interface CallKnowledge {
  /** There are words of its caller. */
  readonly heard: boolean
  /** The caller has heard the agent, and not only that they can leave a message. */
  readonly spokenWith: boolean
  readonly recorded: boolean
}

/** Of these, by the names that they have in events. */
export async function knowledgeOf(
  db: Kysely<Tables>,
  scope: StoreScope,
  names: readonly string[],
): Promise<ReadonlyMap<string, CallKnowledge>> {
  const { rows } = await sql<CallKnowledge & { readonly name: string }>`
    select
      named.name,
      exists (select from turns where turns.call = named.call and who = 'caller' and ${isWithin(scope)})
        or exists (select from transcripts where transcripts.call = named.call and ${isWithin(scope)}) as heard,
      exists (select from turns where turns.call = named.call and who = 'agent' and heard_ms > 0 and ${isWithin(scope)})
        and not exists (select from call_events where call_events.call = named.call and name = 'messageAsked')
        as "spokenWith",
      exists (select from recordings where recordings.call = named.call and ${isWithin(scope)}) as recorded
    from (
      select asked.name, coalesce(own.call, asked.name) as call
      from unnest(${names}::text[]) as asked(name) left join call_names own on own.name = asked.name
    ) named`.execute(db)
  return new Map(rows.map(({ name, ...known }) => [name, known]))
}
