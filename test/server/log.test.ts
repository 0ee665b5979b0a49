import { describe, expect, it } from 'vitest'
import { callerNumber, FakeCall, house, spokenWords, token, withToken } from './house.ts'

async function logOf(requests: readonly object[]) {
  const { server, exchange, logged, telephony } = house()
  exchange.live.push(new FakeCall('c1'))
  telephony.inspect = async () => {
    throw new Error('no channels today')
  }
  for (const request of requests) await server.inject({ headers: withToken, ...request })
  return { text: logged.join(''), lines: logged.map(line => JSON.parse(line)) }
}

describe('the log of requests', () => {
  it('holds no token, no number, no words and nothing from a query or a path', async () => {
    const secretPath = 'what-a-client-wrote'
    const { text, lines } = await logOf([
      { url: `/v1/calls?private=true&x=${secretPath}` },
      { url: '/v1/calls/c1?private=true' },
      { url: `/v1/calls/${encodeURIComponent(callerNumber)}` },
      { url: `/v1/calls/${secretPath}` },
      { url: `/${secretPath}/${callerNumber}?token=${token}` },
      { url: `/%zz${secretPath}` },
      { url: `/v1/calls/${secretPath.repeat(50)}` },
      { url: '/v1/calls', headers: { authorization: `Bearer ${token}x` } },
      { url: '/v1/calls', headers: { authorization: `Basic ${token}` } },
      { url: '/v1/channels', headers: { ...withToken, cookie: secretPath } },
      { method: 'POST', url: '/v1/calls/c1/hangup', body: { note: secretPath } },
    ])
    expect(lines.length).toBeGreaterThan(8)
    for (const secret of [token, callerNumber, callerNumber.slice(1), spokenWords, 'patient-4711', secretPath])
      expect(text).not.toContain(secret)
  })

  it('tells what was asked by the route, the answer and the time it took', async () => {
    const { lines } = await logOf([{ url: '/v1/calls/c1?private=true' }])
    expect(lines).toEqual([expect.objectContaining({ level: 20, method: 'GET', route: '/v1/calls/:id', status: 200 })])
    expect(lines[0].tookMs).toBeTypeOf('number')
  })

  it('tells by default what changes something and who is turned away', async () => {
    const { lines } = await logOf([
      { url: '/healthz' },
      { method: 'POST', url: '/v1/calls/c1/hangup' },
      { url: '/v1/calls', headers: {} },
    ])
    expect(lines.filter(line => line.level >= 30)).toMatchObject([
      { level: 30, call: 'c1', by: 'the operator', msg: 'a call is hung up by request' },
      { level: 30, method: 'POST', route: '/v1/calls/:id/hangup', status: 202 },
      { level: 40, route: '/v1/calls', status: 401 },
    ])
  })
})
