import { CompiledQuery, Kysely, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import { limits } from '../limits.ts'
import { type Embedded, openEmbedded } from './embedded/embedded.ts'
import { migrate } from './migrate.ts'
import { PreparingClient } from './prepared.ts'
import type { Tables } from './tables.ts'

/** Of one statement, or of several without values: the rows of all of them. */
export type Execute = (text: string, values?: readonly unknown[]) => Promise<{ rows: unknown[] }>

export interface Database {
  readonly db: Kysely<Tables>
  /** For SQL that others have written. */
  readonly execute: Execute
  /** In a folder of our own, or a server. */
  readonly kind: 'embedded' | 'server'
  /** What it has taken is on the disk: a server sees to that by itself. */
  settle(): Promise<void>
  close(): Promise<void>
}

export interface DatabaseSettings {
  /** A PostgreSQL server; without it the embedded one is opened. */
  readonly url: string | undefined
  readonly folder: string
}

const DATE = 1082
/** A date is a day, not the moment at which it begins somewhere. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === DATE ? String : pg.types.getTypeParser(oid, format)),
}

/** Opens the database and brings its schema up to date. One driver speaks to both kinds. */
export async function openDatabase(settings: DatabaseSettings): Promise<Database> {
  const embedded = settings.url === undefined ? await openEmbedded(settings.folder) : undefined
  const pool = new pg.Pool(embedded ? embeddedPool(embedded) : serverPool(settings.url!))
  // A connection was lost between two questions, in use or not: whoever asks next is told, or gets another. Without listeners
  // it would end the program.
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const close = async () => {
    await db.destroy()
    await embedded?.close()
  }
  try {
    await migrate(db)
    const execute = executeBy(pool)
    if (!embedded) return { db, execute, kind: 'server', settle: async () => {}, close }
    const settle = async () => {
      await execute('checkpoint')
      await embedded.sync()
    }
    return { db, execute, kind: 'embedded', settle, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** What is written in the same transaction as all else there. */
export function executeIn(transaction: Transaction<Tables>): Execute {
  return (text, values = []) => transaction.executeQuery(CompiledQuery.raw(text, [...values]))
}

/** Several statements may hold a transaction: one that failed in it must not leave it open for whoever comes next. */
function executeBy(pool: pg.Pool): Execute {
  return async (text, values = []) => {
    const client = await pool.connect()
    try {
      const results = [await client.query(text, [...values])].flat()
      client.release()
      return { rows: results.flatMap(({ rows }) => rows) }
    } catch (error) {
      await client.query('rollback').then(
        () => client.release(),
        () => client.release(true),
      )
      throw error
    }
  }
}

/** It has one session: who comes second waits. */
function embeddedPool(embedded: Embedded): pg.PoolConfig {
  return {
    Client: PreparingClient,
    max: 1,
    user: 'postgres',
    database: 'postgres',
    types,
    idleTimeoutMillis: 0,
    stream: () => embedded.connect(),
  }
}

function serverPool(connectionString: string): pg.PoolConfig {
  const { connections, connectMs, queryMs } = limits.store
  return {
    connectionString,
    types,
    max: connections,
    connectionTimeoutMillis: connectMs,
    // On the server it is ended, and here it is not waited for any longer.
    statement_timeout: queryMs,
    query_timeout: 2 * queryMs,
    application_name: 'parley',
  }
}
