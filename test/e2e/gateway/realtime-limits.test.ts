import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { segments } from '../../../src/caller/tones.ts'
import { word } from '../../../src/caller/voice.ts'
import { systemClock } from '../../../src/clock.ts'
import { FakeOpenAi } from '../../../src/fake-openai/api.ts'
import { buildFakeServer } from '../../../src/fake-openai/server.ts'
import { seeded } from '../../support/random.ts'
import { greetingHz, House } from './house.ts'

/** A server of the older kind that knows only PCM, and cannot cut what it has said; and a business of few words. */
const api = new FakeOpenAi({ clock: systemClock, kind: { names: 'older', g711: 'refuses', truncates: false } })
const server = buildFakeServer(api)
const hz = { stillThere: 500, goodbye: 600, endingSoon: 900, timeOver: 1_200, filler: 1_500, handingOver: 1_800 }
const phrases = Object.fromEntries(Object.entries(hz).map(([name, tone]) => [name, `[tone ${tone} 400ms]`]))
let house: House

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  house = await House.open({
    environment: {
      AGENT_ENGINE: 'realtime',
      OPENAI_BASE_URL: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
      CONVERSATION_NO_INPUT_SECONDS: '2,2',
    },
    business: { conversation: { maxSeconds: 11, warnSeconds: 4, phrases } },
  })
  // So that what goes wrong next befalls the calls, and not the making of the phrases.
  await house.until(
    async () => api.sessions.length > Object.keys(phrases).length && api.sessions.every(({ closed }) => closed),
  )
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  server.closeAllConnections()
  server.close()
})

function spoken(markerHz: number, ms = 600): Int16Array {
  return word({ f0: 130 + (markerHz % 7) * 10, markerHz, ms, level: -16, random: seeded(markerHz) })
}

async function greeted(from?: string): Promise<Call> {
  const call = await house.dial(from === undefined ? {} : { from })
  await call.hearsTone(greetingHz, { forMs: 180 })
  await call.hearsSilence(200)
  return call
}

function tonesIn(call: Call, more: readonly number[] = []) {
  const grid = [greetingHz, ...Object.values(hz), ...more]
  return segments(call.heard(), grid).filter(({ sound, fromMs, toMs }) => sound === 'tone' && toMs - fromMs > 60)
}

async function factsFrom(number: string): Promise<CallEvent['fact'][]> {
  const events = await house.events()
  const offered = events.find(({ fact }) => fact.name === 'offered' && fact.private.callerNumber === number)
  return events.filter(({ call }) => call === offered?.call).map(({ fact }) => fact)
}

it.concurrent('asks a silent caller at the times that are set, and takes its leave', async () => {
  const call = await greeted()
  await call.hearsTone(hz.stillThere, { forMs: 180, timeoutMs: 8_000 })
  await call.hearsTone(hz.goodbye, { forMs: 180, timeoutMs: 8_000 })
  expect(await call.ended).toMatchObject({ by: 'callee', how: 'bye' })
  const [greeting, asked, goodbye] = tonesIn(call)
  expect([asked?.hz, goodbye?.hz]).toEqual([hz.stillThere, hz.goodbye])
  for (const [before, after] of [
    [greeting!, asked!],
    [asked!, goodbye!],
  ] as const) {
    expect(Math.abs(after.fromMs - before.toMs - 2_000)).toBeLessThan(150)
  }
})

it.concurrent('tells that the time is nearly over, and ends in time with a word', async () => {
  const call = await greeted()
  // One who goes on talking is told all the same, between two words.
  const talking = (async () => {
    for (let turn = 0; turn < 5; turn++) {
      await call.play(spoken(3_400, 500))
      await call.play(new Int16Array(8 * 2_200))
    }
  })()
  await call.hearsTone(hz.endingSoon, { forMs: 180, timeoutMs: 12_000 })
  await call.hearsTone(hz.timeOver, { forMs: 180, timeoutMs: 10_000 })
  expect(await call.ended).toMatchObject({ by: 'callee', how: 'bye' })
  await talking
  const tones = tonesIn(call, [1_700])
  const [warned, over] = [hz.endingSoon, hz.timeOver].map(each => tones.find(tone => tone.hz === each)!)
  expect(warned!.fromMs - tones[0]!.fromMs).toBeGreaterThan(6_900)
  // The time of the call begins with the answer, the greeting a fifth of a second later.
  expect(Math.abs(over!.fromMs - tones[0]!.fromMs - 10_800)).toBeLessThan(300)
})

