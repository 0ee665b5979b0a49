import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { segments } from '../../../src/caller/tones.ts'
import { word } from '../../../src/caller/voice.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import { FakeOpenAi } from '../../../src/fake-openai/api.ts'
import { buildFakeServer } from '../../../src/fake-openai/server.ts'
import type { Session } from '../../../src/fake-openai/session.ts'
import { answerTones, type Script, type Step } from '../../../src/providers/scripted/script.ts'
import { seeded } from '../../support/random.ts'
import { greetingHz, House } from './house.ts'

const doneHz = 550
const failedHz = 450
const wordsHz = 700
const order = { number: 'A/7' }
/** What the model does about each word of a caller; about results it speaks with a tone for good and one for bad. */
const wishes: Readonly<Record<string, readonly Step[]>> = {
  'tone 1300': [{ call: 'find_order', args: order }],
  'tone 1400': [
    { call: 'order_chair', args: { colour: 'red', count: 2 } },
    { call: 'order_chair', args: { count: 2, colour: 'red' } },
  ],
  'tone 1500': [{ call: 'never_answered' }],
  'tone 1600': [{ call: 'out_of_order' }],
  'tone 1700': [{ call: 'next_door' }],
  'tone 1800': [{ say: `[tone ${wordsHz} 1000ms]` }, { call: 'send_digits', args: { digits: '12#' } }],
  'tone 1900': [{ call: 'find_slowly' }],
  'tone 2000': [{ call: 'take_message', args: { message: 'Please call me.' } }, { call: 'current_time' }],
}
const script: Script = history => {
  const last = history.at(-1)
  return (last?.role === 'caller' && wishes[last.text]) || answerTones(history)
}

interface Asked {
  readonly line: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
const asked: Asked[] = []

/** What the tools of the business are about. */
const shop = createServer((request, response) => void serve(request, response))

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const piece of request) body += piece
  asked.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
  const reply = (status: number, answer: unknown) => response.writeHead(status).end(JSON.stringify(answer))
  switch (request.url) {
    case '/orders/A%2F7':
      return void reply(200, { order: { state: 'sent on Monday' } })
    case '/orders':
      return void reply(201, { number: 'A/8' })
    case '/broken':
      return void reply(500, { detail: 'at line 7 of the source' })
    case '/slow':
      await pause(systemClock, 3_000)
      return void reply(200, { found: true })
  }
}

function toolsAt(port: number): object[] {
  const description = 'A tool of the shop.'
  const headers = { Authorization: 'Bearer ${TOOL_SHOP_KEY}' }
  const text = { type: 'string', maxLength: 20 }
  const at = (path: string) => `http://localhost:${port}${path}`
  return [
    {
      name: 'find_order',
      description,
      parameters: { properties: { number: text }, required: ['number'] },
      url: at('/orders/{number}'),
      headers,
      result: 'order.state',
    },
    {
      name: 'order_chair',
      description,
      parameters: { properties: { colour: text, count: { type: 'integer' } }, required: ['colour', 'count'] },
      method: 'POST',
      url: at('/orders'),
      headers,
    },
    { name: 'never_answered', description, url: at('/nothing'), timeoutMs: 500 },
    { name: 'out_of_order', description, url: at('/broken') },
    // The same server, at an address that nobody has opened.
    { name: 'next_door', description, url: `http://127.0.0.2:${port}/private` },
    { name: 'find_slowly', description, url: at('/slow') },
  ]
}

const api = new FakeOpenAi({ clock: systemClock, script })
const server = buildFakeServer(api)
let house: House

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  shop.listen(0)
  await Promise.all([once(server, 'listening'), once(shop, 'listening')])
  house = await House.open({
    environment: {
      AGENT_ENGINE: 'realtime',
      OPENAI_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      TOOLS_ALLOW_PRIVATE: '127.0.0.1/32',
      TOOL_SHOP_KEY: 'secret-of-the-shop',
    },
    business: {
      tools: toolsAt((shop.address() as AddressInfo).port),
      timeZone: 'Europe/Zurich',
      services: [{ name: 'Repair', minutes: 30 }],
    },
  })
})
afterAll(async () => {
  await house?.[Symbol.asyncDispose]()
  for (const each of [server, shop]) {
    each.closeAllConnections()
    each.close()
  }
})

/** The caller says the word with this marker, and hears this about it. */
async function says(markerHz: number, answerHz: number, forMs = 300): Promise<Call> {
  const call = await house.dial({ from: '+15550100300' })
  await call.hearsTone(greetingHz, { forMs: 180 })
  await call.hearsSilence(250)
  await call.play(word({ f0: 150, markerHz, ms: 600, level: -16, random: seeded(markerHz) }))
  await call.hearsTone(answerHz, { forMs })
  return call
}

function sessionOf(markerHz: number): Session {
  const found = api.sessions.filter(({ conversation: { messages } }) =>
    messages.some(message => message.role === 'caller' && message.text === `tone ${markerHz}`),
  )
  expect(found).toHaveLength(1)
  return found[0]!
}

