import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Business } from '../../src/business.ts'
import type { TransferNotice } from '../../src/call/ports.ts'
import { limits } from '../../src/limits.ts'
import { reachOf } from '../../src/tools/reach.ts'
import { transferWebhook } from '../../src/tools/transfer-webhook.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

interface Asked {
  readonly line: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** The screen of a business on this machine. */
async function screen(answering: (response: ServerResponse, count: number) => void, open = ['127.0.0.0/8']) {
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
  const resolve = () => Promise.reject(new Error('no names here'))
  const announce = transferWebhook({ clock, reach: reachOf(open), resolve })
  const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/pop?desk=1`
  const tell = (signal = new AbortController().signal, chosen: object = { webhook }) =>
    announce({ ...notice, business: { id: 'dentist', transfers: chosen } as Business }, signal)
  return { asked, clock, tell }
}

const notice: Omit<TransferNotice, 'business'> = {
  ...{ call: 'c1', attempt: 2, destination: 'billing', mode: 'attended', by: 'caller', reason: 'Fragt nach „Öl“' },
  caller: { number: '+15550100300', name: 'Zoë' },
  parameters: { callSid: 'CA1' },
}
const saying = (status: number) => (response: ServerResponse) => void response.writeHead(status).end()

describe('the webhook of transfers', () => {
  it('is told who calls and why, once, under a key of its own', async () => {
    const { asked, tell, clock } = await screen(saying(204))
    await tell()
    expect(asked.map(({ line }) => line)).toEqual(['POST /pop?desk=1'])
    expect(asked[0]!.headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': 'c1-transfer-2',
    })
    expect(JSON.parse(asked[0]!.body)).toEqual({
      ...{ event: 'transfer', call: 'c1', attempt: 2, business: 'dentist', destination: 'billing', mode: 'attended' },
      ...{ by: 'caller', reason: 'Fragt nach „Öl“', caller: { number: '+15550100300', name: 'Zoë' } },
      parameters: { callSid: 'CA1' },
    })
    expect(clock.pending).toBe(0)
  })

  it('is told once more, as the same, when it is out of order', async () => {
    const { asked, tell } = await screen((response, count) => saying(count === 1 ? 503 : 200)(response))
    await tell()
    expect(asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['c1-transfer-2', 'c1-transfer-2'])
  })

  it.each([
    [500, 2, 'it answered 500.'],
    [404, 1, 'it answered 404.'],
    [302, 1, 'it answered 302.'],
  ])('is given up with words when it answers %i', async (status, times, words) => {
    const { asked, tell } = await screen(saying(status))
    await expect(tell()).rejects.toMatchObject({ code: 'TOOL_FAILED', message: words })
    expect(asked).toHaveLength(times)
  })

  it('is not waited for longer than it may take, twice', async () => {
    const { asked, tell, clock } = await screen(() => {})
    const told = tell().catch(error => error.message)
    for (const count of [1, 2]) {
      await until(() => asked.length === count)
      clock.advance(limits.transfer.webhookMs)
    }
    expect(await told).toBe(`it took longer than ${limits.transfer.webhookMs} ms.`)
    expect([asked.length, clock.pending]).toEqual([2, 0])
  })

  it('ends with the call', async () => {
    const { asked, tell } = await screen(() => {})
    const ending = new AbortController()
    const told = tell(ending.signal).catch(error => error.code)
    await until(() => asked.length === 1)
    ending.abort()
    expect([await told, asked.length]).toEqual(['TOOL_FAILED', 1])
  })

  it('is reached in private only where that is allowed', async () => {
    const { asked, tell } = await screen(saying(200), [])
    await expect(tell()).rejects.toThrow('its address is private, see TOOLS_ALLOW_PRIVATE')
    expect(asked).toEqual([])
  })

  it('is nobody where the business has none', async () => {
    const { asked, tell } = await screen(saying(200))
    await tell(undefined, {})
    expect(asked).toEqual([])
  })
})
