import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Business } from '../../src/business.ts'
import { businessLookup } from '../../src/business-lookup.ts'
import type { CallFacts } from '../../src/call/ports.ts'
import { limits } from '../../src/limits.ts'
import { Lookup } from '../../src/tools/lookup.ts'
import { reachOf } from '../../src/tools/reach.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

interface Asked {
  readonly line: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}
type Answering = (response: ServerResponse, count: number) => void

const ada = { name: 'Ada Byron', insurance: 'private', visits: 3, vip: true }
const facts = {
  callerNumber: '+15550100300',
  calledUser: 'bianca',
  parameters: { patientId: 'p 7', secretOfOthers: 'x' },
} as unknown as CallFacts

/** The records of a business on this machine. */
async function records(answering: Answering, chosen: object = {}, open = ['127.0.0.0/8']) {
  const asked: Asked[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    asked.push({ line: `${request.method} ${request.url}`, headers: request.headers, body })
    answering(response, asked.length)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const clock = new VirtualClock()
  const lookup = new Lookup({
    clock,
    reach: reachOf(open),
    resolve: () => Promise.reject(new Error('no names here')),
    secrets: { TOOL_KEY: 'secret-of-the-practice' },
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callers`
  const settings = businessLookup.parse({ url, headers: { 'x-key': '${TOOL_KEY}' }, ...chosen })
  const ask = (changes: Partial<CallFacts> = {}, id = 'dentist') =>
    lookup.ask({ business: { id, lookup: settings } as Business, facts: { ...facts, ...changes } })
  return { ask, asked, clock }
}

const saying =
  (answer: unknown, status = 200): Answering =>
  response =>
    void response.writeHead(status).end(typeof answer === 'string' ? answer : JSON.stringify(answer))

describe('a look-up of the caller', () => {
  it('sends what the business lists and nothing else, under its secret', async () => {
    const { ask, asked } = await records(saying(ada), { parameters: ['callerNumber', 'patientId', 'unheardOf'] })
    expect(await ask()).toEqual({
      kind: 'told',
      name: 'Ada Byron',
      records: { insurance: 'private', visits: '3', vip: 'true' },
    })
    expect(asked[0]?.line).toBe('GET /callers?callerNumber=%2B15550100300&patientId=p+7')
    expect(asked[0]?.headers).toMatchObject({ 'x-key': 'secret-of-the-practice' })
    expect(JSON.stringify(asked)).not.toMatch(/parley-c|bianca|secretOfOthers/)
  })

  it('can be posted', async () => {
    const { ask, asked } = await records(saying(ada), { method: 'POST', parameters: ['patientId', 'calledNumber'] })
    await ask()
    expect(asked).toMatchObject([{ line: 'POST /callers', body: '{"patientId":"p 7","calledNumber":"bianca"}' }])
  })

  it('is not made when there is nothing to know the caller by', async () => {
    const { ask } = await records(saying(ada), { parameters: ['callerNumber', 'calledNumber'] })
    for (const callerNumber of ['anonymous', '+266696687', '']) expect(ask({ callerNumber })).toBeUndefined()
  })

  it('is remembered for its time, of one business and one caller', async () => {
    const { ask, asked, clock } = await records(saying(ada), { cacheSeconds: 30 })
    await ask()
    clock.advance(29_999)
    expect(await ask()).toMatchObject({ name: 'Ada Byron' })
    expect(asked).toHaveLength(1)
    await ask({ callerNumber: '+15550100301' })
    await ask({}, 'plumber')
    expect(asked).toHaveLength(3)
    clock.advance(1)
    await ask()
    expect(asked).toHaveLength(4)
  })

  it('is not remembered where it failed, or where nothing shall be', async () => {
    const failing = await records((response, count) => saying(ada, count === 1 ? 500 : 200)(response, count))
    expect(await failing.ask()).toEqual({ kind: 'failed', why: 'they answered 500' })
    expect(await failing.ask()).toMatchObject({ kind: 'told' })
    const fresh = await records(saying(ada), { cacheSeconds: 0 })
    await fresh.ask()
    await fresh.ask()
    expect(fresh.asked).toHaveLength(2)
  })

  it('is made once for calls that come together', async () => {
    const waiting: ServerResponse[] = []
    const { ask, asked } = await records(response => void waiting.push(response))
    const all = Array.from({ length: 20 }, () => ask())
    await until(() => waiting.length > 0)
    saying(ada)(waiting[0]!, 1)
    for (const each of await Promise.all(all)) expect(each).toMatchObject({ name: 'Ada Byron' })
    expect(asked).toHaveLength(1)
  })

  it('ends with its time, and the next call asks anew', async () => {
    const { ask, asked, clock } = await records((response, count) => {
      if (count > 1) saying(ada)(response, count)
    })
    const first = ask()
    await until(() => asked.length === 1)
    clock.advance(800)
    expect(await first).toMatchObject({ kind: 'failed' })
    expect(clock.pending).toBe(0)
    expect(await ask()).toMatchObject({ name: 'Ada Byron' })
  })

  it('knows nobody where there is nobody', async () => {
    for (const answering of [
      saying({}, 404),
      saying({}),
      (response: ServerResponse) => void response.writeHead(204).end(),
    ]) {
      const { ask } = await records(answering)
      expect(await ask()).toEqual({ kind: 'told', name: undefined, records: {} })
    }
  })

  it.each([
    ['no JSON', 'hello', /no JSON object/],
    ['a list', '[1]', /no JSON object/],
    ['nothing', 'null', /no JSON object/],
    ['a book', `{"a":"${'x'.repeat(limits.lookup.answerBytes)}"}`, /longer than 16384 bytes/],
  ])('fails in words when the answer is %s', async (_, answer, why) => {
    const { ask } = await records(saying(answer))
    expect(await ask()).toEqual({ kind: 'failed', why: expect.stringMatching(why) })
  })

  it('takes plain fields in one line each, so many and so long', async () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`field ${n}`, 'y'.repeat(100)]))
    const { ask } = await records(
      saying({ name: ` Ada\n\u2028Byron `, list: [1], nested: { a: 1 }, none: null, ...many }),
    )
    const looked = await ask()
    expect(looked).toMatchObject({ name: 'Ada Byron' })
    const told = looked?.kind === 'told' ? Object.entries(looked.records) : []
    expect(told).toHaveLength(limits.lookup.fields)
    expect(told[0]?.[0]).toBe('field 0')
    const long = await records(saying({ name: 'n'.repeat(9_000), x: 'v'.repeat(6_000) }))
    expect(await long.ask()).toEqual({ kind: 'told', name: 'n'.repeat(100), records: { x: 'v'.repeat(500) } })
  })

  it('reaches no private address that nobody has opened, and follows nobody elsewhere', async () => {
    const { ask, asked } = await records(saying(ada), {}, [])
    expect(await ask()).toEqual({ kind: 'failed', why: expect.stringContaining('TOOLS_ALLOW_PRIVATE') })
    expect(asked).toEqual([])
    const moved = await records(response => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end())
    expect(await moved.ask()).toEqual({ kind: 'failed', why: 'they answered 302' })
  })
})
