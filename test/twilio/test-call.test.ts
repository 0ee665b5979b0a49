import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Ending } from '../../src/caller/session.ts'
import { isSigned } from '../../src/twilio/signature.ts'
import { type TestCallParts, testCalls } from '../../src/twilio/test-call.ts'
import { twimlOf } from '../../src/twilio/twiml.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { authToken, publicBaseUrl } from './signed.ts'

const sip = 'sip:bianca@sip.example.com:5061;transport=tcp;callSid=CA1?X-callSid=CA1'
const dial = { callerId: '+15550100199', ringSeconds: 20, action: 'https://a.example/', sip, maxSeconds: 60 }
const agent = twimlOf({ kind: 'agent', welcome: '', voice: 'alice', dial: { ...dial, answerOnBridge: true } })
const busy = twimlOf({ kind: 'reject', reason: 'busy' })

type Dialled = Parameters<TestCallParts['dial']>[0]
type PlacedCall = Awaited<ReturnType<TestCallParts['dial']>>
type Answer = Awaited<PlacedCall['answered']>

interface Scene {
  readonly status?: number
  readonly type?: string
  readonly twiml?: string
  readonly answer?: Promise<Answer>
  /** Of the agent, as soon as somebody listens. */
  readonly loudness?: number
  readonly hangsUp?: boolean
  readonly dialFails?: string
}

const answered = { kind: 'answered', status: 200, setUpMs: 5, atMs: 5, audio: {}, contact: '' } as unknown as Answer

/** A reception that answers with this, and an Asterisk that does that. */
async function scene(
  { status = 200, type = 'text/xml', twiml = agent, ...agents }: Scene = {},
  publicAt = publicBaseUrl,
) {
  const asked: { url: string; signed: boolean; fields: Record<string, string> }[] = []
  const dialled: Dialled[] = []
  let vanished = 0
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    const fields = Object.fromEntries(new URLSearchParams(body))
    const url = `${publicBaseUrl}${request.url}`
    const signature = String(request.headers['x-twilio-signature'])
    asked.push({ url, signed: isSigned(authToken, { url, signature, body: { kind: 'form', fields } }), fields })
    response.writeHead(status, { 'content-type': type }).end(twiml)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ended = Promise.withResolvers<Ending>()
  const end = (by: Ending['by']) => ended.resolve({ by, how: 'bye', reason: 'Normal', atMs: 9 })
  const placed: PlacedCall = {
    answered: agents.answer ?? Promise.resolve(answered),
    ended: ended.promise,
    onFrame(listener) {
      listener({ samples: new Int16Array(160).fill(agents.loudness ?? 3_000) } as Parameters<typeof listener>[0])
      if (agents.hangsUp) end('callee')
      return () => {}
    },
    hangup() {
      end('caller')
      return ended.promise
    },
    vanish: () => void vanished++,
  }
  const clock = new VirtualClock()
  const dentist = { id: 'dentist', numbers: ['+15550100200'] } as never
  const calls = testCalls({
    ...{ accountSid: `AC${'1'.repeat(32)}`, authToken, phoneNumber: undefined, clock },
    publicBaseUrl: publicAt,
    localBaseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    businesses: () => ({
      standard: dentist,
      find: id => (id === 'dentist' ? dentist : undefined),
      withNumber: () => undefined,
    }),
    async dial(whom) {
      dialled.push(whom)
      if (agents.dialFails) throw new Error(agents.dialFails)
      return placed
    },
  })
  return {
    ...{ asked, dialled, clock, vanished: () => vanished },
    place: (business?: string, through: 'local' | 'public' = 'local') => calls.place({ business, through }),
    close: () => void server.close(),
  }
}

async function stepsOf(parts: Scene) {
  const { place, close, vanished } = await scene(parts)
  const result = await place()
  close()
  if (result.kind !== 'walked') throw new Error(result.kind)
  const last = result.report.steps.at(-1)!
  return { ok: result.report.ok, steps: result.report.steps.map(({ name }) => name), last: last.detail, vanished }
}

describe('a test call', () => {
  it('asks as Twilio asks, dials what it is answered, and waits for a sound', async () => {
    const { place, asked, dialled, close } = await scene()
    const result = await place('dentist')
    close()
    if (result.kind !== 'walked') throw new Error(result.kind)
    const { call, ok, steps } = result.report
    expect(ok).toBe(true)
    expect(steps.map(({ name }) => name)).toEqual(['webhook', 'twiml', 'invite', 'answered', 'firstSound', 'hungUp'])
    expect(asked).toEqual([
      {
        ...{ url: `${publicBaseUrl}/v1/twilio/call?test=yes`, signed: true },
        fields: expect.objectContaining({ CallSid: call, To: '+15550100200', CallStatus: 'ringing' }),
      },
    ])
    expect(dialled).toMatchObject([{ user: 'bianca', host: 'sip.example.com', parameters: { callSid: 'CA1' } }])
  })

  it.each<[string, Scene, string, RegExp]>([
    ['the webhooks are shut', { status: 503, type: 'text/plain', twiml: 'No token.' }, 'webhook', /503: No token\./],
    ['somebody else answers', { type: 'text/html', twiml: '<html></html>' }, 'webhook', /no Parley/],
    ['the answer is no XML', { twiml: '<Response>' }, 'twiml', /unclosed/],
    ['the line is busy', { twiml: busy }, 'twiml', /answers with Reject busy: is SIP_DOMAIN set/],
    ['nobody listens', { dialFails: 'connect ECONNREFUSED' }, 'invite', /ECONNREFUSED/],
    [
      'nobody is let in',
      { answer: Promise.resolve({ kind: 'refused', status: 403, reason: 'Forbidden', afterMs: 1 }) },
      'answered',
      /403 \(nobody is let in from this machine\. SIP_ALLOW/,
    ],
    [
      'the agent is silent and gone',
      { loudness: 0, hangsUp: true },
      'firstSound',
      /ended by the callee before a sound/,
    ],
  ])('ends where %s', async (_, parts, step, words) => {
    const { ok, steps, last } = await stepsOf(parts)
    expect([ok, steps.at(-1)]).toEqual([false, step])
    expect(last).toMatch(words)
  })

  it('waits for no sound for ever, and leaves no call behind', async () => {
    const { place, clock, close, vanished, dialled } = await scene({ loudness: 0 })
    const placing = place()
    await until(() => dialled.length > 0)
    await clock.run(30_000)
    const result = await placing
    close()
    expect(result).toMatchObject({ kind: 'walked', report: { ok: false, steps: { length: 5 } } })
    expect(vanished()).toBe(1)
  })

  it('is one at a time, and of a business that there is', async () => {
    const { place, close } = await scene()
    const first = place()
    expect(await place()).toEqual({ kind: 'busy' })
    expect(await first).toMatchObject({ kind: 'walked' })
    expect(await place('nobody')).toEqual({ kind: 'unknownBusiness' })
    expect(await place()).toMatchObject({ kind: 'walked' })
    close()
  })

  it('is asked at the public address when that is what is to be tried', async () => {
    const nowhere = 'http://127.0.0.1:9'
    const { place, asked, close } = await scene({}, nowhere)
    const result = await place(undefined, 'public')
    close()
    expect(asked).toEqual([])
    expect(result).toMatchObject({ report: { ok: false, steps: [{ name: 'webhook' }] } })
    expect(JSON.stringify(result)).toContain(`${nowhere} cannot be asked`)
  })
})
