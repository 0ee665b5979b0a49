import { describe, expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { type GateSettings, twilioGate } from '../../src/twilio/gate.ts'
import type { Webhook, WebhookRequest } from '../../src/twilio/webhook.ts'
import { house } from '../server/house.ts'
import { judgeTwiml } from '../support/twiml-judge.ts'
import { authToken, get, post, postJson, publicBaseUrl, signatureOf } from './signed.ts'

const call = '/v1/twilio/call?patientId=4711&name=J%C3%B6rg+Ra%26d'

/** A server with one webhook that somebody waits for and one that is told something; what they were asked. */
function edge(change: Partial<GateSettings> = {}) {
  const asked: WebhookRequest[] = []
  let failure: Error | undefined
  const webhook = (path: Webhook['path'], wants: Webhook['wants']): Webhook => ({
    ...{ path, wants, methods: ['GET', 'POST'], summary: 'A test' },
    async answer(request) {
      asked.push(request)
      if (failure) throw failure
      return wants === 'twiml' ? { kind: 'twiml', xml: '<Response/>' } : { kind: 'taken' }
    },
  })
  const settings = { authToken, publicBaseUrl, unsigned: false, ...change }
  const webhooks = [webhook('/v1/twilio/call', 'twiml'), webhook('/v1/twilio/status', 'receipt')]
  const { server } = house({ edge: twilioGate(settings, webhooks, createLog('silent')) })
  const fail = (error: Error) => {
    failure = error
  }
  return { server, asked, fail }
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

  it('is told in the description of the API', async () => {
    const { server } = edge()
    const headers = { authorization: 'Bearer a-token-that-only-the-operator-has' }
    const { paths } = (await server.inject({ url: '/openapi.json', headers })).json()
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/v1/twilio/call', '/v1/twilio/status']))
  })
})