function results(markerHz: number): unknown[] {
  return sessionOf(markerHz).conversation.messages.flatMap(message =>
    message.role === 'toolResult' ? [message.result] : [],
  )
}

/** What stands in the record of the call in which this was said. */
async function factsOf(markerHz: number): Promise<CallEvent['fact'][]> {
  const events = await house.events()
  const said = ({ fact }: CallEvent) => fact.name === 'callerSpoke' && fact.private.text === `tone ${markerHz}`
  const call = events.find(said)?.call
  return events.filter(event => event.call === call).map(({ fact }) => fact)
}

it.concurrent('a tool of the business reads, under its secret and for this caller, and the agent speaks about it', async () => {
  const call = await says(1_300, doneHz)
  await call.hangup()
  expect(results(1_300)).toEqual([{ ok: true, value: 'sent on Monday' }])
  expect(asked.filter(({ line }) => line === 'GET /orders/A%2F7')).toMatchObject([
    {
      headers: {
        authorization: 'Bearer secret-of-the-shop',
        'parley-caller': '+15550100300',
        'parley-called': 'bianca',
      },
    },
  ])
  const [first] = sessionOf(1_300).received
  expect(JSON.stringify(first)).toContain('Repair: 30 minutes')
  expect(JSON.stringify(first)).toContain('find_order')
})

it.concurrent('what changes something is done once though it is asked for twice', async () => {
  const call = await says(1_400, doneHz)
  await call.hangup()
  expect(results(1_400)).toEqual(Array(2).fill({ ok: true, value: { number: 'A/8' } }))
  expect(asked.filter(({ line }) => line === 'POST /orders')).toMatchObject([
    { body: '{"colour":"red","count":2}', headers: { 'idempotency-key': expect.stringMatching(/^[0-9a-f]{32}$/) } },
  ])
})

it.concurrent.each([
  ['is never answered', 1_500, /took longer than 500 ms/, undefined],
  ['is out of order', 1_600, /out of order \(500\)/, 'out_of_order failed: it answered 500'],
  ['lies at an address that nobody has opened', 1_700, /may not reach/, 'next_door failed: its address is private'],
] as const)('the agent speaks about a tool that %s', async (_, markerHz, words, trouble) => {
  const call = await says(markerHz, failedHz)
  await call.hangup()
  expect(results(markerHz)).toEqual([{ ok: false, problem: expect.stringMatching(words) }])
  const troubles = (await factsOf(markerHz)).flatMap(fact => (fact.name === 'degraded' ? [fact.detail] : []))
  expect(troubles).toEqual(trouble ? [expect.stringContaining(trouble)] : [])
  expect(asked.map(({ line }) => line)).not.toContain('GET /private')
})

it.concurrent('digits that the model sends are heard as keys, and no word is lost beside them', async () => {
  const call = await says(1_800, doneHz, 380)
  await call.hangup()
  expect(call.figures().received).toMatchObject({ digits: '12#', lost: 0 })
  const tones = segments(call.heard(), [greetingHz, doneHz, wordsHz]).filter(({ hz }) => hz === wordsHz)
  const wordsMs = tones.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  expect(Math.abs(wordsMs - 1_000)).toBeLessThanOrEqual(40)
  expect(await factsOf(1_800)).toContainEqual({ name: 'digitsSent', private: { digits: '12#' } })
})

it.concurrent('a slow tool is bridged by words that are in nobody’s memory', async () => {
  const call = await says(1_900, doneHz)
  await call.hangup()
  const heard = segments(call.heard(), [greetingHz, doneHz])
  const answer = heard.findIndex(({ hz }) => hz === doneHz)
  const other = heard.slice(0, answer).filter(({ sound }) => sound === 'other')
  expect(other.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)).toBeGreaterThan(600)
  const { messages } = sessionOf(1_900).conversation
  expect(messages.map(({ role }) => role)).toEqual(['agent', 'caller', 'toolCall', 'toolResult', 'agent'])
  expect(JSON.stringify([messages, await factsOf(1_900)])).not.toContain('moment')
})

it.concurrent('a message is kept, and the time is that of the business', async () => {
  const call = await says(2_000, doneHz)
  await call.hangup()
  const [kept, moment] = results(2_000)
  expect(kept).toEqual({ ok: true, value: 'kept' })
  expect(moment).toMatchObject({
    ok: true,
    value: { timeZone: 'Europe/Zurich', time: expect.stringMatching(/^\d\d:\d\d$/) },
  })
  const messages = (await factsOf(2_000)).flatMap(fact => (fact.name === 'messageTaken' ? [fact.private] : []))
  expect(messages).toEqual([{ text: 'Please call me.', callback: '+15550100300' }])
})

it('no secret is told to anybody else, and the server was asked nothing that it refuses', async () => {
  await house.isEmpty()
  const told = [house.log, await house.events(), api.sessions.map(({ received }) => received)]
  expect(JSON.stringify(told)).not.toContain('secret-of-the-shop')
  expect(api.problems).toEqual([])
})
