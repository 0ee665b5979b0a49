import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** With whom callers were to be connected, and what came of it. */
export const transfers: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  `create table transfers (
    -- That of the event with which it began: a call that another gateway goes on with counts its attempts anew.
    id bigint primary key,
    call text not null,
    business text not null,
    attempt integer not null,
    destination text not null,
    mode text not null,
    by text not null,
    began_at timestamptz not null,
    rang_at timestamptz,
    answered_at timestamptz,
    ended_at timestamptz,
    outcome text
  )`,
  'create index transfers_by_call on transfers (call, id)',
  'create index transfers_by_time on transfers (business, began_at desc)',
  'alter table calls add column transferred_to text',
]
