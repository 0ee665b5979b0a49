import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../src/store/database.ts'
import { seedDatabase } from '../../support/database.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { seeded } from '../../support/random.ts'
import { type Place, Writer } from './writing.ts'

/** Fifty of each by name (`npm run test:soak`); one in the normal run, in mid-write. */
const rounds = process.env['PARLEY_SOAK'] === '1' ? 50 : 1
const times = rounds === 1 ? 'once' : `${rounds} times`
const MINUTES = 60_000

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-killed-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

async function place(kind: 'embedded' | 'server', name: string): Promise<Place> {
  const state = join(folder, name)
  if (kind === 'server') return { state, folder: '', url: await server.database() }
  await seedDatabase(join(state, 'database'))
  return { state, folder: join(state, 'database') }
}

describe.concurrent.each(['embedded', 'server'] as const)(
  'a gateway killed with -9 in mid-write, on the %s database',
  kind => {
    it.concurrent(`has lost nothing that it acknowledged, and doubled nothing, ${times}`, {
      timeout: 20 * MINUTES,
    }, async () => {
      const random = seeded(20_260_105)
      const here = await place(kind, `gateway-${kind}`)
      const writers: Writer[] = []
      for (let round = 0; round < rounds; round++) {
        const writer = new Writer(`round-${round}`, here)
        writers.push(writer)
        await writer.says('acknowledged', 1 + Math.floor(10 * random()))
        // By turns in the middle of what goes to the database, just behind it, and at any moment.
        const moment = (['taking', 'taken', 'appended'] as const)[round % 3]!
        await writer.says(moment, 1 + Math.floor(3 * random()))
        await writer.kill()
      }
      const last = new Writer('last', here)
      await last.says('acknowledged', 5)
      await last.finish(...writers)
      expect(writers.flatMap(({ trouble }) => trouble)).toEqual([])
    })
  },
)

describe('a database killed in mid-write', () => {
  it.concurrent(`embedded: its thread, ${times}`, { timeout: 20 * MINUTES }, async () => {
    const here = await place('embedded', 'thread')
    const writer = new Writer('only', here)
    for (let round = 0; round < rounds; round++) {
      await writer.says('taken', 2)
      writer.killThreadWhile(round % 2 === 0 ? 'taking' : 'taken')
      await writer.says('acknowledged', 20)
    }
    await writer.finish()
    expect(writer.trouble.length).toBeGreaterThan(0)
  })

  it.concurrent(`server: all its processes, ${times}`, { timeout: 20 * MINUTES }, async () => {
    await using own = await PostgresServer.start()
    const here = { state: join(folder, 'server-killed'), folder: '', url: own.url }
    const writer = new Writer('only', here)
    for (let round = 0; round < rounds; round++) {
      await writer.says('taken', 2)
      await writer.says('taking')
      await own.kill('SIGKILL')
      await writer.says('acknowledged', 20)
      await own.begin()
    }
    await writer.finish()
    expect(writer.trouble.filter(text => text.includes('takes no events')).length).toBeGreaterThan(0)
  })
})

describe('two at once', () => {
  it.concurrent('make one schema, share one server, and one that is killed leaves the other alone', {
    timeout: 20 * MINUTES,
  }, async () => {
    for (let round = 0; round < rounds; round++) {
      const url = await server.database()
      const places = ['one', 'two'].map(name => ({ state: join(folder, `${name}-${round}`), folder: '', url }))
      const [one, two] = places.map((each, at) => new Writer(`node-${at}`, each)) as [Writer, Writer]
      await Promise.all([one.says('taken', 3), two.says('taken', 3)])
      await two.says('taking')
      await two.kill()
      const again = new Writer('again', places[1]!)
      await Promise.all([one.says('taken', 3), again.says('taken', 3)])
      await again.finish()
      await one.finish(two, again)
      expect([one, two, again].flatMap(({ trouble }) => trouble)).toEqual([])
      const database = await openDatabase({ url, folder: '' })
      const { rows } = await sql<{ changes: number }>`
        select count(*) filter (where node <> before)::int as changes
        from (select split_part(call, '-', 2) as node, lag(split_part(call, '-', 2)) over (order by id) as before
          from call_events where call like 'node-%') both_nodes`.execute(database.db)
      await database.close()
      expect(rows[0]?.changes).toBeGreaterThan(1)
    }
  })

  it.concurrent('on one embedded folder: the second is refused in words, goes on, and takes it over when the first has ended', async () => {
    const here = await place('embedded', 'shared')
    const first = new Writer('first', here)
    await first.says('taken')
    const second = new Writer('second', { ...here, state: join(folder, 'second') })
    await second.says('acknowledged', 5)
    expect(second.trouble).toEqual([
      expect.stringMatching(
        /another process, such as a running Parley, has it open.*Calls go on, and the journal keeps/,
      ),
    ])
    await first.says('taken', 3)
    await first.finish()
    expect(first.trouble).toEqual([])
    await second.finish(first)
  })
})
