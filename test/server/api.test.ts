import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { callerNumber, FakeCall, figures, house, spokenWords, withToken } from './house.ts'

async function get(server: ReturnType<typeof house>['server'], url: string) {
  const answer = await server.inject({ url, headers: withToken })
  return { status: answer.statusCode, body: answer.json(), text: answer.body, type: answer.headers['content-type'] }
}

describe('GET /v1/calls', () => {
  const three = () => {
    const parts = house()
    parts.exchange.live.push(new FakeCall('live-1'), new FakeCall('live-2'))
    parts.exchange.ended.push(new FakeCall('over').end())
    return parts
  }
  const ids = (body: { calls: { id: string }[] }) => body.calls.map(call => call.id)

  it('lists the newest first, live ones and those that have ended', async () => {
    const { body } = await get(three().server, '/v1/calls')
    expect(ids(body)).toEqual(['over', 'live-2', 'live-1'])
    expect(body.totals).toEqual({ live: 2, ended: 1 })
    expect(body.calls[2]).toEqual({
      id: 'live-1',
      state: 'live',
      outcome: null,
      business: 'dentist',
      engine: 'scripted',
      codec: 'ulaw',
      offeredAt: '2026-01-05T09:00:00.000Z',
      answeredAt: '2026-01-05T09:00:00.040Z',
      endedAt: null,
      durationMs: 61_000,
      transferredTo: null,
      from: '…77',
      channels: { caller: 'live-1', media: 'live-1-media' },
      bridge: 'live-1-bridge',
      ports: { gateway: 40_000, asterisk: 10_002 },
      quality: { lossPercent: 1, jitterMs: 1.23 },
      direction: 'inbound',
      carrier: null,
    })
    expect(body.calls[0]).toMatchObject({ state: 'ended', outcome: 'callerHungUp' })
  })

  it('filters by state and bounds by limit', async () => {
    const { server } = three()
    expect(ids((await get(server, '/v1/calls?state=live')).body)).toEqual(['live-2', 'live-1'])
    expect(ids((await get(server, '/v1/calls?state=ended')).body)).toEqual(['over'])
    expect(ids((await get(server, '/v1/calls?limit=1')).body)).toEqual(['over'])
  })

  for (const query of ['state=dead', 'limit=0', 'limit=801', 'limit=1.5', 'limit=x', 'stat=live', 'private=yes']) {
    it(`refuses ?${query} in words`, async () => {
      const { status, body, type } = await get(three().server, `/v1/calls?${query}`)
      expect(status).toBe(400)
      expect(type).toMatch(/^application\/problem\+json/)
      expect(body.problems).toHaveLength(1)
      expect(body.problems[0]).toContain(query.split('=')[0])
    })
  }

  it('tells who calls only when asked', async () => {
    const { server } = three()
    const hidden = await get(server, '/v1/calls')
    expect(hidden.text).not.toContain(callerNumber)
    expect(hidden.text).not.toContain('patient-4711')
    const open = await get(server, '/v1/calls?private=true')
    expect(open.body.calls[0].private).toEqual({
      callerNumber,
      parameters: { callSid: 'CA1', patientId: 'patient-4711' },
    })
  })

  for (const [number, shown] of [
    ['', 'unknown'],
    ['anonymous', '…'],
    ['100', '…'],
    ['5550100377', '…77'],
  ] as const) {
    it(`shows the caller "${number}" as "${shown}"`, async () => {
      const { server, exchange } = house()
      const call = new FakeCall('c1')
      const { view } = call
      Object.defineProperty(call, 'view', { get: () => ({ ...view, callerNumber: number }) })
      exchange.live.push(call)
      expect((await get(server, '/v1/calls')).body.calls[0].from).toBe(shown)
    })
  }

  it('is not kept waiting by a media thread that tells nothing', async () => {
    const { server, exchange, clock } = house()
    const call = new FakeCall('c1')
    call.figures = () => new Promise(() => {})
    exchange.live.push(call)
    const answer = get(server, '/v1/calls')
    await clock.run(500)
    expect((await answer).body.calls[0].quality).toBeNull()
  })
})

