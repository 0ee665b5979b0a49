import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import { word } from '../../../src/caller/voice.ts'
import { systemClock } from '../../../src/clock.ts'
import { FakeOpenAi } from '../../../src/fake-openai/api.ts'
import { buildFakeServer } from '../../../src/fake-openai/server.ts'
import { answerTones, type Script } from '../../../src/providers/scripted/script.ts'
import { openDatabase } from '../../../src/store/database.ts'
import { project } from '../../../src/store/projecting.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { seeded } from '../../support/random.ts'
import { greeted, House } from './house.ts'

const doneHz = 550
const secret = 'secret-of-the-practice'
/** The caller tells their name and leaves a message. */
const script: Script = history => {
  const last = history.at(-1)
  if (last?.role !== 'caller' || last.text !== 'tone 1300') return answerTones(history)
  return [
    { call: 'remember_caller', args: { name: 'Grace' } },
    { call: 'take_message', args: { message: 'My tooth hurts.' } },
  ]
}

const asked: { readonly url: string | undefined; readonly key: unknown }[] = []
const unanswered = new Set<ServerResponse>()

/** The records of a practice. */
const practice = createServer((request: IncomingMessage, response) => {
  asked.push({ url: request.url, key: request.headers['x-key'] })
  if (request.url?.includes('patientId=hangs')) return void unanswered.add(response)
  if (request.url?.includes('patientId=p7')) {
    return void response.end(JSON.stringify({ name: 'Ada Byron', insurance: 'private', dentist: 'Dr Lee' }))
  }
  response.writeHead(404).end()
})

const api = new FakeOpenAi({ clock: systemClock, script })
const vendor = buildFakeServer(api)
let postgres: PostgresServer
let house: House

beforeAll(async () => {
  vendor.listen(0, '127.0.0.1')
  practice.listen(0, '127.0.0.1')
  await Promise.all([once(vendor, 'listening'), once(practice, 'listening')])
  postgres = await PostgresServer.start()
  house = await House.open({
    environment: {
      AGENT_ENGINE: 'realtime',
      OPENAI_BASE_URL: `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`,
      TOOLS_ALLOW_PRIVATE: '127.0.0.1/32',
      TOOL_PRACTICE_KEY: secret,
      DATABASE_URL: postgres.url,
      LEASE_SECONDS: '60',
    },
    business: {
      lookup: {
        url: `http://127.0.0.1:${(practice.address() as AddressInfo).port}/callers`,
        headers: { 'X-Key': '${TOOL_PRACTICE_KEY}' },
        parameters: ['callerNumber', 'patientId'],
        cacheSeconds: 0,
      },
    },
  })
})
afterAll(async () => {
  await house?.[Symbol.asyncDispose]()
  for (const response of unanswered) response.destroy()
  for (const each of [vendor, practice]) {
    each.closeAllConnections()
    each.close()
  }
  await postgres?.[Symbol.asyncDispose]()
})

/** What the session of the one call from this number was told, and the call. */
async function called(from: string, parameters: Record<string, string> = {}) {
  const since = api.sessions.length
  const call = await greeted(await house.dial({ from, parameters }))
  // Phrases that are kept as sound are made in sessions without instructions.
  const sessions = api.sessions.slice(since).filter(({ instructions }) => instructions !== '')
  expect(sessions).toHaveLength(1)
  return { call, instructions: sessions[0]!.instructions }
}

async function eventsFrom(from: string): Promise<CallEvent[][]> {
  const events = await house.events()
  const offers = events.filter(({ fact }) => fact.name === 'offered' && fact.private.callerNumber === from)
  return [...new Set(offers.map(({ call }) => call))].map(id => events.filter(({ call }) => call === id))
}

function recordsIn(instructions: string): unknown {
  const [, json] = /<records>\n(.*)\n<\/records>/s.exec(instructions) ?? []
  return json && JSON.parse(json)
}

interface Used {
  readonly telephoneMinutes: number
  readonly provider: Readonly<Record<string, number>>
}

/** Once the call has ended, and the database knows it. */
async function used(call: string): Promise<Used> {
  let known: Used | undefined
  await house.until(async () => {
    const { status, body } = await house.get<Used>(`/v1/calls/${call}/usage`)
    if (status === 200 && body.telephoneMinutes > 0) known = body
    return known !== undefined
  })
  return known!
}

