import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { createLog } from '../../src/log.ts'
import { type GateSettings, twilioGate } from '../../src/twilio/gate.ts'
import type { Webhook, WebhookRequest } from '../../src/twilio/webhook.ts'
import { house } from '../server/house.ts'
import { judgeTwiml } from '../support/twiml-judge.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { authToken, get, post, postJson, publicBaseUrl, signatureOf } from './signed.ts'

const call = '/v1/twilio/call?patientId=4711&name=J%C3%B6rg+Ra%26d'

/** A server with one webhook that somebody waits for and one that is told something; what they were asked. */
function edge(change: Partial<GateSettings> = {}) {
  const asked: WebhookRequest[] = []
  let failure: Error | undefined
  const webhook = (path: Webhook['path'], wants: Webhook['wants']): Webhook => ({
    ...{ path, wants, methods: ['GET', 'POST'], summary: 'A test' },
    repeats: ({ fields }) => fields['Sid'],
    async answer(request) {
      asked.push(request)
      if (failure) throw failure
      return wants === 'twiml' ? { kind: 'twiml', xml: '<Response/>' } : { kind: 'taken' }
    },
  })
  const settings = { authToken, publicBaseUrl, unsigned: false, ...change }
  const webhooks = [webhook('/v1/twilio/call', 'twiml'), webhook('/v1/twilio/status', 'receipt')]
  const clock = new VirtualClock()
  const { server } = house({ edge: twilioGate(settings, webhooks, createLog('silent'), clock) })
  const fail = (error: Error | undefined) => {
    failure = error
  }
  return { server, asked, fail, clock }
}

