import { describe, expect, it } from 'vitest'
import type { CallFact } from '../../src/call/events.ts'
import { limits } from '../../src/limits.ts'
import { FakeCall, house, withToken } from './house.ts'

const REASON = 'asks about the bill of Mrs Example'

function withCall(state: FakeCall['state'] = 'live') {
  const parts = house()
  const call = new FakeCall('c1')
  call.state = state
  parts.exchange.live.push(call)
  const ask = async (method: 'POST' | 'DELETE' | 'GET', body?: object, path = '/v1/calls/c1/transfer') => {
    const answer = await parts.server.inject({ method, url: path, headers: withToken, ...(body && { body }) })
    return { status: answer.statusCode, text: answer.body, body: answer.json() }
  }
  return { ...parts, call, ask }
}

describe('POST /v1/calls/:id/transfer', () => {
  it('asks the agent for it, by the name of a destination', async () => {
    const { ask, call } = withCall()
    const body = { destination: 'billing', mode: 'attended', reason: REASON }
    expect(await ask('POST', body)).toMatchObject({ status: 202, body: { id: 'c1', state: 'live' } })
    expect((await ask('POST', { destination: 'reception' })).status).toBe(202)
    expect(call.askedTransfers).toEqual([
      { ...body, by: 'operator' },
      { destination: 'reception', by: 'operator' },
    ])
  })

  it('tells the call by its record, as everything else does', async () => {
    const { ask, call } = withCall()
    call.record = 'CA1'
    const transferred = await ask('POST', { destination: 'billing' }, '/v1/calls/CA1/transfer')
    expect(transferred).toMatchObject({ status: 202, body: { id: 'CA1', state: 'live' } })
  })

  it('names the destinations that there are to whoever asks for another', async () => {
    const { ask, call } = withCall()
    const { status, body } = await ask('POST', { destination: 'sip:2000@192.0.2.66' })
    expect([status, body]).toMatchObject([400, { destinations: ['reception', 'billing'], type: 'about:blank' }])
    expect(body.detail).toBe('The business has no destination of that name. There are: reception, billing.')
    call.destinations = []
    expect((await ask('POST', { destination: 'reception' })).body.detail).toMatch(/It has none/)
    expect(call.askedTransfers).toEqual([])
  })

  it.each([
    ['offered', /not live: it is offered/],
    ['answering', /not live: it is answering/],
    ['transferring', /A transfer is under way/],
    ['connected', /connected with somebody else already/],
    ['ending', /not live: it is ending/],
    ['ended', /has ended already/],
  ] as const)('conflicts with a call that is %s', async (state, words) => {
    const { ask, call } = withCall(state)
    const { status, body } = await ask('POST', { destination: 'reception' })
    expect([status, body.detail, call.askedTransfers]).toEqual([409, expect.stringMatching(words), []])
  })

  it('says so where the agent does not listen, and where there is no such call', async () => {
    const { ask, call } = withCall()
    call.listens = false
    expect(await ask('POST', { destination: 'reception' })).toMatchObject({ status: 409 })
    const never = await ask('POST', { destination: 'reception' }, '/v1/calls/never/transfer')
    expect(never).toMatchObject({ status: 404, body: { status: 404 } })
  })

  it.each([{}, { destination: '' }, { destination: 'reception', mode: 'loud' }, { destination: 'x', dial: 'y' }])(
    'refuses %j in words',
    async body => {
      const { status, body: problem } = await withCall().ask('POST', body)
      expect([status, problem.problems]).toEqual([400, [expect.any(String)]])
    },
  )
})

describe('DELETE /v1/calls/:id/transfer', () => {
  it('brings the caller back, also one whom the agent has yet to let go', async () => {
    for (const state of ['transferring', 'live'] as const) {
      const { ask, call } = withCall(state)
      expect(await ask('DELETE')).toMatchObject({ status: 202, body: { id: 'c1', state } })
      expect(call.askedTransfers).toEqual(['back'])
    }
  })

  it('conflicts where there is none, and not where it was asked for before', async () => {
    for (const [state, status] of [
      ['transferring', 202],
      ['live', 409],
    ] as const) {
      const { ask, call } = withCall(state)
      call.listens = false
      expect((await ask('DELETE')).status).toBe(status)
    }
  })

  it.each(['offered', 'connected', 'ending', 'ended'] as const)('conflicts with a call that is %s', async state => {
    const { ask, call } = withCall(state)
    expect([(await ask('DELETE')).status, call.askedTransfers]).toEqual([409, []])
  })
})

describe('GET /v1/calls/:id', () => {
  it('tells each transfer, and why only when asked', async () => {
    const { ask, call } = withCall('connected')
    const happened: CallFact[] = [
      {
        ...{ name: 'transferBegan', attempt: 1, destination: 'billing', mode: 'attended', by: 'caller' },
        private: { reason: REASON },
      },
      { name: 'transferRang', attempt: 1, afterMs: 80 },
      { name: 'transferEnded', attempt: 1, outcome: 'busy', tookMs: 900 },
      { name: 'transferBegan', attempt: 2, destination: 'reception', mode: 'blind', by: 'agent', private: {} },
      { name: 'transferAnswered', attempt: 2, afterMs: 70 },
    ]
    const atMs = Date.UTC(2026, 0, 5, 9, 1)
    call.events.push(
      ...happened.map((fact, at) => ({ call: 'c1', business: 'dentist', atMs: atMs + 1_000 * at, fact })),
    )
    const { body, text } = await ask('GET', undefined, '/v1/calls/c1')
    expect(text).not.toContain(REASON)
    expect(body.transfers).toEqual([
      {
        ...{ attempt: 1, destination: 'billing', mode: 'attended', by: 'caller', outcome: 'busy' },
        ...{ beganAt: '2026-01-05T09:01:00.000Z', rangAt: '2026-01-05T09:01:01.000Z', answeredAt: null },
        endedAt: '2026-01-05T09:01:02.000Z',
      },
      {
        ...{ attempt: 2, destination: 'reception', mode: 'blind', by: 'agent', outcome: null, endedAt: null },
        ...{ beganAt: '2026-01-05T09:01:03.000Z', rangAt: null, answeredAt: '2026-01-05T09:01:04.000Z' },
      },
    ])
    const open = (await ask('GET', undefined, '/v1/calls/c1?private=true')).body
    expect(open.transfers.map((each: { private?: object }) => each.private)).toEqual([{ reason: REASON }, undefined])
  })
})

it('bounds a reason as the call does', async () => {
  const reason = 'x'.repeat(limits.transfer.reasonChars + 1)
  expect((await withCall().ask('POST', { destination: 'reception', reason })).status).toBe(400)
})
