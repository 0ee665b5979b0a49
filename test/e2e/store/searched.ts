import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import pg from 'pg'
import type { Store } from '../../../src/store/store.ts'
import { exportStore } from '../../../src/store/transfer.ts'

/** Jobs. */
export async function counted(store: Store, which: string): Promise<number> {
  const query = sql<{ count: number }>`select count(*)::integer as count from jobs.job where ${sql.raw(which)}`
  return (await store.ask(db => query.execute(db))).rows[0]!.count
}

export type Row = Record<string, unknown>

/** Everything that PostgreSQL would give out, row by row. */
export async function dump(store: Store, isOfOthers: (row: Row) => boolean) {
  const rows: (readonly [string, Row])[] = []
  await store.ask(async db => {
    for await (const line of exportStore(db)) {
      const piece = JSON.parse(line) as { table?: string; rows?: Row[] }
      for (const row of piece.rows ?? []) rows.push([piece.table!, row])
    }
    const jobs = await sql<{ job: Row }>`select to_jsonb(job) as job from jobs.job job`.execute(db)
    for (const { job } of jobs.rows) rows.push(['jobs', job])
  })
  const stays = (table: string) => table === 'do_not_call' || table === 'text_consents'
  const textOf = (which: (table: string, row: Row) => boolean) =>
    rows
      .filter(([table, row]) => which(table, row))
      .map(each => JSON.stringify(each))
      .join('\n')
  return {
    theirs: textOf((table, row) => !stays(table) && !isOfOthers(row)),
    stays: textOf((table, row) => stays(table) && !isOfOthers(row)),
    /** But for sums of a day and places in a journal. */
    others: textOf((table, row) => isOfOthers(row) && table !== 'usage'),
  }
}

/** Without the embedded database's own files, which are given out by it. */
export function onDisk(state: string): string {
  const names = readdirSync(state, { recursive: true, encoding: 'utf8' }).filter(name => !name.startsWith('database'))
  return names
    .map(name => `${name}\n${statSync(join(state, name)).isFile() ? readFileSync(join(state, name), 'latin1') : ''}`)
    .join()
}

/** As if the time had passed: of those that died, and of those that wait. */
export async function comeDue(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query(
    `update jobs.job set state = 'retry', start_after = now() where state in ('active', 'retry', 'created')`,
  )
  await client.end()
}