describe('the gate before the webhooks', () => {
  it('lets in what Twilio has signed for the public address, whoever handed it on: a form, a GET, JSON', async () => {
    const { server, asked } = edge()
    const answer = await post(server, call, { CallSid: 'CA1', From: '+15550100177' })
    expect([answer.statusCode, answer.headers['content-type'], answer.body]).toEqual([200, 'text/xml', '<Response/>'])
    expect((await get(server, call)).statusCode).toBe(200)
    expect((await postJson(server, '/v1/twilio/status', '{"CallSid":"CA1","n":1,"deep":{"x":1}}')).statusCode).toBe(204)
    const query = { patientId: '4711', name: 'Jörg Ra&d' }
    expect(asked).toEqual([
      { query, fields: { CallSid: 'CA1', From: '+15550100177' } },
      { query, fields: query },
      { query: { bodySHA256: expect.any(String) }, fields: { CallSid: 'CA1', n: '1' } },
    ])
  })

  it('keeps out whatever else comes, and nothing behind it hears of it', async () => {
    const { server, asked } = edge()
    const fields = { CallSid: 'CA1' }
    const right = signatureOf(`${publicBaseUrl}${call}`, fields)
    const refused = [
      post(server, call, fields, ''),
      post(
        server,
        call,
        fields,
        right.replace(/^./, first => (first === 'A' ? 'B' : 'A')),
      ),
      post(server, call, { ...fields, To: '+1' }, right),
      post(server, `${call}&x=1`, fields, right),
      post(server, call, fields, signatureOf(`https://elsewhere.example.com${call}`, fields)),
      post(server, call, fields, signatureOf(`${publicBaseUrl}${call}`, fields, 'another token')),
      get(server, call, right),
      postJson(server, '/v1/twilio/status', '{"a":1}', '{"a":2}'),
      server.inject({ method: 'POST', url: call }),
    ]
    for (const answer of await Promise.all(refused))
      expect([answer.statusCode, answer.body]).toEqual([403, expect.any(String)])
    const typed = { method: 'POST', url: call, headers: { 'content-type': 'text/xml' }, payload: '<a/>' } as const
    expect((await server.inject(typed)).statusCode).toBe(415)
    const large = { ...typed, headers: { 'content-type': 'application/json' }, payload: 'x'.repeat(100_000) }
    expect((await server.inject(large)).statusCode).toBe(413)
    expect(asked).toEqual([])
  })

  it('is not held up by a body that is nothing but fields', async () => {
    const { server, asked } = edge()
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': signatureOf(call) }
    for (const field of ['a', 'a=b', '']) {
      const payload = `${field}&`.repeat(64_000 / (field.length + 1))
      expect((await server.inject({ method: 'POST', url: call, headers, payload })).statusCode).toBe(403)
    }
    expect(asked).toEqual([])
  })

  it.each([
    [{ authToken: undefined }, 'TWILIO_AUTH_TOKEN'],
    [{ publicBaseUrl: undefined }, 'PUBLIC_BASE_URL'],
  ])('is shut while it cannot know anybody: %j', async (missing, named) => {
    const { server, asked } = edge(missing)
    const answer = await post(server, call, {})
    expect([answer.statusCode, answer.body]).toEqual([503, expect.stringContaining(named)])
    expect(asked).toEqual([])
  })

  it('believes everybody where development asks for it', async () => {
    const { server, asked } = edge({ authToken: undefined, unsigned: true })
    expect((await post(server, call, { CallSid: 'CA1' }, 'none')).statusCode).toBe(200)
    expect(asked).toHaveLength(1)
  })

  it('has an excuse for whoever is on the telephone when all fails, and an error for a receipt', async () => {
    const { server, fail } = edge()
    fail(new Error('the database is away'))
    const answer = await post(server, call, { CallSid: 'CA1' })
    expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/xml'])
    const { problems, verbs } = judgeTwiml(answer.body)
    expect([problems, verbs.map(({ name }) => name)]).toEqual([[], ['Say', 'Hangup']])
    expect(answer.body).not.toContain('database')
    expect((await post(server, '/v1/twilio/status', {})).statusCode).toBe(500)
  })

  it('hears nothing more from where too much was forged, whatever its body, until that is long ago', async () => {
    const { server, asked, clock } = edge({ trustedProxies: ['127.0.0.1/32'] })
    const { perMinute } = limits.twilio.forged
    const ask = (from: string, signature?: string) =>
      server.inject({
        ...{ method: 'GET', url: call },
        headers: {
          'x-forwarded-for': `1.1.1.1, ${from}`,
          'x-twilio-signature': signature ?? signatureOf(`${publicBaseUrl}${call}`),
        },
      })
    for (let sent = 0; sent < perMinute; sent++) expect((await ask('203.0.113.1', 'forged')).statusCode).toBe(403)
    expect((await ask('203.0.113.1', 'forged')).statusCode).toBe(429)
    expect((await ask('203.0.113.1')).statusCode).toBe(429)
    expect((await ask('203.0.113.2')).statusCode).toBe(200)
    // The proxy itself is never shut out, whatever comes by it.
    for (let sent = 0; sent <= perMinute; sent++) await get(server, call, 'forged')
    expect((await get(server, call)).statusCode).toBe(200)
    await clock.run(60_000)
    expect((await ask('203.0.113.1')).statusCode).toBe(200)
    expect(asked).toHaveLength(3)
  })

  it('goes on hearing from where it was rightly asked before, whatever is forged there: all customers of Twilio ask from there', async () => {
    const { server } = edge()
    expect((await get(server, call)).statusCode).toBe(200)
    for (let sent = 0; sent <= 2 * limits.twilio.forged.perMinute; sent++)
      expect((await get(server, call, 'forged')).statusCode).toBe(403)
    expect((await get(server, call)).statusCode).toBe(200)
  })

  it('lets in nothing of another account', async () => {
    const { server, asked } = edge({ accountSid: 'AC1' })
    expect((await post(server, call, { AccountSid: 'AC2' })).statusCode).toBe(403)
    expect((await post(server, call, { AccountSid: 'AC1' })).statusCode).toBe(200)
    expect((await post(server, call, { CallSid: 'CA1' })).statusCode).toBe(200)
    expect(asked).toHaveLength(2)
  })

  it('has a caller who calls too often, and a business that is called too often, hear that it is busy', async () => {
    const busy = '<?xml version="1.0" encoding="UTF-8"?><Response><Reject reason="busy"/></Response>'
    const { server, asked, clock } = edge({ businessOf: ({ fields }) => fields['To'] ?? '' })
    const ask = async (From: string, To = 'a') => (await post(server, call, { From, To })).body
    const { perMinute } = limits.twilio.perCaller
    for (let sent = 0; sent < perMinute; sent++) expect(await ask('+15550100177')).toBe('<Response/>')
    expect(await ask('+15550100177')).toBe(busy)
    expect(await ask('+15550100178')).toBe('<Response/>')
    for (let sent = 0; sent <= perMinute; sent++) expect(await ask('anonymous', 'b')).toBe('<Response/>')
    // Of a call that Parley has made it is the other one who is called.
    for (let sent = 0; sent <= perMinute; sent++)
      expect(
        (await post(server, call, { From: '+15550100200', To: `+155501${10_000 + sent}`, Direction: 'outbound-api' }))
          .body,
      ).toBe('<Response/>')
    const before = asked.length
    // What is told of a call that is up is never too much.
    expect((await post(server, '/v1/twilio/status', { From: '+15550100177', To: 'a' })).statusCode).toBe(204)
    expect(asked).toHaveLength(before + 1)
    await clock.run(60_000)
    expect(await ask('+15550100177')).toBe('<Response/>')
  })

  it('answers what comes again as before, and nothing behind it hears of it; unless it had failed', async () => {
    const { server, asked, fail } = edge()
    fail(new Error('the disk is full'))
    expect((await post(server, '/v1/twilio/status', { Sid: '1' })).statusCode).toBe(500)
    fail(undefined)
    for (let sent = 0; sent < 3; sent++)
      expect((await post(server, '/v1/twilio/status', { Sid: '1' })).statusCode).toBe(204)
    for (let sent = 0; sent < 2; sent++) await post(server, call, { Sid: '1' })
    await post(server, `${call}&after=forward`, { Sid: '1' })
    await post(server, call, { Sid: '2' })
    await post(server, call, {})
    await post(server, call, {})
    expect(asked.map(({ fields }) => fields['Sid'])).toEqual(['1', '1', '1', '1', '2', undefined, undefined])
  })

  it('is told in the description of the API', async () => {
    const { server } = edge()
    const headers = { authorization: 'Bearer a-token-that-only-the-operator-has' }
    const { paths } = (await server.inject({ url: '/openapi.json', headers })).json()
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/twilio/call', '/v1/twilio/status']))
  })
})
