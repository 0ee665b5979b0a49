import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { businessTools } from '../../src/business-tools.ts'
import type { CallFact } from '../../src/call/events.ts'
import type { LiveCall } from '../../src/call/ports.ts'
import { httpTools } from '../../src/tools/http-tools.ts'
import { reachOf } from '../../src/tools/reach.ts'

/** A tool of a business, and the server that it asks; each request gets the next of these answers, and 'drop' none. */
async function tool(changes: object, ...answers: readonly (string | 'drop')[]) {
  const asked: Record<string, unknown>[] = []
  const server = createServer((request, response) => {
    asked.push({ method: request.method, url: request.url, ...request.headers })
    const answer = answers[asked.length - 1] ?? 'drop'
    if (answer === 'drop') request.socket.destroy()
    else response.end(answer)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const facts: CallFact[] = []
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`
  const parameters = { properties: { number: { type: 'integer' } }, required: ['number'] }
  const headers = { authorization: 'Bearer ${TOOL_KEY}' }
  const described = { name: 'find_order', description: 'Finds it.', url, parameters, headers, ...changes }
  const call = {
    id: '1.7',
    business: { tools: businessTools.parse([described]) },
    facts: { callerNumber: '+15550100300', calledUser: 'bianca', parameters: {} },
    emit: (fact: CallFact) => facts.push(fact),
  } as unknown as LiveCall
  const [made] = httpTools({
    reach: reachOf(['127.0.0.1/32']),
    resolve: () => Promise.reject(new Error('no names here')),
    secrets: { TOOL_KEY: 'secret-of-the-shop' },
  })(call)
  const run = async (args: unknown) => {
    const request = made!.read(args)
    if ('problem' in request) return request
    return await request.run({ signal: new AbortController().signal, idempotencyKey: 'key-1' })
  }
  return { run, asked, facts, made: made! }
}

describe('a tool of a business', () => {
  it('is shown to the model as it is described, and held to that', async () => {
    const { made, run, asked } = await tool({}, '{"state":"sent"}')
    expect(made).toMatchObject({ name: 'find_order', effect: 'read', parameters: { required: ['number'] } })
    expect(await run({ number: 'seven' })).toMatchObject({ problem: expect.stringContaining('number') })
    expect(await run({ number: 7, shop: 'other' })).toMatchObject({ problem: expect.stringContaining('shop') })
    expect(asked).toEqual([])
    expect(await run({ number: 7 })).toEqual({ ok: true, value: { state: 'sent' } })
    expect(asked).toMatchObject([
      { method: 'GET', url: '/orders?number=7', authorization: 'Bearer secret-of-the-shop', 'parley-call': '1.7' },
    ])
  })

  it('that reads is asked once more when nothing came, and no third time', async () => {
    const again = await tool({}, 'drop', '{"state":"sent"}')
    expect(await again.run({ number: 7 })).toMatchObject({ ok: true })
    expect(again.facts).toEqual([])
    const never = await tool({})
    expect(await never.run({ number: 7 })).toEqual({
      ok: false,
      problem: 'find_order failed: It cannot be reached.',
    })
    expect(never.asked).toHaveLength(2)
    expect(never.facts).toEqual([
      {
        name: 'degraded',
        code: 'TOOL_FAILED',
        detail: 'The tool find_order failed: the connection failed (ECONNRESET).',
      },
    ])
  })

  it('that changes something is asked once, with its key', async () => {
    const { run, asked } = await tool({ method: 'POST' })
    expect(await run({ number: 7 })).toMatchObject({ ok: false, problem: expect.stringContaining('not known') })
    expect(asked).toMatchObject([{ method: 'POST', 'idempotency-key': 'key-1' }])
  })

  it('tells no secret, neither the model nor the record', async () => {
    const { run, facts } = await tool({ url: 'http://10.0.0.1/orders' })
    const result = await run({ number: 7 })
    expect(result).toMatchObject({ ok: false, problem: expect.stringContaining('may not reach') })
    expect(JSON.stringify([result, facts])).not.toContain('secret-of-the-shop')
    expect(JSON.stringify(facts)).toContain('TOOLS_ALLOW_PRIVATE')
  })
})
