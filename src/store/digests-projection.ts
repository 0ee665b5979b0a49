import { sql } from 'kysely'
import type { TableProjection } from './table-projection.ts'

/** A recording that another life, or another gateway, has written down as well has the first of its texts. */
const transcripts: TableProjection = {
  of: ['transcribed'],
  statement: ids => sql`
  insert into transcripts (recording, call, business, at, by, text)
  select distinct on (details->>'recording')
    details->>'recording', call, business, at, details->>'by', private->>'text'
  from call_events where id = any(${ids}::bigint[]) and name = 'transcribed' and private is not null
  order by details->>'recording', id
  on conflict (recording) do nothing`,
}

const summaries: TableProjection = {
  of: ['summarized'],
  statement: ids => sql`
  insert into summaries (call, business, at, by, urgency, who, why, outcome, follow_up)
  select distinct on (call)
    call, business, at, details->>'by', details->>'urgency',
    private->>'who', private->>'why', private->>'outcome', private->>'followUp'
  from call_events where id = any(${ids}::bigint[]) and name = 'summarized' and private is not null
  order by call, id
  on conflict (call) do nothing`,
}

export const digests: readonly TableProjection[] = [transcripts, summaries]
