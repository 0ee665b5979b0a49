import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cursorOf, isBefore, pageOf, placeOf } from '../../src/server/page.ts'
import type { StoredCall } from '../../src/store/calls.ts'
import type { Store } from '../../src/store/store.ts'
import { seeded } from '../support/random.ts'
import { away, FakeCall, house, withToken } from './house.ts'

const nineMs = Date.UTC(2026, 0, 5, 9)

function storedCall(id: string, minutesBefore: number): StoredCall {
  return {
    id,
    business: 'dentist',
    state: 'ended',
    engine: 'local',
    codec: 'ulaw',
    caller_number: '+15550100388',
    called_user: 'bianca',
    parameters: { callSid: 'CA2' },
    offered_at: new Date(nineMs - 60_000 * minutesBefore),
    answered_at: new Date(nineMs - 60_000 * minutesBefore + 40),
    ended_at: new Date(nineMs - 60_000 * minutesBefore + 5_000),
    outcome: 'callerHungUp',
    duration_ms: 5_000,
    set_up_ms: 40,
    figures: null,
    transferred_to: null,
    direction: 'inbound',
    carrier_status: null,
    carrier_seconds: null,
    carrier_error: null,
    answered_by: null,
    price: null,
    price_unit: null,
  }
}

/** A store that answers every question with these rows. */
function answering(rows: readonly unknown[]): Store['ask'] {
  return (async () => rows) as unknown as Store['ask']
}

function asking(parts: ReturnType<typeof house>, query: string) {
  return parts.server.inject({ url: `/v1/calls?${query}`, headers: withToken }).then(answer => ({
    status: answer.statusCode,
    body: answer.json(),
    ids: (answer.json().calls ?? []).map(({ id }: { id: string }) => id),
  }))
}

describe('a cursor', () => {
  it('leads back to the place that it was made of', () => {
    fc.assert(
      fc.property(fc.integer(), fc.stringMatching(/^[ -~]{1,100}$/), (atMs, id) => {
        expect(placeOf(cursorOf({ atMs, id }))).toEqual({ atMs, id })
      }),
      { seed: 1 },
    )
  })

  for (const cursor of [
    'x',
    'bm90IGpzb24',
    cursorOf({ atMs: 1.5, id: 'x' }),
    cursorOf({ atMs: 1e17, id: 'x' }),
    cursorOf({ atMs: -8.64e15, id: '1' }),
    cursorOf({ atMs: 1, id: 'a\0' }),
  ]) {
    it(`that was not given out is refused: ${cursor}`, async () => {
      for (const list of ['calls', 'messages']) {
        const url = `/v1/${list}?cursor=${cursor}`
        const answer = await house().server.inject({ url, headers: withToken })
        expect([answer.statusCode, answer.json().detail]).toEqual([400, expect.stringMatching(/cursor/)])
      }
    })
  }

  it('of a list of calls is refused where messages are listed', async () => {
    const url = `/v1/messages?cursor=${cursorOf({ atMs: nineMs, id: 'call-1' })}`
    expect((await house().server.inject({ url, headers: withToken })).statusCode).toBe(400)
  })
})

it('pages, one after the other, tell each place once and in order, however they are cut', () => {
  const random = seeded(5)
  const all = Array.from({ length: 200 }, (_, n) => ({ atMs: Math.floor(random() * 50), id: `id-${n}` }))
  all.sort((one, other) => (isBefore(one, other) ? -1 : 1))
  const told: typeof all = []
  for (let cursor: string | undefined; ; ) {
    const limit = 1 + Math.floor(random() * 20)
    const after = placeOf(cursor)
    const behind = all.filter(each => !after || isBefore(after, each)).slice(0, limit + 1)
    const { page, next } = pageOf(behind, limit, each => each)
    told.push(...page)
    if (next === null) break
    cursor = next
  }
  expect(told).toEqual(all)
})

