import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CompiledQuery, type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { seedDatabase } from '../../support/database.ts'

let folder: string
let database: Database

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-prepared-'))
  await seedDatabase(join(folder, 'database'))
  database = await openDatabase({ url: undefined, folder: join(folder, 'database') })
})

afterAll(async () => {
  await database.close()
  await rm(folder, { recursive: true })
})

const prepared = async (db: Kysely<never>, like: string): Promise<number> => {
  const { rows } = await sql<{ count: string }>`
    select count(*) from pg_prepared_statements where statement like ${like}`.execute(db)
  return Number(rows[0]?.count)
}

it('understands a question of the program once, and answers each as it is asked', async () => {
  const db = database.db as unknown as Kysely<never>
  for (const number of [1, 2, 3]) {
    const { rows } = await sql<{ asked: number }>`select ${number}::int + 0 as asked`.execute(db)
    expect(rows).toEqual([{ asked: number }])
  }
  expect(await prepared(db, 'select $1::int + 0%')).toBe(1)
})

it('goes on answering when a question fails, and when it has seen more of them than it keeps', async () => {
  const db = database.db as unknown as Kysely<never>
  for (let times = 0; times < 2; times++) {
    await expect(sql`select 1 / ${0}::int`.execute(db)).rejects.toThrow('division by zero')
  }
  for (let number = 0; number <= limits.store.preparedStatements; number++) {
    const asked: CompiledQuery<{ asked: number }> = sql<{ asked: number }>`
      select ${number}::int as asked, ${sql.lit(number)} as shape`.compile(db)
    expect((await db.executeQuery(asked)).rows).toEqual([{ asked: number, shape: number }])
  }
  expect(await prepared(db, '%as shape%')).toBeLessThan(limits.store.preparedStatements)
  const { rows } = await sql`select count(*) from pg_prepared_statements`.execute(db)
  expect(Number((rows[0] as { count: string }).count)).toBe(limits.store.preparedStatements)
})
