import type { sql } from 'kysely'
import type { CallFact } from '../call/events.ts'

/** What some events mean for a table, given by their ids, in order. */
export interface TableProjection {
  /** It has nothing to say of others; without, it is asked about all. */
  readonly of?: readonly CallFact['name'][]
  statement(ids: readonly string[]): ReturnType<typeof sql>
}