describe('calls of this gateway and of the store', () => {
  it('are told together, the newest first, and the rest on the next page', async () => {
    const parts = house()
    parts.exchange.live.push(new FakeCall('here-1'))
    parts.store.ask = answering([storedCall('stored-1', 1), storedCall('stored-2', 2), storedCall('stored-3', 3)])
    const first = await asking(parts, 'limit=2')
    expect([first.ids, first.body.complete]).toEqual([['here-1', 'stored-1'], true])
    expect(placeOf(first.body.next)).toEqual({ atMs: nineMs - 60_000, id: 'stored-1' })
    expect(first.body.calls[1]).toMatchObject({
      ...{ state: 'ended', outcome: 'callerHungUp', engine: 'local (the built-in demo engine)', from: '…88' },
      ...{ durationMs: 5_000, endedAt: '2026-01-05T08:59:05.000Z', bridge: null, ports: null, quality: null },
    })
    parts.store.ask = answering([storedCall('stored-2', 2)])
    const second = await asking(parts, `limit=2&cursor=${first.body.next}`)
    expect([second.ids, second.body.next]).toEqual([['stored-2'], null])
  })

  it('are those of this gateway alone while the database is away, and it says so', async () => {
    const parts = house()
    parts.store.ask = away
    parts.exchange.live.push(new FakeCall('here-1'))
    const { status, body, ids } = await asking(parts, '')
    expect([status, ids, body.complete]).toEqual([200, ['here-1'], false])
    expect((await asking(parts, 'text=tooth')).status).toBe(503)
  })

  it('are filtered alike, wherever they are known', async () => {
    const parts = house()
    parts.exchange.live.push(new FakeCall('here-1'))
    parts.exchange.ended.push(new FakeCall('here-2').end())
    const cases: Record<string, readonly string[]> = {
      'business=dentist': ['here-2', 'here-1'],
      'business=plumber': [],
      'number=%2B15550100377': ['here-2', 'here-1'],
      'number=+15550100377': ['here-2', 'here-1'],
      'number=377': [],
      'state=live': ['here-1'],
      'state=ended': ['here-2'],
      'outcome=callerHungUp': ['here-2'],
      'outcome=failed': [],
      'since=2026-01-05T09:00:00Z': ['here-2', 'here-1'],
      'since=2026-01-05T09:00:01Z': [],
      'before=2026-01-05T10:00:01%2B01:00': ['here-2', 'here-1'],
      'before=2026-01-05T09:00:00Z': [],
    }
    for (const [query, ids] of Object.entries(cases))
      expect([query, (await asking(parts, query)).ids]).toEqual([query, ids])
  })

  it('that ended in a voicemail are told so as soon as it is found, as the store does', async () => {
    const parts = house()
    const left = new FakeCall('here-1').end()
    parts.exchange.ended.push(left, new FakeCall('here-2').end())
    const hidden = { recording: 'fallback-1', callerNumber: undefined }
    const fact = { name: 'voicemailLeft', seconds: 4, private: hidden } as const
    left.events.push({ call: left.id, business: 'dentist', atMs: Date.UTC(2026, 0, 5, 9, 2), fact })
    expect((await asking(parts, 'outcome=voicemail')).body.calls).toMatchObject([
      { id: 'here-1', outcome: 'voicemail' },
    ])
    expect((await asking(parts, 'outcome=callerHungUp')).ids).toEqual(['here-2'])
  })

  it('are found by what a transfer came to', async () => {
    const parts = house()
    const tried = new FakeCall('here-1')
    parts.exchange.live.push(tried, new FakeCall('here-2'))
    const fact = { name: 'transferEnded', attempt: 1, outcome: 'busy', tookMs: 900 } as const
    tried.events.push({ call: tried.id, business: 'dentist', atMs: Date.UTC(2026, 0, 5, 9, 2), fact })
    expect((await asking(parts, 'transfer=busy')).ids).toEqual(['here-1'])
    expect((await asking(parts, 'transfer=connected')).ids).toEqual([])
    expect((await asking(parts, 'transfer=unknown')).status).toBe(400)
  })

  it('of which both know are told as they are here', async () => {
    const parts = house()
    parts.exchange.live.push(new FakeCall('here-1'))
    parts.store.ask = answering([storedCall('here-1', 0)])
    // By words the store alone finds it; as it is now it is known here.
    const { body } = await asking(parts, 'text=tooth')
    expect(body.calls).toMatchObject([{ id: 'here-1', state: 'live', bridge: 'here-1-bridge' }])
  })
})

describe('a call’s conversation', () => {
  it('is told in turns, with where the time went, and in tools', async () => {
    const parts = house()
    const call = new FakeCall('c1')
    const told = (atMs: number, fact: FakeCall['events'][number]['fact']) =>
      call.events.push({ call: 'c1', business: 'dentist', atMs: nineMs + atMs, fact })
    told(1_000, { name: 'toolRan', tool: 'look_up', ok: true, tookMs: 12 })
    told(1_100, { name: 'turnAnswered', thinkMs: 300, pauseMs: 500 })
    told(1_101, { name: 'replyTimed', askMs: 1, beginMs: 2, makeMs: 3, playMs: 4 })
    told(2_000, { name: 'agentSpoke', ms: 900, complete: false, private: { text: 'Come at' } })
    parts.exchange.live.push(call)
    const get = (query: string) =>
      parts.server.inject({ url: `/v1/calls/c1${query}`, headers: withToken }).then(answer => answer.json())
    const latency = { thinkMs: 300, pauseMs: 500, askMs: 1, beginMs: 2, makeMs: 3, playMs: 4 }
    expect(await get('')).toMatchObject({
      complete: true,
      turns: [
        { at: '2026-01-05T09:00:00.900Z', who: 'caller', heardMs: null, complete: null, latency: null },
        { at: '2026-01-05T09:00:02.000Z', who: 'agent', heardMs: 900, complete: false, latency },
      ],
      tools: [{ at: '2026-01-05T09:00:01.000Z', tool: 'look_up', ok: true, tookMs: 12 }],
    })
    expect((await get('')).turns[0]).not.toHaveProperty('private')
    expect((await get('?private=true')).turns[1].private).toEqual({ text: 'Come at' })
  })
})
