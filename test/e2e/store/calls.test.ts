import { sql } from 'kysely'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Call } from '../../../src/caller/call.ts'
import { segments } from '../../../src/caller/tones.ts'
import { openDatabase } from '../../../src/store/database.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { greetingHz, House } from '../gateway/house.ts'

/** Long enough for a database to go and come back while the agent speaks. */
const SPEECH_MS = 8_000
/** By a busy machine. */
const LOST_MS = 100

let server: PostgresServer
let house: House
beforeAll(async () => {
  server = await PostgresServer.start()
  house = await House.open({
    greeting: `[tone ${greetingHz} ${SPEECH_MS}ms]`,
    environment: { DATABASE_URL: server.url },
  })
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const warnings = async () => (await house.get<{ warnings: string[] }>('/readyz')).body.warnings

function toneMs(call: Call): number {
  const tones = segments(call.heard(0), [greetingHz]).filter(({ sound }) => sound === 'tone')
  return tones.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
}

it('a database killed and started in the middle of real calls is not heard, and the record is whole after', async () => {
  const talking = await house.dial()
  await talking.hearsTone(greetingHz, { forMs: 400 })
  await server.kill('SIGKILL')
  await house.until(async () => (await warnings()).some(warning => warning.includes('takes no events')))
  // One that begins while it is away, and one that ends.
  const meanwhile = await house.dial()
  await meanwhile.hearsTone(greetingHz, { forMs: 400 })
  const brief = await house.dial()
  await brief.hearsTone(greetingHz, { forMs: 400 })
  await brief.hangup()
  await server.begin()
  await house.until(async () => (await warnings()).length === 0)
  await talking.hearsSilence(200, { timeoutMs: 2 * SPEECH_MS })
  await meanwhile.hearsSilence(200, { timeoutMs: 2 * SPEECH_MS })
  for (const call of [talking, meanwhile]) {
    expect(toneMs(call)).toBeGreaterThan(SPEECH_MS - LOST_MS)
    await call.hangup()
  }
  await house.isEmpty()
  const events = await house.events()
  expect(await house.signal('SIGTERM')).toBe(0)

  const database = await openDatabase({ url: server.url, folder: '' })
  const { rows } = await sql<{ call: string; name: string }>`select call, name from call_events order by id`.execute(
    database.db,
  )
  const calls = await database.db.selectFrom('calls').select(['state', 'outcome']).execute()
  await database.close()
  expect(rows).toEqual(events.map(({ call, fact }) => ({ call, name: fact.name })))
  expect(calls).toEqual([1, 2, 3].map(() => ({ state: 'ended', outcome: 'callerHungUp' })))
})
