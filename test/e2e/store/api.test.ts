import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import { type Journal, openJournal } from '../../../src/call/journal.ts'
import type { JournalPosition } from '../../../src/call/journal-reader.ts'
import { systemClock } from '../../../src/clock.ts'
import { limits } from '../../../src/limits.ts'
import { keepDelivery } from '../../../src/store/deliveries.ts'
import type { WantedJob } from '../../../src/store/jobs.ts'
import { orderOutbound } from '../../../src/store/outbound.ts'
import { Store } from '../../../src/store/store.ts'
import { FakeCall, figures, house, withToken } from '../../server/house.ts'
import { caseOf, routesOf } from '../../server/route-cases.ts'
import { seedDatabase } from '../../support/database.ts'
import { PostgresServer } from '../../support/postgres.ts'

/** Two businesses: what the one's token must never be told of the other stands in every row of its. */
const secretOfPlumber = 'plumber'
const dayMs = Date.UTC(2026, 0, 5)
const hourMs = 3_600_000

function offered(callerNumber: string): CallFact {
  const parameters = { callSid: 'CA1' }
  const hidden = { callerNumber, calledUser: 'bianca', requestUri: '', parameters, headers: {} }
  return { name: 'offered', engine: 'scripted', codec: 'ulaw', private: hidden }
}

function events(call: string, business: string, atMs: number, facts: readonly CallFact[]): CallEvent[] {
  return facts.map((fact, index) => ({ call, business, atMs: atMs + 500 * index, fact }))
}

function conversation(callerNumber: string, said: string, pauseMs = 500): CallFact[] {
  return [
    offered(callerNumber),
    { name: 'answered', setUpMs: 40 },
    { name: 'callerSpoke', private: { text: said } },
    { name: 'toolRan', tool: 'look_up', ok: true, tookMs: 12 },
    { name: 'turnAnswered', thinkMs: 300, pauseMs },
    { name: 'agentSpoke', ms: 400, complete: true, private: { text: 'Good day, come at nine.' } },
    { name: 'messageTaken', private: { text: `about ${said}`, callback: callerNumber } },
    { name: 'mediaClosed', figures },
    { name: 'ended', reason: 'callerHungUp', durationMs: 90_000 },
  ]
}

const transferred: CallFact[] = [
  offered('+15550100100'),
  { name: 'answered', setUpMs: 40 },
  {
    ...{ name: 'transferBegan', attempt: 1, destination: 'reception', mode: 'blind', by: 'caller' },
    private: { reason: 'wants a person for a secret' },
  },
  { name: 'transferRang', attempt: 1, afterMs: 80 },
  { name: 'transferAnswered', attempt: 1, afterMs: 480 },
  { name: 'transferEnded', attempt: 1, outcome: 'connected', tookMs: 500 },
  { name: 'ended', reason: 'transferred', durationMs: 60_000 },
]

/** Newest first in this order: dentist-5 ... dentist-1, each an hour older, then those of earlier days. */
const story: CallEvent[] = [
  ...events('moved-1', 'mover', dayMs - 7 * 24 * hourMs, transferred),
  ...events('dentist-0', 'dentist', dayMs + 2 * hourMs, conversation('anonymous', 'It was late in New York')),
  ...events('dentist-1', 'dentist', dayMs + 9 * hourMs, conversation('+15550100101', 'My tooth hurts terribly')),
  ...events('dentist-2', 'dentist', dayMs + 10 * hourMs, conversation('+15550100102', 'a crown, please', 700)),
  ...events('dentist-3', 'dentist', dayMs + 11 * hourMs, [{ name: 'refused', reason: 'capacity' }]),
  ...events('dentist-4', 'dentist', dayMs + 12 * hourMs, [
    { name: 'voicemailLeft', seconds: 9, private: { recording: 'x.wav', callerNumber: '+15550100101' } },
    { name: 'transcribed', recording: 'x.wav', by: 'builtIn', private: { text: 'my filling fell out' } },
    {
      ...{ name: 'summarized', by: 'provider', urgency: 'soon' },
      private: { who: 'a patient', why: 'broken filling', outcome: 'left a message', followUp: 'ring tomorrow' },
    },
  ]),
  ...events('dentist-5', 'dentist', dayMs + 13 * hourMs, [offered('+15550100105'), { name: 'answered', setUpMs: 40 }]),
  ...events(`${secretOfPlumber}-1`, secretOfPlumber, dayMs + 9 * hourMs, conversation('+15550100201', 'plumber tooth')),
]