it.concurrent('hears the keypad, and has it in the record', async () => {
  const from = '+15550100411'
  const call = await greeted(from)
  await call.digits('4#')
  await call.hearsTone(1_200, { forMs: 150 })
  await call.hangup()
  await house.until(async () => (await factsFrom(from)).some(({ name }) => name === 'ended'))
  const spoke = (await factsFrom(from)).filter(fact => fact.name === 'callerSpoke')
  expect(spoke).toEqual([{ name: 'callerSpoke', private: { text: '[pressed 4#]' } }])
})

it.concurrent('is interrupted, and the older server told in words where', async () => {
  const from = '+15550100412'
  const call = await greeted(from)
  await call.play(spoken(3_100))
  await call.hearsTone(700, { forMs: 900 })
  await call.play(spoken(2_300, 800))
  await call.hearsTone(1_150, { forMs: 600 })
  await call.hangup()
  await house.until(async () => (await factsFrom(from)).some(({ name }) => name === 'ended'))
  const facts = await factsFrom(from)
  const cut = facts.find(fact => fact.name === 'agentSpoke' && !fact.complete)
  const heardMs = tonesIn(call, [700, 1_150])
    .filter(tone => tone.hz === 700)
    .reduce((ms, { fromMs, toMs }) => ms + toMs - fromMs, 0)
  expect(cut).toMatchObject({ ms: expect.any(Number) })
  expect(Math.abs((cut as { ms: number }).ms - heardMs)).toBeLessThanOrEqual(20)
  const session = api.sessions.find(({ conversation }) => JSON.stringify(conversation.messages).includes('tone 2300'))!
  expect(session.received.filter(({ type }) => type === 'conversation.item.delete')).toHaveLength(1)
  expect(JSON.stringify(session.conversation.messages)).not.toContain('700 10000ms')
})

it('is asked twice for a session that it has no place for at first', async () => {
  api.faults.plan({ at: 'connect', status: 429, retryAfter: '1' })
  const from = '+15550100413'
  const call = await greeted(from)
  await call.play(spoken(1_300))
  await call.hearsTone(650, { forMs: 380 })
  await call.hangup()
  expect((await factsFrom(from)).filter(({ name }) => name === 'degraded')).toHaveLength(1)
})

it('covers a reply that stalls with a filler, and asks for it again', async () => {
  const call = await greeted()
  api.faults.plan({ at: 'response', what: 'stall' })
  await call.play(spoken(1_300))
  const saidMs = call.heardMs
  const filler = await call.hearsTone(hz.filler, { forMs: 180, timeoutMs: 5_000 })
  expect(filler.fromMs - saidMs).toBeLessThan(2_700)
  await call.hearsTone(650, { forMs: 380, timeoutMs: 9_000 })
  await call.hangup()
})

it('speaks the rest in another session when the first expires in mid-sentence', async () => {
  const from = '+15550100415'
  const call = await greeted(from)
  api.faults.plan({ at: 'audio', afterMs: 400, what: 'expire' })
  const sessions = api.sessions.length
  await call.play(spoken(1_300))
  await call.hearsTone(650, { forMs: 180 })
  // The double goes on with another tone.
  await call.hearsTone(350, { forMs: 180, timeoutMs: 4_000 })
  await call.hangup()
  expect(api.sessions).toHaveLength(sessions + 1)
  const tones = tonesIn(call, [650, 350])
  expect([...new Set(tones.map(tone => tone.hz))]).toEqual([greetingHz, 650, 350])
  const [broken, rest] = [650, 350].map(each => tones.find(tone => tone.hz === each)!)
  expect(rest!.fromMs - broken!.toMs).toBeLessThan(2_000)
})

it('asks the caller for a message, after a stored word, when the account has no more money', async () => {
  const call = await greeted()
  api.faults.plan({ at: 'response', what: 'quota' })
  await call.play(spoken(1_300))
  await call.hearsTone(hz.handingOver, { forMs: 180, timeoutMs: 5_000 })
  await house.eventually('messageAsked')
  await call.hangup()
})