describe('who calls', () => {
  it('is known from the records and from the earlier call, and what both have used is counted', async () => {
    const from = '+15550100301'
    const first = await called(from)
    expect(recordsIn(first.instructions)).toBeUndefined()
    await first.call.play(word({ f0: 150, markerHz: 1_300, ms: 600, level: -16, random: seeded(1) }))
    await first.call.hearsTone(doneHz, { forMs: 300 })
    await first.call.hangup()
    const [events] = await eventsFrom(from)
    const { telephoneMinutes, provider } = await used(events![0]!.call)
    expect(telephoneMinutes).toBe(1)
    for (const counter of ['inputTextTokens', 'inputAudioTokens', 'cachedTokens', 'outputAudioTokens']) {
      expect([counter, provider[counter]! > 0]).toEqual([counter, true])
    }
    expect(provider['transcriptionInputTokens']).toBeGreaterThan(0)
    expect(provider['inputTokens']).toBe(provider['inputTextTokens']! + provider['inputAudioTokens']!)

    const again = await called(from)
    await again.call.hangup()
    expect(recordsIn(again.instructions)).toMatchObject({ name: 'Grace', earlierCalls: 1 })
    const patient = await called(from, { patientId: 'p7' })
    await patient.call.hangup()
    expect(recordsIn(patient.instructions)).toMatchObject({
      name: 'Ada Byron',
      latestCalls: expect.arrayContaining([expect.objectContaining({ ended: 'the caller hung up' })]),
      notYetSeenToByAnybody: [{ kind: 'message' }],
      records: { insurance: 'private', dentist: 'Dr Lee' },
    })
    expect(patient.instructions).not.toContain('My tooth hurts')
    expect(asked).toContainEqual({ url: '/callers?callerNumber=%2B15550100301&patientId=p7', key: secret })
  })

  it('is nobody’s business when another calls', async () => {
    const other = await called('+15550100302')
    expect(recordsIn(other.instructions)).toBeUndefined()
    await other.call.hangup()
  })

  it('keeps no caller from the greeting when the records hang', async () => {
    const from = '+15550100303'
    const { call, instructions } = await called(from, { patientId: 'hangs' })
    expect(unanswered.size).toBe(1)
    expect(recordsIn(instructions)).toBeUndefined()
    await call.hangup()
    const [events = []] = await eventsFrom(from)
    const facts = events.map(({ fact }) => fact)
    expect(facts).toContainEqual(expect.objectContaining({ name: 'callerLookedUp', of: 'records', ok: false }))
    expect(facts).toContainEqual({
      name: 'degraded',
      code: 'LOOKUP_FAILED',
      detail: "The business's records of this caller are not known: it took longer than 800 ms.",
    })
  })

  it('is known from the records alone while the database is stopped, and the greeting comes all the same', async () => {
    const from = '+15550100301'
    await postgres.kill()
    const { call, instructions } = await called(from, { patientId: 'p7' })
    expect(recordsIn(instructions)).toEqual({
      name: 'Ada Byron',
      records: { insurance: 'private', dentist: 'Dr Lee' },
    })
    await call.hangup()
    await postgres.begin()
  })

  it('is not asked for in vain without a word: that the database is gone is told by whoever asks for something', async () => {
    const warnings = async () => (await house.get<{ warnings: string[] }>('/readyz')).body.warnings
    await house.until(async () => (await warnings()).length === 0)
    await postgres.kill()
    await house.until(async () => (await house.get('/v1/messages')).status === 503)
    expect(await warnings()).toEqual([expect.stringContaining('The database ')])
    await postgres.begin()
    await house.until(async () => (await house.get('/v1/messages')).status === 200)
    await house.until(async () => (await warnings()).length === 0)
  })

  it('is in no word of the log, nor is the secret', () => {
    const log = house.log.join('\n')
    for (const word of [secret, 'Ada Byron', 'Grace', 'Dr Lee', 'tooth']) expect(log).not.toContain(word)
  })
})

describe('calls that a killed gateway has left', () => {
  const outcomeOf = async (call: string) => {
    const { db, close } = await openDatabase({ url: postgres.url, folder: '' })
    try {
      return await db.selectFrom('calls').select(['state', 'outcome']).where('id', '=', call).executeTakeFirst()
    } finally {
      await close()
    }
  }
  const foreign: CallEvent = {
    call: 'of-another-gateway',
    business: 'test-house',
    atMs: systemClock.wallMs(),
    fact: {
      name: 'offered',
      engine: 'realtime',
      codec: 'ulaw',
      private: { callerNumber: '+15550100309', calledUser: 'bianca', requestUri: '', parameters: {}, headers: {} },
    },
  }

  it('are lost when they are gone, once, and go on when they are not; another gateway’s are left alone', async () => {
    const { db, close } = await openDatabase({ url: postgres.url, folder: '' })
    await db.transaction().execute(transaction => project(transaction, [foreign]))
    await close()
    const gone = await greeted(await house.dial({ from: '+15550100304' }))
    const staying = await greeted(await house.dial({ from: '+15550100305' }))
    await house.signal('SIGKILL')
    await gone.hangup()
    await house.start()
    const lostCalls = async () =>
      (await house.events()).filter(({ fact }) => fact.name === 'ended' && fact.reason === 'lost')
    await house.until(async () => (await lostCalls()).length > 0)
    await house.signal('SIGKILL')
    await house.start()
    await isTakenOver(2)
    await staying.hangup()

    const [[events = []], [others = []]] = await Promise.all([eventsFrom('+15550100304'), eventsFrom('+15550100305')])
    const lost = await lostCalls()
    expect(lost).toHaveLength(1)
    expect(lost[0]).toMatchObject({ call: events[0]!.call, atMs: events.at(-2)!.atMs })
    await house.until(async () => (await outcomeOf(others[0]!.call))?.state === 'ended')
    expect(await outcomeOf(events[0]!.call)).toEqual({ state: 'ended', outcome: 'lost' })
    expect(await outcomeOf(others[0]!.call)).toEqual({ state: 'ended', outcome: 'callerHungUp' })
    expect(await outcomeOf(foreign.call)).toEqual({ state: 'live', outcome: null })
  })

  /** For so many times, and the caller is connected again since. */
  async function isTakenOver(so: number): Promise<void> {
    await house.until(async () => {
      const names = (await house.events()).map(({ fact }) => fact.name)
      const times = names.filter(name => name === 'takenOver').length
      return times === so && names.lastIndexOf('mediaOpened') > names.lastIndexOf('takenOver')
    })
  }
})