function summaryOf({ call, business, fact }: CallEvent): WantedJob[] {
  return fact.name === 'ended' ? [{ kind: 'summarize', key: call, business, subject: { call } }] : []
}

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-api-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

describe.each(['embedded', 'server'] as const)('the API over the %s database', kind => {
  const trouble: string[] = []
  let journal: Journal
  let store: Store
  beforeAll(async () => {
    const directory = join(folder, kind)
    const database = join(folder, `${kind}-database`)
    if (kind === 'embedded') await seedDatabase(database)
    journal = await openJournal({ directory, clock: systemClock, trouble: text => trouble.push(text) })
    store = new Store({
      url: kind === 'server' ? server.url : undefined,
      folder: database,
      source: journal,
      clock: systemClock,
      trouble: text => trouble.push(text),
      work: { wantedBy: summaryOf, wanted: () => {} },
    })
    await store.open()
    for (const event of story) journal.append(event)
    await journal.flushed()
    await store.caughtUp()
    await store.ask(db =>
      sql`insert into businesses (id, settings, created_at, changed_at, version) values
        ('dentist', '{"timeZone": "America/New_York"}', now(), now(), 1), ('plumber', '{}', now(), now(), 1)`.execute(
        db,
      ),
    )
  })
  afterAll(async () => {
    await store.close()
    await journal.close()
  })

  /** A gateway of its own on the same database, and somebody who asks it. */
  const node = () => {
    const parts = house({ store })
    const ask = async (route: string, { headers = withToken, body }: { headers?: object; body?: object } = {}) => {
      const [method, url] = route.split(' ')
      const answer = await parts.server.inject({
        method: method as 'GET',
        url: url!,
        headers: { ...headers },
        ...(body && { body }),
      })
      if (answer.statusCode >= 400) {
        expect([route, answer.headers['content-type']]).toEqual([route, 'application/problem+json; charset=utf-8'])
      }
      return { status: answer.statusCode, text: answer.body, body: answer.body === '' ? undefined : answer.json() }
    }
    return { ...parts, ask }
  }
  type Node = ReturnType<typeof node>
  const idsOf = async ({ ask }: Node, query: string): Promise<string[]> =>
    (await ask(`GET /v1/calls?${query}`)).body.calls.map(({ id }: { id: string }) => id)
  const tokenFor = async ({ ask }: Node, business: string | null) => {
    const { body } = await ask('POST /v1/tokens', { body: { name: `for ${business}`, business } })
    return { id: body.id as string, headers: { authorization: `Bearer ${body.token}` } }
  }

  it('finds calls by business, number, state, outcome, time and words', async () => {
    const here = node()
    const cases: Record<string, readonly string[]> = {
      'business=dentist': ['dentist-5', 'dentist-4', 'dentist-3', 'dentist-2', 'dentist-1', 'dentist-0'],
      'business=plumber': ['plumber-1'],
      'business=nobody': [],
      'number=%2B15550100101': ['dentist-4', 'dentist-1'],
      'state=live': ['dentist-5'],
      'state=ended&business=plumber': ['plumber-1'],
      'outcome=refused': ['dentist-3'],
      'outcome=voicemail': ['dentist-4'],
      'outcome=transferred': ['moved-1'],
      'transfer=connected': ['moved-1'],
      'transfer=busy': [],
      'outcome=callerHungUp&business=dentist': ['dentist-2', 'dentist-1', 'dentist-0'],
      'since=2026-01-05T12:00:00Z': ['dentist-5', 'dentist-4'],
      'before=2026-01-05T09:00:00Z': ['dentist-0', 'moved-1'],
      'text=tooth': ['plumber-1', 'dentist-1'],
      'text=TOOTH%20terribly': ['dentist-1'],
      'text=tooth&business=dentist': ['dentist-1'],
      'text=%22hurts%20terribly%22': ['dentist-1'],
      'text=%22terribly%20hurts%22': [],
      'text=tooth%20-plumber': ['dentist-1'],
      'text=come%20nine&number=%2B15550100102': ['dentist-2'],
      'text=fell%20tomorrow': ['dentist-4'],
      'text=!!!': [],
      'text=nowhere': [],
    }
    for (const [query, ids] of Object.entries(cases)) expect([query, await idsOf(here, query)]).toEqual([query, ids])
  })

  it('tells every call once when it is read page by page', async () => {
    const { ask } = node()
    const told: string[] = []
    let query = 'limit=2'
    do {
      const { body } = await ask(`GET /v1/calls?${query}`)
      told.push(...body.calls.map(({ id }: { id: string }) => id))
      query = body.next && `limit=2&cursor=${body.next}`
    } while (query)
    const dentist = ['dentist-5', 'dentist-4', 'dentist-3', 'dentist-2', 'plumber-1', 'dentist-1', 'dentist-0']
    expect(told).toEqual([...dentist, 'moved-1'])
  })

  it('tells with whom a caller was connected, and counts the call as transferred', async () => {
    const { ask } = node()
    const { body, text } = await ask('GET /v1/calls/moved-1')
    expect(text).not.toContain('secret')
    expect(body).toMatchObject({
      ...{ outcome: 'transferred', transferredTo: 'reception' },
      transfers: [
        {
          ...{ attempt: 1, destination: 'reception', mode: 'blind', by: 'caller', outcome: 'connected' },
          ...{ beganAt: '2025-12-29T00:00:01.000Z', rangAt: '2025-12-29T00:00:01.500Z' },
          ...{ answeredAt: '2025-12-29T00:00:02.000Z', endedAt: '2025-12-29T00:00:02.500Z' },
        },
      ],
    })
    expect((await ask('GET /v1/calls?business=mover')).body.calls[0].transferredTo).toBe('reception')
    const open = (await ask('GET /v1/calls/moved-1?private=true')).body.transfers[0]
    expect(open.private).toEqual({ reason: 'wants a person for a secret' })
    const { days } = (await ask('GET /v1/stats?business=mover&from=2025-12-29&to=2025-12-29')).body
    expect(days).toMatchObject([{ calls: 1, answered: 1, transferred: 1 }])
  })

  it('tells all of a call that ended before this gateway was started', async () => {
    const { ask } = node()
    const { body, text } = await ask('GET /v1/calls/dentist-1')
    expect(body).toMatchObject({
      ...{ id: 'dentist-1', state: 'ended', outcome: 'callerHungUp', durationMs: 90_000, from: '…01', complete: true },
      ...{ answeredAt: '2026-01-05T09:00:00.500Z', endedAt: '2026-01-05T09:00:04.000Z', rtp: figures },
      turns: [
        { who: 'caller', latency: null },
        { who: 'agent', heardMs: 400, complete: true, latency: { thinkMs: 300, pauseMs: 500 } },
      ],
      tools: [{ tool: 'look_up', ok: true, tookMs: 12 }],
    })
    expect(body.events.map(({ name }: { name: string }) => name)).toEqual(conversation('', '').map(({ name }) => name))
    for (const secret of ['tooth', '0100101', 'CA1']) expect(text).not.toContain(secret)
    const open = (await ask('GET /v1/calls/dentist-1?private=true')).body
    expect(open.private).toEqual({ callerNumber: '+15550100101', parameters: { callSid: 'CA1' } })
    expect(open.turns[0].private).toEqual({ text: 'My tooth hurts terribly' })
    expect((await ask('GET /v1/calls/never')).status).toBe(404)
  })

  it('tells what was made of a call when it was over, what was said in it only on demand', async () => {
    const { ask } = node()
    const closed = await ask('GET /v1/calls/dentist-4')
    expect(closed.body).toMatchObject({
      summary: { by: 'provider', urgency: 'soon' },
      transcripts: [{ by: 'builtIn' }],
    })
    expect(closed.text).not.toMatch(/filling|patient/)
    const open = (await ask('GET /v1/calls/dentist-4?private=true')).body
    expect(open.summary.private).toMatchObject({ who: 'a patient', followUp: 'ring tomorrow' })
    expect(open.transcripts[0].private).toEqual({ text: 'my filling fell out' })
    expect((await ask('GET /v1/calls/dentist-1')).body).toMatchObject({ summary: null, transcripts: [] })
  })

  it('tells the whole of a call that is longer than memory keeps', async () => {
    const { ask, exchange } = node()
    const call = new FakeCall('dentist-1')
    while (call.events.length < limits.call.eventsKept) call.events.push(call.events[1]!)
    exchange.live.push(call)
    const { body } = await ask('GET /v1/calls/dentist-1')
    // The store has less of it just now.
    expect([body.state, body.events.length, body.complete]).toEqual(['live', limits.call.eventsKept, false])
  })

  it('tells a call that both know as it is at the gateway, and one that the store does not know yet', async () => {
    const here = node()
    here.exchange.live.push(new FakeCall('dentist-5'), new FakeCall('not-written-yet'))
    const { calls } = (await here.ask('GET /v1/calls?state=live')).body
    expect(calls).toMatchObject([
      { id: 'not-written-yet', bridge: 'not-written-yet-bridge' },
      { id: 'dentist-5', bridge: 'dentist-5-bridge', ports: { gateway: 40_000 }, quality: { lossPercent: 1 } },
    ])
    here.exchange.live.length = 0
    here.exchange.ended.push(new FakeCall('dentist-5').end())
    expect(await idsOf(here, 'state=live')).toEqual([])
  })

  it('lists messages, and marks them as read', async () => {
    const { ask } = node()
    const list = async (query: string) => (await ask(`GET /v1/messages?${query}`)).body.messages
    const [newest, ...others] = await list('business=dentist&private=true')
    expect(newest).toMatchObject({
      ...{ call: 'dentist-2', business: 'dentist', kind: 'message', readAt: null },
      private: { callback: '+15550100102', text: 'about a crown, please' },
    })
    expect(others.map(({ call }: { call: string }) => call)).toEqual(['dentist-1', 'dentist-0'])
    expect(JSON.stringify(await list('business=dentist'))).not.toMatch(/crown|0100102/)
    const first = await ask(`POST /v1/messages/${newest.id}/read`)
    expect([first.status, typeof first.body.readAt]).toEqual([200, 'string'])
    expect((await ask(`POST /v1/messages/${newest.id}/read`)).body.readAt).toBe(first.body.readAt)
    expect((await list('business=dentist&unread=true')).length).toBe(2)
    expect((await list('business=dentist&unread=false')).length).toBe(1)
    expect(await list('kind=appointment')).toEqual([])
    const { body } = await ask('GET /v1/messages?business=dentist&limit=2')
    expect(
      (await list(`business=dentist&limit=2&cursor=${body.next}`)).map(({ call }: { call: string }) => call),
    ).toEqual(['dentist-0'])
    for (const id of ['999999', 'x', '9'.repeat(40)])
      expect((await ask(`POST /v1/messages/${id}/read`)).status).toBe(404)
  })

  it('tells figures by day, as the clocks at the business show it', async () => {
    const { ask } = node()
    const { body } = await ask('GET /v1/stats?business=dentist&from=2026-01-03&to=2026-01-05')
    const none = { calls: 0, answered: 0, transferred: 0, voicemails: 0, refused: 0, minutes: 0, answers: null }
    expect(body).toEqual({
      ...{ business: 'dentist', timeZone: 'America/New_York', from: '2026-01-03', to: '2026-01-05' },
      days: [
        { day: '2026-01-03', ...none },
        // At two in the morning by UTC.
        {
          ...none,
          day: '2026-01-04',
          calls: 1,
          answered: 1,
          minutes: 1.5,
          answers: { count: 1, averageMs: 800, p95Ms: 800 },
        },
        {
          ...{ day: '2026-01-05', calls: 5, answered: 3, transferred: 0, voicemails: 1, refused: 1, minutes: 3 },
          answers: { count: 2, averageMs: 900, p95Ms: 1_000 },
        },
      ],
    })
    const all = (await ask('GET /v1/stats?from=2026-01-05&to=2026-01-05')).body
    expect([all.business, all.timeZone, all.days[0].calls]).toEqual([null, 'UTC', 7])
    const wrong = ['from=2026-01-05&to=2026-01-04', 'from=2020-01-01&to=2026-01-01', 'from=yesterday']
    for (const query of [...wrong, 'from=9999-12-30', 'to=0000-01-02']) {
      expect([query, (await ask(`GET /v1/stats?${query}`)).status]).toEqual([query, 400])
    }
  })

  it('gives out a token once, notes its use, and ends it at once here and within seconds on another node', async () => {
    const [here, there] = [node(), node()]
    const made = await here.ask('POST /v1/tokens', { body: { name: 'for the website', business: 'dentist' } })
    const { token, id } = made.body
    expect([made.status, token]).toEqual([201, expect.stringMatching(/^parley_[A-Za-z0-9_-]{43}$/)])
    const headers = { authorization: `Bearer ${token}` }
    const look = (at: Node) => at.ask('GET /v1/calls', { headers }).then(({ status }) => status)
    const listed = async () => {
      const { text, body } = await here.ask('GET /v1/tokens')
      expect(text).not.toContain(token.slice(7))
      return body.tokens.find((each: { id: string }) => each.id === id)
    }
    expect(await listed()).toMatchObject({
      name: 'for the website',
      business: 'dentist',
      lastUsedAt: null,
      revokedAt: null,
    })
    expect([await look(here), await look(there)]).toEqual([200, 200])
    // It is noted beside the answer: whoever asks the database afterwards finds it.
    const noted = async (): Promise<string> => (await listed()).lastUsedAt ?? (await noted())
    const lastUsedAt = await noted()
    // Not written again within the minute.
    here.clock.advance(limits.http.tokenKnownMs)
    expect(await look(here)).toBe(200)
    expect((await listed()).lastUsedAt).toBe(lastUsedAt)

    expect((await here.ask(`DELETE /v1/tokens/${id}`)).status).toBe(204)
    expect([await look(here), await look(there)]).toEqual([401, 200])
    there.clock.advance(limits.http.tokenKnownMs)
    expect(await look(there)).toBe(401)
    expect((await listed()).revokedAt).not.toBeNull()
    expect((await here.ask('DELETE /v1/tokens/never')).status).toBe(404)
    expect((await here.ask('POST /v1/tokens', { body: { name: 'x', business: 'nobody' } })).status).toBe(409)
    expect((await here.ask('POST /v1/tokens', { body: { name: 'x' } })).status).toBe(400)
    const { rows } = await store.ask(db => sql`select * from tokens`.execute(db))
    expect(JSON.stringify(rows)).not.toContain(token.slice(7))
  })

  it('lets no word of a row out with an error of the database', async () => {
    const asked = store.ask(db => sql`select ${'what a caller said'}::text::integer`.execute(db))
    await expect(asked).rejects.toMatchObject({
      code: 'BUG',
      message: 'The database refused what it was asked (22P02).',
    })
    await expect(asked).rejects.not.toHaveProperty('cause')
  })

  it('tells what is done when calls are over, page by page, and has it begun anew when it has failed', async () => {
    const here = node()
    const ids: string[] = []
    for (let next: string | null = ''; next !== null; ) {
      const { body } = await here.ask(`GET /v1/jobs?business=dentist&limit=1${next && `&cursor=${next}`}`)
      ids.push(...body.jobs.map(({ subject }: { subject: { call: string } }) => subject.call))
      next = body.next
    }
    expect(ids.toSorted()).toEqual(['dentist-0', 'dentist-1', 'dentist-2'])
    const [claimed] = (await store.jobs?.claim('summarize', 1)) ?? []
    await store.jobs?.failed(claimed!, { why: 'it answered 401', hopeless: true })
    const failed = await here.ask('GET /v1/jobs?state=failed&kind=summarize')
    expect(failed.body.jobs).toMatchObject([{ id: claimed!.id, state: 'failed', attempts: 1, why: 'it answered 401' }])
    expect((await here.ask(`POST /v1/jobs/${claimed!.id}/retry`, { body: {} })).status).toBe(200)
    expect(here.work.retried).toEqual([claimed!.id])
    expect((await here.ask(`POST /v1/jobs/${claimed!.id.replace(/^./, '0')}/retry`, { body: {} })).status).toBe(404)
    expect((await here.ask('GET /v1/jobs?cursor=nothing')).status).toBe(400)
    expect((await here.ask('POST /v1/jobs/rebuild', { body: { days: 2 } })).body).toEqual({ events: 7 })
  })

  it('tells a business nothing of another, by any route', async () => {
    const here = node()
    here.exchange.live.push(Object.assign(new FakeCall('plumber-live'), {}))
    const { view } = here.exchange.live[0]!
    Object.defineProperty(here.exchange.live[0], 'view', { get: () => ({ ...view, business: secretOfPlumber }) })
    const { headers } = await tokenFor(here, 'dentist')
    const foreignToken = await tokenFor(here, secretOfPlumber)
    const message = (await here.ask('GET /v1/messages?business=plumber')).body.messages[0].id
    const asked = { id: 'out-1', business: secretOfPlumber, key: 'k', requestHash: 'h', number: '+15550100177' }
    await store.ask(db =>
      sql`insert into recordings (id, call, business, at)
        values ('plumber-recording', 'plumber-1', 'plumber', now())`.execute(db),
    )
    await store.ask(db =>
      keepDelivery(db, 'all', {
        ...{ id: 'plumber-delivery', business: secretOfPlumber, call: 'plumber-1', hook: 'crm', event: 'call.ended' },
        ...{ at: new Date(dayMs), body: '{}' },
      }),
    )
    await store.ask(db => orderOutbound(db, 'all', { ...asked, context: {}, perDay: 1, at: new Date(dayMs) }))
    const job = (await here.ask('GET /v1/jobs?business=plumber')).body.jobs[0].id
    const voicemail = await store.ask(db =>
      sql<{ id: string }>`insert into voicemails (call, business, at, seconds, recording)
        values ('plumber-1', ${secretOfPlumber}, now(), 3, 'of-the-plumber') returning id`.execute(db),
    )
    const foreign = {
      job: [job],
      voicemail: [voicemail.rows[0]!.id],
      outbound: ['out-1'],
      call: ['plumber-1', 'plumber-live'],
      message: [message],
      text: ['plumber-text'],
      token: [foreignToken.id],
      business: [secretOfPlumber],
      recording: ['plumber-recording'],
      delivery: ['plumber-delivery'],
    }
    for (const route of routesOf(here.server).filter(each => !each.startsWith('HEAD '))) {
      const { access, id, body, answers = 200 } = caseOf(route) ?? {}
      expect([route, access]).toEqual([route, expect.any(String)])
      if (access === 'public') continue
      for (const one of id ? foreign[id] : [undefined]) {
        const path = one === undefined ? route : route.replace(/:\w+/, one)
        const answer = await here.ask(path, { headers, ...(body && { body }) })
        const expected = access === 'operator' ? 403 : one === undefined ? answers : 404
        expect([path, answer.status]).toEqual([path, expected])
        if (route !== 'GET /openapi.json') expect([path, answer.text.includes(secretOfPlumber)]).toEqual([path, false])
        if (one !== undefined && access === 'business') {
          const never = await here.ask(route.replace(/:\w+/, 'never-there'), { headers, ...(body && { body }) })
          // Not a letter tells that it is there.
          expect([path, never.text]).toEqual([path, answer.text])
        }
      }
    }
    for (const list of [
      'calls?',
      'calls?text=tooth&',
      'messages?',
      'texts?',
      'voicemails?',
      'recordings?',
      'deliveries?',
      'outbound?',
      'do-not-call?',
      'jobs?',
      'stats?from=2026-01-05&to=2026-01-05&',
    ]) {
      const { status, text } = await here.ask(`GET /v1/${list}business=${secretOfPlumber}`, { headers })
      expect([list, status]).toEqual([list, 200])
      expect(text.replace('"business":"plumber"', '')).not.toMatch(/plumber|"calls":[1-9]/)
    }
    expect(here.exchange.live[0]!.hangUps).toBe(0)
    const own = await here.ask('GET /v1/calls?text=tooth', { headers })
    expect(own.body.calls.map(({ id }: { id: string }) => id)).toEqual(['dentist-1'])
  })

  it('tells voicemails by what became of them, marks them, and the call of one goes on until its own end', async () => {
    const { ask } = node()
    const by = { business: 'mailbox', atMs: Date.UTC(2025, 0, 1) }
    const left = (recording: string, more: object = {}): CallFact => ({
      ...{ name: 'voicemailLeft', seconds: 4, ...more, private: { recording, callerNumber: undefined } },
    })
    const tell = async (call: string, facts: readonly CallFact[]) => {
      for (const event of events(call, by.business, by.atMs, facts)) journal.append(event)
      await journal.flushed()
      await store.caughtUp()
    }
    const callOf = async (id: string) => {
      const { state, outcome, endedAt } = (await ask(`GET /v1/calls/${id}`)).body
      return [state, outcome, endedAt !== null]
    }
    await tell('mail-1', [offered('+15550100106'), left('closed-1', { by: 'closed', ended: 'key' })])
    expect(await callOf('mail-1')).toEqual(['live', 'voicemail', false])
    await tell('mail-1', [{ name: 'ended', reason: 'agentHungUp', durationMs: 9_000 }])
    expect(await callOf('mail-1')).toEqual(['ended', 'voicemail', true])
    await tell('mail-2', [left('fallback-1')])
    expect(await callOf('mail-2')).toEqual(['ended', 'voicemail', false])
    await tell('mail-3', [offered('+15550100107'), left('cut-1', { by: 'agent', ended: 'cut' }), left('cut-1')])
    const list = async (query: string) =>
      (await ask(`GET /v1/voicemails?business=mailbox${query}`)).body.voicemails as Record<string, string>[]
    const callsOf = async (query: string) => (await list(query)).map(({ call }) => call).sort()
    expect(await callsOf('')).toEqual(['mail-1', 'mail-2', 'mail-3'])
    expect(await callsOf('&by=closed')).toEqual(['mail-1'])
    expect(await callsOf('&by=none')).toEqual(['mail-2'])
    expect(await callsOf('&call=mail-3')).toEqual(['mail-3'])
    const [one] = await list('&by=closed&private=true')
    // Whoever found it did not know who had called: the call does.
    expect(one).toMatchObject({
      ...{ seconds: 4, by: 'closed', ended: 'key', readAt: null, archivedAt: null, deletedAt: null },
      private: { recording: 'closed-1', callerNumber: '+15550100106' },
    })
    expect(JSON.stringify(await list(''))).not.toMatch(/0100106|closed-1/)
    const mark = (body: object, id = one!['id']) => ask(`PATCH /v1/voicemails/${id}`, { body })
    const read = (await mark({ read: true })).body
    expect(read).toMatchObject({ readAt: expect.any(String), archivedAt: null })
    expect((await mark({ read: true, archived: true })).body).toMatchObject({ readAt: read.readAt })
    expect(await callsOf('&read=true&archived=true')).toEqual(['mail-1'])
    expect(await callsOf('&read=false')).toEqual(['mail-2', 'mail-3'])
    expect((await mark({ read: false })).body).toMatchObject({ readAt: null, archivedAt: expect.any(String) })
    expect((await mark({})).status).toBe(400)
    for (const id of ['999999', 'x', '9'.repeat(40)]) {
      expect((await mark({ read: true }, id)).status).toBe(404)
      expect((await ask(`GET /v1/voicemails/${id}`)).status).toBe(404)
    }
    const transcript = async (query = '') => (await ask(`GET /v1/voicemails/${one!['id']}${query}`)).body.transcript
    expect(await transcript()).toBeNull()
    await store.ask(db =>
      sql`insert into transcripts (recording, call, business, at, by, text)
        values ('closed-1', 'mail-1', 'mailbox', now(), 'builtIn', 'my tooth')`.execute(db),
    )
    expect(await transcript()).toEqual({ by: 'builtIn' })
    expect(await transcript('?private=true')).toEqual({ by: 'builtIn', private: { text: 'my tooth' } })
    for (const by of ['operator', 'age'] as const)
      await tell('mail-1', [{ name: 'voicemailDeleted', recording: 'closed-1', by }])
    expect(await callsOf('')).toEqual(['mail-2', 'mail-3'])
    expect((await ask(`GET /v1/voicemails/${one!['id']}`)).body.deletedAt).not.toBeNull()
    expect((await mark({ read: true })).status).toBe(404)
    await tell('mail-4', [offered(''), left('nobody-1', { by: 'closed' })])
    expect(await list('&call=mail-4&private=true')).toMatchObject([{ private: { callerNumber: null } }])
    // Was there one, and who wanted it to be gone?
    expect(await list('&deleted=true')).toMatchObject([{ call: 'mail-1', deletedBy: 'operator' }])
    const recording = 'recorded-1'
    const began = { name: 'recordingBegan', recording } as const
    await tell('mail-1', [began, { name: 'recordingDeleted', recording, by: 'business' }])
    const recordings = async (query: string) => (await ask(`GET /v1/recordings?call=mail-1${query}`)).body.recordings
    expect(await recordings('')).toEqual([])
    expect(await recordings('&deleted=true')).toMatchObject([{ id: recording, deletedBy: 'business' }])
  })
})

