import { type Kysely, sql, type Transaction } from 'kysely'
import { asError, GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { migrations } from './migrations/all.ts'
import type { Tables } from './tables.ts'

/**
 * Everything in a database, as lines of JSON: what wrote it and by which schema, then rows, some of one table a line, then
 * their counts. Rows are made and read by the database itself, so no value passes through a type of ours. What no column
 * holds is not in it: files of STATE_DIR stay where they are.
 */

const FORMAT = 'parley store 1'

/** Of each table, in an order in which every row finds what it refers to. */
export type Counts = Readonly<Record<string, number>>

interface Table {
  readonly name: string
  /** Without those that the database computes. */
  readonly columns: readonly string[]
  /** Columns that count up by themselves. */
  readonly identities: readonly string[]
}

type Line =
  | { readonly format: string; readonly schema: readonly string[] }
  | { readonly table: string; readonly rows: readonly unknown[] }
  | { readonly counts: Counts }

/** As everything stands at one moment, whoever writes meanwhile. Returns the counts. */
export async function* exportStore(db: Kysely<Tables>): AsyncGenerator<string, Counts> {
  const begun = await db.startTransaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute()
  try {
    await asIs(begun)
    yield `${JSON.stringify({ format: FORMAT, schema: Object.keys(migrations) })}\n`
    const counts: Record<string, number> = {}
    for (const table of await tablesOf(begun)) {
      counts[table.name] = 0
      for await (const rows of rowsOf(begun, table)) {
        counts[table.name]! += rows.length
        yield `{"table":${JSON.stringify(table.name)},"rows":[${rows.join(',')}]}\n`
      }
    }
    yield `${JSON.stringify({ counts })}\n`
    return counts
  } finally {
    await begun.rollback().execute()
  }
}

/** All of it, or nothing; only into a database that holds nothing yet. */
export async function importStore(db: Kysely<Tables>, lines: AsyncIterable<string>): Promise<Counts> {
  return db.transaction().execute(async transaction => {
    await asIs(transaction)
    const tables = new Map((await tablesOf(transaction)).map(table => [table.name, table]))
    await mustBeEmpty(transaction, [...tables.keys()])
    const counts = await insertAll(transaction, tables, lines)
    for (const table of tables.values()) await countOn(transaction, table)
    return counts
  })
}

async function insertAll(
  transaction: Transaction<Tables>,
  tables: ReadonlyMap<string, Table>,
  lines: AsyncIterable<string>,
): Promise<Counts> {
  const counts: Record<string, number> = Object.fromEntries([...tables.keys()].map(name => [name, 0]))
  let number = 0
  for await (const text of lines) {
    const line = parseLine(text, ++number)
    if (number === 1) mustFit(line)
    else if ('table' in line) {
      const table = tables.get(line.table)
      if (!table) throw refused(`line ${number} has rows of a table that this Parley does not know: ${line.table}`)
      await insert(transaction, table, text)
      counts[table.name]! += line.rows.length
    } else if ('counts' in line) {
      if (JSON.stringify(line.counts) !== JSON.stringify(counts)) throw refused('rows are missing in it')
      return counts
    }
  }
  throw refused('it ends early. Was its writing interrupted?')
}

function parseLine(text: string, number: number): Line {
  try {
    return JSON.parse(text) as Line
  } catch {
    throw refused(`line ${number} is no JSON`)
  }
}

function mustFit(line: Line): void {
  if (!('format' in line) || line.format !== FORMAT) throw refused('it was not written by: npm run db -- export')
  const known = Object.keys(migrations)
  if (line.schema.join() === known.join()) return
  throw refused(
    `it has the schema ${line.schema.at(-1)}, and this Parley has ${known.at(-1)}. Export and import with the same version of Parley: when the older one's database is opened by the newer one, it is brought up to date`,
  )
}

function refused(why: string): GatewayError {
  return new GatewayError('STORE_REFUSED', `This file cannot be imported: ${why}. The database is as it was.`)
}

/** Whatever the server is set to, values are written as they can be read anywhere. */
async function asIs(transaction: Transaction<Tables>): Promise<void> {
  await sql`select set_config('bytea_output', 'hex', true), set_config('timezone', 'UTC', true)`.execute(transaction)
}

/** Asked of the database, so that no table can be forgotten. */
async function tablesOf(db: Kysely<Tables>): Promise<Table[]> {
  const { rows } = await sql<Table & { readonly refersTo: readonly string[] }>`
    select
      of.relname as name,
      (select array_agg(attname::text order by attnum) from pg_attribute
        where attrelid = of.oid and attnum > 0 and not attisdropped and attgenerated = '') as columns,
      (select coalesce(array_agg(attname::text), '{}') from pg_attribute
        where attrelid = of.oid and attidentity <> '' and not attisdropped) as identities,
      (select coalesce(array_agg(confrelid::regclass::text), '{}') from pg_constraint
        where conrelid = of.oid and contype = 'f' and confrelid <> of.oid) as "refersTo"
    from pg_class of
    where of.relkind = 'r' and of.relnamespace = current_schema()::regnamespace and of.relname not like 'kysely%'
    order by of.relname`.execute(db)
  const ordered: typeof rows = []
  while (ordered.length < rows.length) {
    const next = rows.find(
      table => !ordered.includes(table) && table.refersTo.every(name => ordered.some(earlier => earlier.name === name)),
    )
    if (!next) throw new GatewayError('BUG', 'tables refer to one another in a circle')
    ordered.push(next)
  }
  return ordered
}

async function* rowsOf(transaction: Transaction<Tables>, { name, columns }: Table): AsyncGenerator<string[]> {
  const chosen = sql.join(columns.map(column => sql.ref(column)))
  await sql`
    declare moved no scroll cursor for
    select translate(to_json(one)::text, E'\\n\\r', '  ') as row from (select ${chosen} from ${sql.table(name)}) one`.execute(
    transaction,
  )
  const fetch = sql<{ row: string }>`fetch ${sql.raw(String(limits.store.rowsAtOnce))} from moved`
  for (;;) {
    const { rows } = await fetch.execute(transaction)
    if (rows.length === 0) break
    yield rows.map(({ row }) => row)
  }
  await sql`close moved`.execute(transaction)
}

/** Nobody else writes from here on. */
async function mustBeEmpty(transaction: Transaction<Tables>, tables: readonly string[]): Promise<void> {
  await sql`lock table ${sql.join(tables.map(name => sql.table(name)))} in share row exclusive mode`.execute(
    transaction,
  )
  const filled: string[] = []
  for (const name of tables) {
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(transaction)
    if (rows.length > 0) filled.push(name)
  }
  if (filled.length === 0) return
  throw new GatewayError(
    'STORE_REFUSED',
    `The database is not empty: there are rows in ${filled.join(', ')}. An import goes only into an empty one, for what both have would stand there twice: stop Parley, and make a new database (a server's: createdb; the embedded one's: move its folder away).`,
  )
}

/** The line goes to the database as it is: it picks the rows out itself. */
async function insert(transaction: Transaction<Tables>, { name, columns }: Table, line: string): Promise<void> {
  const chosen = sql.join(columns.map(column => sql.ref(column)))
  await sql`
    insert into ${sql.table(name)} (${chosen}) overriding system value
    select ${chosen} from json_populate_recordset(null::${sql.table(name)}, ${line}::json->'rows')`
    .execute(transaction)
    .catch(error => {
      // Not the error's own words: they may hold a row, and in it what a caller said.
      const { code } = Object(error) as { code?: unknown }
      throw typeof code === 'string' && /^2[23]/.test(code)
        ? refused(`the database takes no such rows of ${name} (${code})`)
        : asError(error)
    })
}

/** What is added later goes on behind. */
async function countOn(transaction: Transaction<Tables>, { name, identities }: Table): Promise<void> {
  for (const column of identities) {
    await sql`
      select setval(pg_get_serial_sequence(${name}, ${column}), max(${sql.ref(column)}))
      from ${sql.table(name)} having max(${sql.ref(column)}) is not null`.execute(transaction)
  }
}
