import { sql } from 'kysely'
import { limits } from '../limits.ts'
import type { TableProjection } from './table-projection.ts'

/**
 * What is found of calls by their words. As they are, for a dictionary would fit one language only; no more of them than the
 * database takes as one value, whatever they are.
 */
export function searchable(calls: ReturnType<typeof sql>) {
  return sql`
  with changed as materialized (${calls}), said as (
    select call, 1 as place, id, text from turns where call in (select call from changed)
    union all select call, 2, 0, text from transcripts where call in (select call from changed)
    union all
    select call, 3, 0, concat_ws(' ', who, why, outcome, follow_up) from summaries where call in (select call from changed)
  )
  update calls set words = whole.words
  from (
    select changed.call, to_tsvector('simple', left(string_agg(text, ' ' order by place, id), ${limits.store.wordsChars})) as words
    from changed left join said on said.call = changed.call group by changed.call
  ) whole
  where calls.id = whole.call`
}

/** When the call has ended, and once more with what is made of it then: an index of words is costly to change. */
export const words: TableProjection = {
  of: ['ended', 'transcribed', 'summarized'],
  statement: ids =>
    searchable(sql`
      select distinct call from call_events
      where id = any(${ids}::bigint[]) and name in ('ended', 'transcribed', 'summarized')`),
}
