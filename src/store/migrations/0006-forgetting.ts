import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** On whose disk a sound is, and callers who are to be forgotten. */
export const forgetting: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  // By its journal: of several gateways with one database one has the file.
  'alter table recordings add column home text',
  'alter table voicemails add column home text',
  ...['recordings', 'voicemails'].map(
    table => `update ${table} set home = (select id from journals) where (select count(*) from journals) = 1`,
  ),
  // What is told of it from then on is taken without a person in it.
  'alter table calls add column forgotten_at timestamptz',
  `create table forgettings (
    id text collate "C" primary key,
    business text not null,
    -- Until they are forgotten.
    number text,
    asked_at timestamptz not null,
    calls integer not null default 0,
    files integer not null default 0,
    done_at timestamptz
  )`,
]