it('lets nobody in by a stored token while the database is away, and the operator see what this gateway knows', async () => {
  const source = {
    id: 'none',
    read: async (next: JournalPosition) => ({ events: [], next, missed: 0 }),
    taken: () => {},
    onWritten: () => () => {},
  }
  const store = new Store({ url: server.url, folder: '', source, clock: systemClock, trouble: () => {} })
  try {
    await store.open()
    const { server: http, exchange, clock } = house({ store })
    exchange.live.push(new FakeCall('here'))
    const issuing = {
      method: 'POST',
      url: '/v1/tokens',
      headers: withToken,
      body: { name: 'x', business: null },
    } as const
    const { token } = (await http.inject(issuing)).json()
    const look = (headers: object) => http.inject({ url: '/v1/calls', headers: { ...headers } })
    const stored = { authorization: `Bearer ${token}` }
    expect((await look(stored)).json().complete).toBe(true)
    await server.kill()
    clock.advance(limits.http.tokenKnownMs)
    const refused = await look(stored)
    expect([refused.statusCode, refused.json().code]).toEqual([503, 'STORE_AWAY'])
    expect((await look(withToken)).json()).toMatchObject({ complete: false, calls: [{ id: 'here' }] })
    for (const url of ['/v1/messages', '/v1/stats', '/v1/calls/elsewhere', '/v1/calls?text=tooth', '/v1/tokens']) {
      expect([url, (await http.inject({ url, headers: withToken })).statusCode]).toEqual([url, 503])
    }
    await server.begin()
    expect((await look(stored)).json()).toMatchObject({ complete: true })
  } finally {
    await store.close()
  }
})
