import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { type Kysely, sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import { type Journal, openJournal } from '../../../src/call/journal.ts'
import { systemClock } from '../../../src/clock.ts'
import { asError } from '../../../src/errors.ts'
import { lockFile } from '../../../src/file-lock.ts'
import { openDatabase } from '../../../src/store/database.ts'
import { migrations } from '../../../src/store/migrations/all.ts'
import { Projection } from '../../../src/store/projection.ts'
import type { Tables } from '../../../src/store/tables.ts'
import { importStore } from '../../../src/store/transfer.ts'
import { seedDatabase } from '../../support/database.ts'
import { PostgresServer } from '../../support/postgres.ts'

const root = join(import.meta.dirname, '../../..')
const CALLS = 100
const FACTS: readonly CallFact[] = [
  {
    name: 'offered',
    engine: 'scripted',
    codec: 'ulaw',
    private: {
      callerNumber: '+15550100199',
      calledUser: 'bianca',
      requestUri: '',
      parameters: { note: 'ä "\\ \n\u2028' },
      headers: {},
    },
  },
  { name: 'answered', setUpMs: 40 },
  { name: 'callerSpoke', private: { text: 'A tooth "hurts" \\n \u0000 \u{1f9b7}\nsince Monday' } },
  { name: 'agentSpoke', ms: 400, complete: false, private: { text: 'Come at' } },
  {
    ...{ name: 'transferBegan', attempt: 1, destination: 'reception', mode: 'blind', by: 'agent' },
    private: { reason: 'a tooth' },
  },
  { name: 'transferRang', attempt: 1, afterMs: 80 },
  { name: 'transferEnded', attempt: 1, outcome: 'busy', tookMs: 900 },
  { name: 'messageTaken', private: { text: 'call me', callback: '+15550100199' } },
  { name: 'voicemailLeft', seconds: 3, private: { recording: 'r', callerNumber: undefined } },
  { name: 'ended', reason: 'callerHungUp', durationMs: 5_000 },
]

let folder = ''
let server: PostgresServer
let journal: Journal
const stateDir = (name: string) => join(folder, name)
const embedded = (name: string) => ({ url: undefined, folder: join(stateDir(name), 'database') })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-transfer-'))
  server = await PostgresServer.start()
  journal = await openJournal({ directory: join(folder, 'journal'), clock: systemClock, trouble: () => {} })
  await seedDatabase(embedded('first').folder)
  await seedDatabase(embedded('last').folder)
})
afterAll(async () => {
  await journal.close()
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

/** As a person calls it, but for npm. */
async function db(state: string, url: string | undefined, ...args: string[]) {
  const env = { PATH: process.env['PATH'], STATE_DIR: stateDir(state), ...(url && { DATABASE_URL: url }) }
  const ran = promisify(execFile)(process.execPath, [join(root, 'src/commands/db.ts'), ...args], { cwd: folder, env })
  return ran.then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    ({ code, stderr }) => ({ code: Number(code), said: String(stderr) }),
  )
}

async function withDatabase<T>(
  settings: Parameters<typeof openDatabase>[0],
  use: (db: Kysely<Tables>) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(settings)
  try {
    return await use(database.db)
  } finally {
    await database.close()
  }
}

async function keep(db: Kysely<Tables>, from: number, count: number): Promise<void> {
  for (let call = from; call < from + count; call++) {
    for (const [at, fact] of FACTS.entries()) {
      const event: CallEvent = { call: `call-${call}`, business: 'dentist', atMs: 1_000 * call + at, fact }
      journal.append(event)
    }
  }
  await journal.flushed()
  const projection = new Projection({ source: journal, db, clock: systemClock, trouble: expect.fail })
  await projection.caughtUp()
  await projection.close()
}

/** What no projection makes. */
async function addRest(db: Kysely<Tables>): Promise<void> {
  await sql`insert into businesses (id, settings, created_at, changed_at, version)
    values ('dentist', '{"name": "Dr. Ä", "big": 12345678901234567890.123}', '2026-01-05 09:00:00.123456+01', now(), 3)`.execute(
    db,
  )
  await sql`insert into numbers (number, business) values ('+15550100100', 'dentist')`.execute(db)
  await sql`insert into tokens (id, business, name, hash, created_at)
    values ('t1', 'dentist', 'desk', '\\x00ff10', now()), ('t2', null, 'operator', '\\x0a', now())`.execute(db)
}

/** Of each table: how many rows, and a hash over all of them in one order, as they were written. */
async function contents(db: Kysely<Tables>): Promise<Record<string, [number, string]>> {
  const { rows: tables } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not like 'kysely%'`.execute(db)
  const all: Record<string, [number, string]> = {}
  for (const { name } of tables) {
    const { rows } = await sql<{ count: number; hash: string }>`
      select count(*)::int as count, md5(coalesce(string_agg(row, '' order by row collate "C"), '')) as hash
      from (select to_json(one)::text as row from ${sql.table(name)} one) all_rows`.execute(db)
    all[name] = [rows[0]!.count, rows[0]!.hash]
  }
  return all
}

it('moves everything from the embedded database to a server and back, and nothing is told twice there', async () => {
  const there = await server.database()
  const before = await withDatabase(embedded('first'), async db => {
    await keep(db, 0, CALLS)
    await addRest(db)
    return contents(db)
  })
  expect(before).toMatchObject({ calls: [CALLS, expect.any(String)], tokens: [2, expect.any(String)] })

  const file = join(folder, 'there.jsonl.gz')
  const exported = await db('first', undefined, 'export', file)
  expect(exported).toEqual({ code: 0, said: expect.stringMatching(/\n {2}call_events +1,?000\n/) })
  expect((await stat(file)).mode & 0o077).toBe(0)
  expect(await db('first', there, 'import', file)).toEqual({ code: 0, said: expect.stringContaining('DATABASE_URL') })

  const onServer = { url: there, folder: '' }
  const moved = await withDatabase(onServer, async db => {
    const moved = await contents(db)
    // The journal goes on where it was.
    await keep(db, CALLS, 1)
    return moved
  })
  expect(moved).toEqual(before)
  const after = await withDatabase(onServer, contents)
  expect(after).toMatchObject({ call_events: [1_010, expect.any(String)], calls: [CALLS + 1, expect.any(String)] })

  const plain = join(folder, 'back.jsonl')
  expect(await db('first', there, 'export', plain)).toMatchObject({ code: 0 })
  expect(await db('last', undefined, 'import', plain)).toMatchObject({ code: 0 })
  await withDatabase(embedded('last'), async db => {
    expect(await contents(db)).toEqual(after)
    await keep(db, CALLS + 1, 1)
    expect((await contents(db))['call_events']?.[0]).toBe(1_020)
  })
})

it('refuses in words what would not come to good, and changes nothing', async () => {
  const there = await server.database()
  const file = join(folder, 'small.jsonl')
  await withDatabase({ url: there, folder: '' }, db => keep(db, 1_000, 2))
  expect(await db('first', there, 'export', file)).toMatchObject({ code: 0 })
  const refusals: readonly (readonly [Promise<{ code: number; said: string }>, RegExp])[] = [
    [db('first', there, 'export', file), /is there already/],
    [db('first', there, 'import', file), /The database is not empty: there are rows in .*calls.*make a new database/],
    [db('nowhere', undefined, 'export', join(folder, 'none')), /There is no database in .*STATE_DIR/],
  ]
  for (const [refusal, words] of refusals)
    expect(await refusal).toEqual({ code: 1, said: expect.stringMatching(words) })

  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1)
  const broken: readonly (readonly [lines: readonly string[], words: RegExp])[] = [
    [lines.slice(0, -1), /ends early/],
    [[...lines.slice(0, 2), lines[2]!.slice(0, -20)], /is no JSON/],
    [lines.filter(line => !line.includes('"table":"turns"')), /rows are missing/],
    [['{"hello":1}'], /was not written by/],
    [[lines[0]!.replace(Object.keys(migrations).at(-1)!, '9999-later')], /schema 9999-later.*same version/],
    [lines.flatMap(line => (line.includes('"table":"calls"') ? [line, line] : [line])), /\(23505\)/],
    [[lines[0]!, '{"table":"pg_class","rows":[]}'], /does not know: pg_class/],
  ]
  await withDatabase({ url: await server.database(), folder: '' }, async db => {
    for (const [wrong, words] of broken) {
      const refusal = asError(await importStore(db, Readable.from(wrong)).catch(error => error)).message
      expect(refusal).toMatch(words)
      expect(refusal).not.toContain('+15550100199')
    }
    const rows = Object.values(await contents(db)).map(([count]) => count)
    expect(new Set(rows)).toEqual(new Set([0]))
  })
  const torn = join(folder, 'torn.gz')
  await writeFile(torn, gzipSync(lines.join('\n')).subarray(0, -20))
  const unpacked = await db('first', await server.database(), 'import', torn)
  expect(unpacked).toEqual({ code: 1, said: expect.stringMatching(/cannot be unpacked.*ends early/) })

  const held = lockFile(`${embedded('first').folder}.lock`)
  const { code, said } = await db('first', undefined, 'export', join(folder, 'held'))
  held?.release()
  expect([code, said]).toEqual([1, expect.stringMatching(/another process, such as a running Parley, has it open/)])
})