describe('GET /v1/calls/:id', () => {
  it('tells all of a call: events and figures too', async () => {
    const { server, exchange } = house()
    exchange.live.push(new FakeCall('c1'))
    const { body, text } = await get(server, '/v1/calls/c1')
    expect(body).toMatchObject({
      state: 'live',
      channels: { caller: 'c1', media: 'c1-media' },
      bridge: 'c1-bridge',
      codec: 'ulaw',
      engine: 'scripted',
      ports: { gateway: 40_000, asterisk: 10_002 },
      rtp: figures,
    })
    expect(body.events).toEqual([
      {
        at: '2026-01-05T09:00:00.000Z',
        name: 'offered',
        details: { engine: 'scripted', codec: 'ulaw' },
      },
      { at: '2026-01-05T09:00:00.040Z', name: 'answered', details: { setUpMs: 40 } },
      { at: '2026-01-05T09:00:00.900Z', name: 'callerSpoke', details: {} },
    ])
    for (const secret of [callerNumber, spokenWords, 'patient-4711', 'sip:bianca']) expect(text).not.toContain(secret)
  })

  it('tells what was said only when asked', async () => {
    const { server, exchange } = house()
    exchange.live.push(new FakeCall('c1'))
    const { body } = await get(server, '/v1/calls/c1?private=true')
    expect(body.events[2].private).toEqual({ text: spokenWords })
    expect(body.events[0].private).toMatchObject({ callerNumber, calledUser: 'bianca' })
  })

  it('finds a call that has ended, and none that never was', async () => {
    const { server, exchange } = house()
    exchange.ended.push(new FakeCall('over').end())
    expect((await get(server, '/v1/calls/over')).body).toMatchObject({ state: 'ended', outcome: 'callerHungUp' })
    const { status, body, type } = await get(server, '/v1/calls/never')
    expect([status, type]).toEqual([404, expect.stringMatching(/^application\/problem\+json/)])
    expect(body).toMatchObject({ type: 'about:blank', title: 'Not Found', status: 404 })
  })
})

describe('POST /v1/calls/:id/hangup', () => {
  const hangUp = (server: ReturnType<typeof house>['server'], id: string, options = {}) =>
    server.inject({ method: 'POST', url: `/v1/calls/${id}/hangup`, headers: withToken, ...options })

  it('ends a live call, and may be asked again while it ends', async () => {
    const { server, exchange } = house()
    const call = new FakeCall('c1')
    exchange.live.push(call)
    const first = await hangUp(server, 'c1')
    expect([first.statusCode, first.json()]).toEqual([202, { id: 'c1', state: 'ending' }])
    const again = await hangUp(server, 'c1', {
      headers: { ...withToken, 'content-type': 'application/json' },
      body: '{}',
    })
    expect([again.statusCode, again.json()]).toEqual([202, { id: 'c1', state: 'ending' }])
  })

  it('finds a call of the carrier by either name, and tells the one of its record', async () => {
    const { server, exchange } = house()
    const call = Object.assign(new FakeCall('c1'), { record: 'CA1' })
    exchange.live.push(call)
    for (const name of ['CA1', 'c1'])
      expect((await hangUp(server, name)).json()).toEqual({ id: 'CA1', state: 'ending' })
    expect(call.hangUps).toBe(2)
  })

  it('knows no call that never was', async () => {
    expect((await hangUp(house().server, 'c1')).statusCode).toBe(404)
  })

  it('conflicts with a call that has ended, and does not touch it', async () => {
    const { server, exchange } = house()
    const call = new FakeCall('c1').end()
    exchange.ended.push(call)
    const answer = await hangUp(server, 'c1')
    expect([answer.statusCode, answer.json().title, call.hangUps]).toEqual([409, 'Conflict', 0])
  })

  it('hangs up nothing without the token', async () => {
    const { server, exchange } = house()
    const call = new FakeCall('c1')
    exchange.live.push(call)
    expect((await hangUp(server, 'c1', { headers: {} })).statusCode).toBe(401)
    expect(call.hangUps).toBe(0)
  })
})

describe('GET /v1/channels', () => {
  it('tells of every channel and bridge whose it is', async () => {
    const { server, inspection } = house()
    inspection.channels = [
      { id: 'a', name: 'PJSIP/trunk-1', state: 'Up', call: 'a' },
      { id: 'b', name: 'UnicastRTP/1', state: 'Up', call: undefined },
    ]
    inspection.bridges = [
      { id: 'x', technology: 'simple_bridge', channels: ['a'], call: 'a' },
      { id: 'y', technology: 'softmix', channels: [], call: undefined },
    ]
    expect((await get(server, '/v1/channels')).body).toEqual({
      channels: [
        { id: 'a', name: 'PJSIP/trunk-1', state: 'Up', call: 'a' },
        { id: 'b', name: 'UnicastRTP/1', state: 'Up', call: 'orphan' },
      ],
      bridges: [
        { id: 'x', technology: 'simple_bridge', channels: ['a'], call: 'a' },
        { id: 'y', technology: 'softmix', channels: [], call: 'orphan' },
      ],
    })
  })

  it('says so when Asterisk is away', async () => {
    const { server, telephony } = house()
    telephony.inspect = async () => {
      throw new GatewayError('ARI_UNREACHABLE', 'Asterisk does not answer.')
    }
    const { status, body } = await get(server, '/v1/channels')
    expect([status, body]).toMatchObject([503, { detail: 'Asterisk does not answer.', code: 'ARI_UNREACHABLE' }])
  })
})
