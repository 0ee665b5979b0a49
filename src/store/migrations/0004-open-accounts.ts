import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Calls of which the carrier has not told all: their end, or what they have cost. */
export const openAccounts: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  `create table open_accounts (
    call text collate "C" primary key,
    business text not null,
    attempts integer not null default 0,
    -- Nobody asks before.
    next_at timestamptz not null
  )`,
  'create index open_accounts_due on open_accounts (next_at)',
  // From before there was this table.
  `insert into open_accounts (call, business, next_at)
    select distinct call.id, call.business, call.offered_at + interval '5 hours'
    from calls call join call_events event on event.call = call.id and event.name = 'announced'
    where call.state = 'live'`,
]
