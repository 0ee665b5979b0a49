import { type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Of two messages in one call each is told. */
export const notices: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of statements) await sql.raw(statement).execute(db)
  },
}

const statements = [
  `alter table notices add column about text not null default ''`,
  'alter table notices drop constraint notices_pkey',
  'alter table notices add primary key (call, kind, by, about)',
]
