import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { appendFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import { word } from '../../../src/caller/voice.ts'
import { systemClock } from '../../../src/clock.ts'
import { FakeOpenAi } from '../../../src/fake-openai/api.ts'
import { buildFakeServer } from '../../../src/fake-openai/server.ts'
import { toneGenerator } from '../../../src/media/tone.ts'
import { answerTones, type Script, type Step } from '../../../src/providers/scripted/script.ts'
import { throughPhone } from '../../corpus/line.ts'
import { openCallers } from '../../corpus/voices.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { seeded } from '../../support/random.ts'
import { greetingHz, House } from './house.ts'

/** Everything that a gateway says at its most talkative, in a day with every kind of call and of failure. */

const from = '+15550123987'
const secrets = {
  OPENAI_API_KEY: 'sk-key-of-the-provider',
  TOOL_SHOP_KEY: 'key-of-the-shop',
  TWILIO_AUTH_TOKEN: 'token-of-the-trunk-0123456789abcdef',
}
const databasePassword = 'password-of-the-database'
const talkative = { LOG_LEVEL: 'trace', LEASE_SECONDS: '2' }

/** Refused by a constraint, whose error tells the whole row; refused by a trigger, which puts it into the message itself. */
const [badHz, worseHz, orderHz, brokenHz, messageHz, scriptedHz] = [1_400, 1_500, 1_300, 1_600, 2_000, 1_100]
const wishes: Readonly<Record<string, readonly Step[]>> = {
  [`tone ${orderHz}`]: [{ call: 'find_order', args: { number: 'ORDER-4711' } }],
  [`tone ${brokenHz}`]: [{ call: 'out_of_order', args: { number: 'ORDER-4712' } }],
  [`tone ${messageHz}`]: [{ call: 'take_message', args: { message: 'Please call about the wisdom tooth.' } }],
}
const script: Script = history => {
  const last = history.at(-1)
  return (last?.role === 'caller' && wishes[last.text]) || answerTones(history)
}
const provider = buildFakeServer(new FakeOpenAi({ clock: systemClock, script, apiKey: secrets.OPENAI_API_KEY }))
/** Servers tell what they were asked, and by whom. */
const shop = createServer((request, response) => {
  const detail = `${from} asked for ${request.url} with ${request.headers.authorization}`
  response.writeHead(request.url?.includes('4712') ? 500 : 200).end(JSON.stringify({ detail }))
})

let server: PostgresServer
let house: House
let demo: House
beforeAll(async () => {
  shop.listen(0, '127.0.0.1')
  provider.listen(0, '127.0.0.1')
  await Promise.all([once(shop, 'listening'), once(provider, 'listening')])
  server = await PostgresServer.start()
  const tool = (name: string) => ({
    name,
    description: 'A tool of the shop.',
    parameters: { properties: { number: { type: 'string', maxLength: 20 } }, required: ['number'] },
    url: `http://127.0.0.1:${(shop.address() as AddressInfo).port}/{number}`,
    headers: { Authorization: 'Bearer ${TOOL_SHOP_KEY}' },
  })
  ;[house, demo] = await Promise.all([
    House.open({
      environment: {
        ...talkative,
        ...secrets,
        AGENT_ENGINE: 'realtime',
        OPENAI_BASE_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
        TOOLS_ALLOW_PRIVATE: '127.0.0.1/32',
        DATABASE_URL: server.url.replace('parley@', `parley:${databasePassword}@`),
      },
      business: { tools: [tool('find_order'), tool('out_of_order')] },
    }),
    House.open({ environment: { ...talkative, AGENT_ENGINE: 'local' }, greeting: 'Hello.' }),
  ])
})
afterAll(async () => {
  await Promise.all([house, demo].map(each => each?.[Symbol.asyncDispose]()))
  await server[Symbol.asyncDispose]()
  for (const each of [shop, provider]) {
    each.closeAllConnections()
    each.close()
  }
})

async function administer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query(sql)
  await client.end()
}

const isLogged = (words: string) => house.until(async () => house.log.some(line => line.includes(words)))

