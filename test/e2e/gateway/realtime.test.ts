import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { segments } from '../../../src/caller/tones.ts'
import { word } from '../../../src/caller/voice.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import { FakeOpenAi } from '../../../src/fake-openai/api.ts'
import { selfSigned } from '../../../src/fake-openai/certificate.ts'
import { buildFakeServer } from '../../../src/fake-openai/server.ts'
import type { Session } from '../../../src/fake-openai/session.ts'
import { seeded } from '../../support/random.ts'
import { atLevel, clicks, cough, throughLine } from '../../support/sounds.ts'
import { greetingHz, House } from './house.ts'

const certificate = selfSigned(['127.0.0.1'], systemClock.wallMs())
const api = new FakeOpenAi({ clock: systemClock, apiKey: 'sk-test' })
const server = buildFakeServer(api, certificate)
const trusted = join(tmpdir(), `parley-realtime-${process.pid}.pem`)
let house: House

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await writeFile(trusted, certificate.cert)
  house = await House.open({
    business: { voicemail: { onFailure: false } },
    environment: {
      AGENT_ENGINE: 'realtime',
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      NODE_EXTRA_CA_CERTS: trusted,
      // Callers who are mute for half a minute are no matter of this file.
      CONVERSATION_NO_INPUT_SECONDS: '60',
    },
  })
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  server.closeAllConnections()
  server.close()
  await rm(trusted, { force: true })
})

function spoken(markerHz: number, ms = 600): Int16Array {
  return word({ f0: 130 + (markerHz % 7) * 10, markerHz, ms, level: -16, random: seeded(markerHz) })
}

/** Of each of ten turns: by the API, and in the metrics. */
async function timesAreTold(text: string): Promise<void> {
  const event = (await house.events()).find(({ fact }) => fact.name === 'callerSpoke' && fact.private.text === text)!
  const { body } = await house.get<{ events: { name: string; details: Record<string, number> }[] }>(
    `/v1/calls/${event.call}`,
  )
  const told = (name: string) => body.events.filter(each => each.name === name).map(({ details }) => details)
  expect(told('turnAnswered')).toHaveLength(10)
  expect(told('agentSpoke')).toHaveLength(11)
  expect(told('replyTimed')).toHaveLength(10)
  for (const times of told('replyTimed')) {
    expect(Object.keys(times).sort()).toEqual(['askMs', 'beginMs', 'makeMs', 'playMs'])
    // The double thinks for 100 ms, and nothing of it is ours; a busy gateway learns late that it has begun.
    expect(times['beginMs']! + times['makeMs']!).toBeGreaterThanOrEqual(95)
  }
  const metrics = (await house.get<string>('/metrics')).body
  for (const part of ['gateway', 'provider']) {
    const [, count] = new RegExp(`^parley_reply_${part}_seconds_count (\\d+)$`, 'm').exec(metrics) ?? []
    expect(Number(count)).toBeGreaterThanOrEqual(10)
  }
}

/** Three offsets in the normal run; 51 of them when it is to be sure. */
const rounds = process.env['PARLEY_SOAK'] === '1' ? 17 : 1
const longReplyHz = 700
const asksForLongReply = 3_100

async function greeted(): Promise<Call> {
  const call = await house.dial()
  // A busy machine may tear a hole into it; that it comes whole is asked in virtual time.
  await call.hearsTone(greetingHz, { forMs: 180 })
  await call.hearsSilence(250)
  return call
}

