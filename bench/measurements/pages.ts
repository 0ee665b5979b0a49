import { writeFileSync } from 'node:fs'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { openDatabase } from '../../src/store/database.ts'
import type { Tables } from '../../src/store/tables.ts'
import { house, withToken } from '../../test/server/house.ts'
import { PostgresServer } from '../../test/support/postgres.ts'
import { fill } from '../database/million.ts'
import { type Kind, kinds } from '../database/pages.ts'
import { watchProcessors } from '../house/processors.ts'
import { describeMachine } from '../report/machine.ts'
import { percentiles } from '../report/percentiles.ts'
import { figure, type Row } from '../report/row.ts'
import type { How, Subject } from './measurement.ts'

const PLANS = new URL('../../docs/store-plans.md', import.meta.url)
const QUESTIONS = 60
const PAGE = 50
/** A small share of the memory of a small server; what is not in it comes from the system's cache or the disk. */
const settings = ['shared_buffers=512MB', 'max_wal_size=8GB', 'maintenance_work_mem=1GB', 'fsync=off', 'jit=off']

export const pages: Subject = {
  title: 'Pages of a million calls',
  method: `\`GET /v1/calls\` asked of the server as it answers, without the network between, over a real PostgreSQL with 1,000,000 calls and
4,000,000 turns of 200 businesses, the largest with a hundred times the calls of a small one, and words as frequent as in a language. Each figure is of
${QUESTIONS} questions, each another one and asked once, of ${PAGE} calls a page. How the database goes about them is in [store-plans.md](store-plans.md),
written by the same run.`,
  measurements: [{ name: 'pages', run }],
}

interface Asked {
  readonly sql: string
  readonly parameters: readonly unknown[]
}

async function run({ quick, progress }: How): Promise<Row[]> {
  await using server = await PostgresServer.start(settings)
  await (await openDatabase({ url: server.url, folder: '' })).close()
  const pool = new pg.Pool({ connectionString: server.url })
  // Cut off at the end, by the server's own end.
  pool.on('error', () => {})
  pool.on('connect', client => client.on('error', () => {}))
  progress('a million calls are made')
  const began = performance.now()
  await fill(pool)
  progress(`made in ${figure(Math.round((performance.now() - began) / 1_000))} s`)
  let asked: Asked[] = []
  const log = ({ query }: { query: { sql: string; parameters: readonly unknown[] } }) => void asked.push(query)
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), log })
  const { server: http } = house({ store: { failing: false, silent: false, ask: query => query(db) } })
  const ask = async (query: string) => {
    asked = []
    const beganMs = performance.now()
    const answer = await http.inject({ url: `/v1/calls?limit=${PAGE}&${query}`, headers: withToken })
    const tookMs = performance.now() - beganMs
    if (answer.statusCode !== 200) throw new Error(`${query}: ${answer.body}`)
    return { tookMs, found: answer.json().calls.length as number }
  }
  // A server that has just been started answers its first request late.
  await ask('')
  const rows: Row[] = []
  const plans: string[] = []
  for (const kind of kinds(quick ? 6 : QUESTIONS)) {
    progress(kind.name)
    rows.push(await rowOf(kind, ask))
    plans.push(await plansOf(kind, ask, () => asked, pool))
  }
  await db.destroy()
  if (!quick) writeFileSync(PLANS, documentOf(plans))
  return rows
}

type Ask = (query: string) => Promise<{ readonly tookMs: number; readonly found: number }>

async function rowOf({ name, most, queries }: Kind, ask: Ask): Promise<Row> {
  const stopWatching = watchProcessors({})
  const times: number[] = []
  let found = 0
  for (const query of queries) {
    const answer = await ask(query)
    times.push(answer.tookMs)
    found += answer.found
  }
  const { p50, p95, max } = percentiles(times)
  return {
    subject: name,
    checks: [{ name: 'slowest', value: max, most, below: true, unit: 'ms' }],
    notes: [
      `p50 ${figure(p50)} ms`,
      `p95 ${figure(p95)} ms`,
      `${figure(found / queries.length)} calls found on average`,
    ],
    conditions: { ...stopWatching(), echoMs: undefined, callerLateMs: undefined },
  }
}

/** Of one question of each variant. */
async function plansOf(kind: Kind, ask: Ask, asked: () => readonly Asked[], pool: pg.Pool): Promise<string> {
  const told: string[] = [`## ${kind.name[0]!.toUpperCase()}${kind.name.slice(1)}`]
  for (const query of kind.queries.slice(0, kind.name.includes('several') ? 4 : 3)) {
    await ask(query)
    told.push(`\`GET /v1/calls?${query}\``)
    told.push(...(await plansFor(asked(), pool)))
  }
  return told.join('\n\n')
}

/** As they were asked, in a transaction of their own with what is set for it. */
async function plansFor(asked: readonly Asked[], pool: pg.Pool): Promise<string[]> {
  const plans: string[] = []
  const client = await pool.connect()
  await client.query('begin')
  for (const { sql, parameters } of asked.filter(each => !/^(begin|commit)/.test(each.sql))) {
    if (sql.startsWith('select set_config')) {
      await client.query(sql, [...parameters])
      continue
    }
    const { rows } = await client.query(`explain (analyze, costs off) ${sql}`, [...parameters])
    plans.push(['```', ...rows.map(row => String(row['QUERY PLAN'])), '```'].join('\n'))
  }
  await client.query('rollback')
  client.release()
  return plans
}

function documentOf(plans: readonly string[]): string {
  const { processor, system, commit, date } = describeMachine('')
  const head = `# How the database finds a page of calls

Written by \`npm run bench\` together with the figures under "Pages of a million calls": one question of each kind, what PostgreSQL did for it, and how
long that took. Where a question has words, the first plan looks through the newest calls, and the second one, asked only when these do
not fill the page, goes by the index of words. Measured on ${processor}, ${system}, at ${commit}, ${date}.`
  return `${[head, ...plans].join('\n\n')}\n`
}