/** Calls with parameters of a person, speaks once, and waits for what comes of it. */
async function speak(markerHz: number, outcome: CallEvent['fact']['name'] = 'turnAnswered'): Promise<void> {
  const headers = { 'X-Patient': 'patient-0815' }
  const call = await house.dial({ from, parameters: { patientId: 'patient-0816' }, headers })
  await call.hearsTone(greetingHz, { forMs: 180 })
  await call.hearsSilence(250)
  await call.play(word({ f0: 150, markerHz, ms: 600, level: -16, random: seeded(markerHz) }))
  const heard = ({ fact }: CallEvent) => fact.name === 'callerSpoke' && fact.private.text === `tone ${markerHz}`
  await house.until(async () => {
    const events = await house.events()
    const since = events.findIndex(heard)
    return since >= 0 && events.slice(since).some(({ fact }) => fact.name === outcome)
  })
  await call.hangup()
}

/** A gateway that is gone: its caller speaks to the fallback. */
async function leaveVoicemail(): Promise<void> {
  const call = await house.dial({ from, parameters: { patientId: 'patient-0817' } })
  await call.hearsTone(greetingHz, { forMs: 180 })
  await house.signal('SIGKILL')
  await house.until(async () => readdirSync(house.recordings).length === 1)
  await call.play(toneGenerator(8_000, 700, -10)(new Int16Array(12_000)))
  await call.hangup()
  await house.start()
  await house.eventually('voicemailLeft')
}

async function speakToDemo(): Promise<void> {
  const call = await demo.dial({ from, parameters: { patientId: 'patient-0818' } })
  await demo.eventually('agentSpoke')
  const callers = await openCallers()
  await call.play(throughPhone(await callers.speak('how much is a cleaning', 'flite rms'), 1))
  await demo.eventually('callerSpoke')
  await call.hangup()
  await demo.isEmpty()
}

/** What stands under `private` in the journal, down to its last text. What a setting says itself is no secret. */
function hidden(value: unknown): string[] {
  if (typeof value === 'string') return value.length < 4 || value === 'bianca' ? [] : [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(hidden) : []
}

async function leaks(of: House): Promise<string[]> {
  const events = await of.events()
  const words = new Set(events.flatMap(({ fact }) => ('private' in fact ? hidden(fact.private) : [])))
  const kept = ['api-token', 'ari-password'].map(file => readFileSync(join(of.stateDir, 'state', file), 'utf8').trim())
  const all = [...words, ...Object.values(secrets), databasePassword, from.slice(1), 'ORDER-471', 'patient-08', ...kept]
  expect(words.size).toBeGreaterThan(2)
  return all.flatMap(word => of.log.filter(line => line.includes(word)).map(line => `${word}: ${line}`))
}

it("holds no caller's words, no number and no key, at its most talkative, whatever happens", {
  timeout: 120_000,
}, async () => {
  await administer(`
    alter table turns add constraint refused check (text not like '%${badHz}%');
    create function refuse() returns trigger language plpgsql as $$
      begin raise exception 'refused: %', new; end $$;
    create trigger refused before insert on turns
      for each row when (new.text like '%${worseHz}%') execute function refuse()`)
  const demoSpoken = speakToDemo()
  await speak(orderHz, 'toolRan')
  await speak(brokenHz, 'toolRan')
  await speak(messageHz, 'messageTaken')
  await speak(badHz)
  await isLogged('The database cannot hold an event')
  await speak(worseHz)
  await isLogged('The database takes no events (P0001)')
  // Whoever may see words gets them by HTTP, and not by the log.
  expect(JSON.stringify((await house.get('/v1/calls?private=true')).body)).toContain(from)
  await administer('drop trigger refused on turns')
  await appendFile(join(house.stateDir, 'business.yaml'), 'engine: scripted\n')
  await speak(scriptedHz)
  await server.kill('SIGKILL')
  await leaveVoicemail()
  await server.begin()
  await demoSpoken
  for (const each of [house, demo]) expect(await each.signal('SIGTERM')).toBe(0)

  const names = (await house.events()).map(({ fact }) => fact.name)
  expect(names).toEqual(expect.arrayContaining(['toolRan', 'messageTaken', 'agentSpoke', 'voicemailLeft']))
  expect(house.log.some(line => line.startsWith('{"level":20'))).toBe(true)
  for (const each of [house, demo]) {
    expect(each.log.filter(line => line.includes('"private":"[redacted]"')).length).toBeGreaterThan(2)
    expect(await leaks(each)).toEqual([])
  }
})
