import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it, vi } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import type { buildServer } from '../../src/server/server.ts'
import { FakeCall, house, withToken } from './house.ts'

type Server = ReturnType<typeof buildServer>

async function problemFrom(server: Server, options: object) {
  const answer = await server.inject({ headers: withToken, ...options })
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
  const problem = answer.json()
  expect(problem).toEqual({
    ...problem,
    type: 'about:blank',
    title: expect.any(String),
    status: answer.statusCode,
    detail: expect.any(String),
  })
  return problem
}

const json = { ...withToken, 'content-type': 'application/json' }

describe('a request that cannot be served', () => {
  const cases: Record<string, readonly [number, object]> = {
    'an unknown path': [404, { url: '/v1/nowhere' }],
    'a method that the path does not have': [404, { method: 'DELETE', url: '/v1/calls/c1' }],
    'a broken escape': [400, { url: '/v1/calls/%zz' }],
    'an id beyond the bound': [414, { url: `/v1/calls/${'x'.repeat(limits.http.paramChars + 1)}` }],
    'an id at the bound': [404, { url: `/v1/calls/${'x'.repeat(limits.http.paramChars)}` }],
    'an id with an escaped slash': [404, { url: '/v1/calls/..%2f..%2fetc%2fpasswd' }],
    'an id of control characters': [404, { url: '/v1/calls/%00%1b%5b2J' }],
    'a path that climbs': [404, { url: '/v1/../../etc/passwd' }],
    'a prototype for an id': [404, { url: '/v1/calls/__proto__' }],
    'a body beyond the bound': [
      413,
      { method: 'POST', url: '/v1/calls/c1/hangup', headers: json, body: `"${'x'.repeat(limits.http.bodyBytes)}"` },
    ],
    'a body that is no JSON': [400, { method: 'POST', url: '/v1/calls/c1/hangup', headers: json, body: '{"x":' }],
    'a body that poisons': [
      400,
      { method: 'POST', url: '/v1/calls/c1/hangup', headers: json, body: '{"__proto__":{"a":1}}' },
    ],
    'a body of another kind': [
      415,
      {
        method: 'POST',
        url: '/v1/calls/c1/hangup',
        headers: { ...withToken, 'content-type': 'application/xml' },
        body: '<a/>',
      },
    ],
  }

  for (const [name, [status, options]] of Object.entries(cases)) {
    it(`is answered ${status}: ${name}`, async () => {
      const { server, exchange, logged } = house()
      const call = new FakeCall('c1')
      exchange.live.push(call)
      expect((await problemFrom(server, options)).status).toBe(status)
      expect(call.hangUps).toBe(0)
      expect(logged.join('')).not.toMatch(/"level":(50|60)/)
    })
  }
})

describe('an error of our own', () => {
  it('keeps its inside inside, and says in the log what went wrong', async () => {
    const { server, telephony, logged } = house()
    telephony.inspect = async () => {
      throw Object.assign(new Error('deep inside'), { statusCode: 418, code: 'E_INSIDE' })
    }
    const problem = await problemFrom(server, { url: '/v1/channels' })
    expect(problem).toMatchObject({ status: 500, title: 'Internal Server Error' })
    expect(JSON.stringify(problem)).not.toMatch(/deep inside|E_INSIDE|\.ts/)
    const [line] = logged.map(each => JSON.parse(each)).filter(each => each.level === 50)
    expect(line.err.message).toBe('deep inside')
    expect(problem.detail).toContain(line.request)
  })

  it('is a bug when it is of the gateway but says nothing of Asterisk', async () => {
    const { server, telephony } = house()
    telephony.inspect = async () => {
      throw new GatewayError('BUG', 'an inner matter')
    }
    const problem = await problemFrom(server, { url: '/v1/channels' })
    expect([problem.status, problem.detail.includes('inner')]).toEqual([500, false])
  })

  it('is one when an answer does not follow its schema', async () => {
    const { server, exchange } = house()
    const call = new FakeCall('c1')
    Object.defineProperty(call, 'view', { value: { ...call.view, state: 'floating' } })
    exchange.live.push(call)
    const problem = await problemFrom(server, { url: '/v1/calls' })
    expect([problem.status, JSON.stringify(problem).includes('floating')]).toEqual([500, false])
  })
})

describe('on a socket', () => {
  async function exchangeBytes(request: string): Promise<string> {
    const { server } = house()
    await server.listen({ host: '127.0.0.1', port: 0 })
    try {
      const { port } = new URL(server.listeningOrigin)
      const socket = connect(Number(port), '127.0.0.1')
      socket.write(request)
      return await text(socket)
    } finally {
      await server.close()
    }
  }

  it('answers what is not HTTP, and closes', async () => {
    const answer = await exchangeBytes('INVITE sip:bianca@127.0.0.1 SIP/2.0\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(answer).toContain('x-content-type-options: nosniff')
    expect(JSON.parse(answer.split('\r\n\r\n')[1]!)).toMatchObject({ type: 'about:blank', status: 400 })
  })

  it('answers headers beyond the bound, and closes', async () => {
    const answer = await exchangeBytes(`GET /healthz HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 431 /)
  })

  it('bounds connections and the time of a request', async () => {
    const { server } = house()
    expect(server.server.maxConnections).toBe(limits.http.connections)
    expect(server.server.requestTimeout).toBe(limits.http.requestMs)
    expect(server.server.headersTimeout).toBe(limits.http.requestMs)
  })
})

it('gives up on a route that does not answer in time', async () => {
  const { server, telephony } = house()
  await server.ready()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const asked = Promise.withResolvers<void>()
    telephony.inspect = () => {
      asked.resolve()
      return new Promise(() => {})
    }
    const problem = problemFrom(server, { url: '/v1/channels' })
    await asked.promise
    vi.advanceTimersByTime(limits.http.requestMs)
    expect(await problem).toMatchObject({ status: 503, detail: 'The request could not be answered in time.' })
  } finally {
    vi.useRealTimers()
  }
})

it('cannot be built with an empty token, which would be anybody’s', () => {
  expect(() => house({ token: '' })).toThrow('the API token is empty')
})
