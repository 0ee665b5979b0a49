import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { Call } from '../../../src/caller/call.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { greetingHz, House } from './house.ts'

const tone = (hz: number) => `[tone ${hz} 500ms]`
const [stillThere, farewell] = [tone(520), tone(580)]
const conversation = { noInputSeconds: [1, 600], phrases: { stillThere, goodbye: farewell } }
const own = { name: 'Test house', greeting: tone(greetingHz), conversation }
const plumber = { name: 'Plumber', greeting: tone(880), numbers: ['+15550100300'] }

let server: PostgresServer
beforeAll(async () => {
  server = await PostgresServer.start()
})
afterAll(() => server[Symbol.asyncDispose]())

async function hears(house: House, hz: number, parameters: Record<string, string> = {}): Promise<Call> {
  const call = await house.dial({ parameters })
  await call.hearsTone(hz, { forMs: 300 })
  return call
}

async function says(house: House, hz: number, parameters: Record<string, string> = {}): Promise<void> {
  await (await hears(house, hz, parameters)).hangup()
}

/** What `npm run business` prints. */
async function command(house: House, ...words: string[]): Promise<string> {
  const program = join(import.meta.dirname, '../../../src/commands/business.ts')
  const options = { cwd: house.stateDir, env: house.environment }
  return (await promisify(execFile)(process.execPath, [program, ...words], options)).stdout
}

async function write(house: House, method: 'post' | 'put', path: string, body: object): Promise<void> {
  expect([200, 201]).toContain((await house[method](`/v1/businesses${path}`, body)).status)
}

const versionOf = async (house: House, id: string) =>
  (await house.get<{ businesses: { id: string; version: number }[] }>('/v1/businesses')).body.businesses.find(
    each => each.id === id,
  )?.version

describe('businesses', () => {
  let house: House
  beforeAll(async () => {
    house = await House.open({ business: own, environment: { DATABASE_URL: server.url } })
  })
  afterAll(() => house[Symbol.asyncDispose]())

  it('change for the next call, and a running one keeps what it has', async () => {
    const running = await hears(house, greetingHz)
    const phrases = { ...conversation.phrases, stillThere: tone(640) }
    const changed = { ...own, greeting: tone(760), conversation: { ...conversation, phrases } }
    await write(house, 'put', '/test-house', changed)
    const next = await hears(house, 760)
    await running.hearsTone(520, { forMs: 300 })
    await next.hearsTone(640, { forMs: 300 })
    await Promise.all([running.hangup(), next.hangup()])
  })

  it('answer each its own number, also one that was made a moment ago', async () => {
    await write(house, 'post', '', plumber)
    await Promise.all([
      says(house, 880, { calledNumber: '+15550100300' }),
      says(house, 880, { business: 'plumber' }),
      says(house, 760, { calledNumber: '+15550100999' }),
    ])
    await house.isEmpty()
    const offered = (await house.events()).filter(({ fact }) => fact.name === 'offered')
    expect(
      offered
        .slice(-3)
        .map(({ business }) => business)
        .sort(),
    ).toEqual(['plumber', 'plumber', 'test-house'])
  })

  it('are refused when they are not active, and answered by the standard one when they are not there', async () => {
    await write(house, 'put', '/plumber', { ...plumber, active: false })
    const refused = await house.dial({ parameters: { calledNumber: '+15550100300' } })
    expect(await refused.answered).toMatchObject({ kind: 'refused', status: 403 })
    await says(house, 760, { business: 'nobody' })
    await house.isEmpty()
    const told = (await house.events()).map(({ business, fact }) => [business, fact])
    expect(told).toContainEqual(['plumber', expect.objectContaining({ name: 'refused', reason: 'inactive' })])
    expect(told).toContainEqual(['test-house', expect.objectContaining({ code: 'BUSINESS_UNKNOWN' })])
    const metrics = (await house.get<string>('/metrics')).body
    expect(metrics).toContain('parley_calls_refused_total{reason="inactive"} 1')
  })

  it('follow an edit of the file, which comes into the database too', async () => {
    const before = await versionOf(house, 'test-house')
    await writeFile(house.environment['BUSINESS_FILE']!, stringify({ ...own, greeting: tone(980) }))
    await says(house, 980)
    await house.until(async () => (await versionOf(house, 'test-house')) === before! + 1)
  })

  it('talk by the engine that they have chosen, whatever the gateway started with', async () => {
    const talker = {
      name: 'Talker',
      engine: 'local',
      greeting: 'Hello.',
      services: [{ name: 'Cleaning', minutes: 30 }],
    }
    await write(house, 'post', '', talker)
    const call = await house.dial({ parameters: { business: 'talker' } })
    const spoke = async () =>
      (await house.events()).some(({ business, fact }) => business === 'talker' && fact.name === 'agentSpoke')
    await house.until(spoke)
    await call.hangup()
  })

  it('come and go as files', async () => {
    const file = join(house.stateDir, 'plumber.yaml')
    expect(await command(house, 'list')).toContain('plumber  Plumber  +15550100300  (not active: calls are refused)')
    await command(house, 'export', 'plumber', file)
    const text = await readFile(file, 'utf8')
    expect(text).toMatch(/^id: plumber\nactive: false\nname: Plumber\ngreeting: /)
    await writeFile(file, text.replace('active: false', 'active: true # again').replace('880', '820'))
    expect(await command(house, 'import', file)).toBe('plumber has changed; the next call gets it.\n')
    await says(house, 820, { calledNumber: '+15550100300' })
  })

  it('are seen by another gateway on the same database', async () => {
    await using other = await House.open({
      business: { ...own, name: 'Other' },
      environment: { DATABASE_URL: server.url },
    })
    await says(other, 980, { business: 'test-house' })
    await write(house, 'put', '/test-house', own)
    const wanted = await versionOf(house, 'test-house')
    await other.until(async () => (await versionOf(other, 'test-house')) === wanted)
    await says(other, greetingHz, { business: 'test-house' })
  })

  it('are served as they were last known when the database is away at the start', async () => {
    await write(house, 'put', '/test-house', { ...own, greeting: tone(1_180) })
    await write(house, 'put', '/plumber', { ...plumber, active: true })
    await house.signal('SIGTERM')
    await server.kill()
    await house.start()
    await says(house, 1_180)
    await says(house, 880, { calledNumber: '+15550100300' })
    expect((await house.put('/v1/businesses/plumber', plumber)).status).toBe(503)
  })
})
