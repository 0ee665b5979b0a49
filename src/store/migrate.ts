import type { Kysely } from 'kysely'
import { Migrator } from 'kysely/migration'
import { asError, GatewayError } from '../errors.ts'
import { migrations } from './migrations/all.ts'

/**
 * Brings the schema up to date: one node at a time (the migrator takes a lock in the database), all of it or nothing. A
 * schema that a newer Parley has made is refused, for this one would write rows that mean something else there.
 */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...migrations }) } })
  const known = Object.keys(migrations)
  const done = await migrator.getMigrations().catch(error => failed(error))
  const { error } = await migrator.migrateToLatest()
  if (error === undefined) return
  const newer = /previously executed migration (\S+) is missing/.exec(asError(error).message)?.[1]
  if (newer === undefined) failed(error)
  throw new GatewayError(
    'STORE_REFUSED',
    `The database was made by a newer Parley: it has the change ${newer}, and this one knows none after ${known.at(-1)} (of ${done.length}). Start the newer Parley, or give this one a database of its own.`,
  )
}

function failed(error: unknown): never {
  throw new GatewayError('STORE_FAILED', `The database could not be prepared: ${asError(error).message}.`, {
    cause: error,
  })
}