/** A busy machine may tear a word so much that nobody understands it, and then nobody answers it: people say it again. */
async function asksFor(call: Call, markerHz: number, answerHz: number, forMs: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await call.play(spoken(markerHz))
    try {
      await call.hearsTone(answerHz, { forMs, timeoutMs: 5_000 })
      return
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

/** The session of the call in which this was said: none of the phrases that are kept as sound. */
function sessionOf(text: string, since = 0): Session {
  const found = api.sessions
    .slice(since)
    .filter(({ conversation }) => JSON.stringify(conversation.messages).includes(`"${text}"`))
  expect(found).toHaveLength(1)
  return found[0]!
}

function heardMs(call: Call, hz: number): number {
  const tones = segments(call.heard(), [greetingHz, hz]).filter(({ sound }) => sound === 'tone')
  return tones.filter(tone => tone.hz === hz).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
}

async function factsOf(text: string): Promise<CallEvent['fact'][]> {
  const events = await house.events()
  const call = events.find(({ fact }) => fact.name === 'callerSpoke' && fact.private.text === text)?.call
  return events.filter(event => event.call === call).map(({ fact }) => fact)
}

/** That a busy machine looks a number up too late is another matter. */
function engineFailures(facts: readonly CallEvent['fact'][]): CallEvent['fact'][] {
  return facts.filter(fact => fact.name === 'degraded' && fact.code === 'ENGINE_FAILED')
}

it.concurrent('greets, and holds a conversation of ten turns over TLS', async () => {
  const call = await greeted()
  for (let turn = 0; turn < 10; turn++) {
    const markerHz = 1_000 + 100 * (turn % 5)
    await asksFor(call, markerHz, markerHz / 2, 340)
    await call.hearsSilence(200)
  }
  await call.hangup()
  await timesAreTold('tone 1400')
  expect(sessionOf('tone 1400').received.filter(({ type }) => type === 'response.create')).toHaveLength(11)
  expect(api.problems).toEqual([])
})

it.concurrent('is interrupted to the millisecond: the session is cut where the caller stopped hearing', async () => {
  const random = seeded(17)
  const interrupt = async (markerHz: number, afterMs: number, since: number) => {
    const call = await greeted()
    await asksFor(call, asksForLongReply, longReplyHz, afterMs)
    await call.play(spoken(markerHz, 800))
    await call.hearsTone(markerHz / 2, { forMs: 180 })
    await call.hangup()
    const cuts = sessionOf(`tone ${markerHz}`, since).received.filter(
      event => event.type === 'conversation.item.truncate',
    )
    expect(cuts).toHaveLength(1)
    expect(Math.abs(cuts[0]!.audio_end_ms - heardMs(call, longReplyHz))).toBeLessThanOrEqual(20)
  }
  for (let round = 0; round < rounds; round++) {
    const since = api.sessions.length
    const offset = () => 300 + Math.floor(random() * 900)
    await Promise.all([1_500, 1_600, 1_700].map(markerHz => interrupt(markerHz, offset(), since)))
  }
  expect(api.problems).toEqual([])
}, 240_000)

it.concurrent('goes on where it paused at a cough, a click and a noise; no response is made of them, and no item left', async () => {
  const random = seeded(23)
  const since = api.sessions.length
  const call = await greeted()
  await call.play(spoken(1_800))
  await call.hearsTone(900, { forMs: 380 })
  await call.hearsSilence(200)
  await call.play(spoken(asksForLongReply))
  await call.hearsTone(longReplyHz, { forMs: 400 })
  const noises = [
    throughLine(atLevel(cough(true, random), -12)),
    throughLine(atLevel(clicks(300, random), -12)),
    spoken(0, 260),
  ]
  for (const noise of noises) {
    await call.play(noise)
    await call.play(new Int16Array(8 * 2_500))
  }
  // Longer than any pause for a noise.
  await call.hearsSilence(2_800, { timeoutMs: 25_000 })
  await call.hangup()
  expect(Math.abs(heardMs(call, longReplyHz) - 10_000)).toBeLessThanOrEqual(12)
  const session = sessionOf('tone 1800', since)
  expect(session.received.filter(({ type }) => type === 'response.create')).toHaveLength(3)
  expect(session.conversation.messages.map(({ role }) => role)).toEqual(['agent', 'caller', 'agent', 'caller', 'agent'])
  const facts = await factsOf('tone 1800')
  expect(facts.filter(({ name }) => name === 'agentResumed').length).toBeGreaterThan(0)
  expect(facts.filter(({ name }) => name === 'agentInterrupted')).toEqual([])
})

it.concurrent.each([
  ['mute: no packet comes', 2_300, async (call: Call) => call.mute(), async (call: Call) => call.unmute()],
  ['on hold', 2_200, (call: Call) => call.hold(), (call: Call) => call.offerAgain()],
] as const)('hears a caller again who was gone for half a minute: %s', async (_, markerHz, leave, comeBack) => {
  const call = await greeted()
  await call.play(spoken(2_000))
  await call.hearsTone(1_000, { forMs: 600 })
  await leave(call)
  await pause(systemClock, 30_000)
  await comeBack(call)
  await call.play(spoken(markerHz))
  await call.hearsTone(markerHz / 2, { forMs: 600 })
  await call.hangup()
  const facts = await factsOf(`tone ${markerHz}`)
  expect(engineFailures(facts)).toEqual([])
  if (markerHz === 2_200) {
    await house.until(async () => (await factsOf(`tone ${markerHz}`)).some(({ name }) => name === 'ended'))
    const names = (await factsOf(`tone ${markerHz}`)).map(({ name }) => name)
    expect(names.filter(name => name === 'held' || name === 'unheld')).toEqual(['held', 'unheld'])
  }
})

it('goes on in another session when the server is gone in mid-sentence', async () => {
  const call = await greeted()
  const talking = sessionOfCall()
  await call.play(spoken(1_900))
  await call.hearsTone(950, { forMs: 300 })
  talking.kill()
  await call.hearsSilence(300)
  await call.play(spoken(2_100))
  await call.hearsTone(1_050, { forMs: 700 })
  await call.hangup()
  const facts = await factsOf('tone 2100')
  expect(engineFailures(facts)).toHaveLength(1)
  expect(sessionOf('tone 2100').conversation.messages.map(message => 'text' in message && message.text)).toContain(
    'tone 1900',
  )
})

/** Of the only call there is. */
function sessionOfCall(): Session {
  const open = api.sessions.filter(({ closed, received }) => !closed && JSON.stringify(received).includes('end_call'))
  expect(open).toHaveLength(1)
  return open[0]!
}

it('ends the call when the model says so, after its last word', async () => {
  const call = await greeted()
  await call.play(spoken(3_300))
  await call.hearsTone(500, { forMs: 340 })
  await call.ended
})

it('leaves the caller to the fallback, unanswered, when the server refuses the session', async () => {
  api.faults.plan({ at: 'connect', status: 401 })
  const call = await house.dial()
  await house.eventually('handedBack')
  await call.hangup()
  const events = await house.events()
  const handedBack = events.findLast(({ fact }) => fact.name === 'handedBack')!
  const facts = events.filter(event => event.call === handedBack.call).map(({ fact }) => fact)
  expect(facts.map(({ name }) => name)).not.toContain('answered')
  expect(JSON.stringify(facts)).toContain('OPENAI_API_KEY')
  expect(house.log.join('\n')).not.toContain('sk-test')
})

it('carries twenty calls at once, and nobody hears another', async () => {
  // Above these begin the markers that stand for something else, so two of the callers have that of another.
  const markers = Array.from({ length: 20 }, (_, i) => 2_300 - 100 * (i % 18))
  const grid = [greetingHz, ...markers.map(hz => hz / 2)]
  await Promise.all(
    markers.map(async markerHz => {
      const call = await greeted()
      // Whole replies are other tests' matter: here it is whose they are.
      await asksFor(call, markerHz, markerHz / 2, 180)
      await call.hangup()
      const tones = segments(call.heard(), grid).filter(
        ({ sound, fromMs, toMs }) => sound === 'tone' && toMs - fromMs > 40,
      )
      // A hole parts a tone in two.
      expect([...new Set(tones.map(({ hz }) => hz))]).toEqual([greetingHz, markerHz / 2])
    }),
  )
  expect(api.problems).toEqual([])
})
