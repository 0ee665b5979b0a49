import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { judgeChoice } from '../../../src/business.ts'
import type { CallEvent } from '../../../src/call/events.ts'
import { type Journal, openJournal } from '../../../src/call/journal.ts'
import { systemClock } from '../../../src/clock.ts'
import { limits } from '../../../src/limits.ts'
import { createLog } from '../../../src/log.ts'
import { Secret } from '../../../src/secret.ts'
import { findCall } from '../../../src/store/calls.ts'
import { findOutbound, type StoredOutbound } from '../../../src/store/outbound.ts'
import { Store } from '../../../src/store/store.ts'
import { answeredByWebhook } from '../../../src/twilio/answered-by.ts'
import { Dialler } from '../../../src/twilio/dialler.ts'
import { twilioRest } from '../../../src/twilio/rest.ts'
import { statusWebhook } from '../../../src/twilio/status.ts'
import { house as httpHouse, withToken } from '../../server/house.ts'
import { seedDatabase } from '../../support/database.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { TwilioServer } from '../../support/twilio-server.ts'
import { until } from '../../support/until.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const log = createLog('silent')
const minute = 60_000
const callee = (count: number) => `+1555010${String(1_000 + count)}`

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-outbound-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

describe.each(['embedded', 'server'] as const)('calls out, by the %s database', kind => {
  let journal: Journal
  let store: Store
  let twilio: TwilioServer
  let clock: VirtualClock
  const gateways: { close(): Promise<void> }[] = []

  beforeAll(async () => {
    const database = join(folder, `${kind}-database`)
    if (kind === 'embedded') await seedDatabase(database)
    journal = await openJournal({ directory: join(folder, kind), clock: systemClock, trouble: () => {} })
    const url = kind === 'server' ? server.url : undefined
    store = new Store({ url, folder: database, source: journal, clock: systemClock, trouble: () => {} })
    await store.open()
  })
  afterAll(async () => {
    await store.close()
    await journal.close()
  })
  beforeEach(async () => {
    twilio = await TwilioServer.start()
    clock = new VirtualClock()
    for (const table of ['outbound_calls', 'do_not_call', 'text_consents'] as const)
      await store.ask(db => db.deleteFrom(table).execute())
  })
  afterEach(async () => {
    for (const gateway of gateways.splice(0)) await gateway.close()
    await twilio[Symbol.asyncDispose]()
  })

  /** One that calls for the business, of several on the database. */
  function gateway({ outbound = {}, ready = (): boolean => true, callsOut = 100 } = {}) {
    const choice = {
      name: 'Dentist',
      numbers: ['+15550100200'],
      outbound: { enabled: true, to: ['+1'], attempts: 2, ...outbound },
    }
    const defaults = { file: undefined, name: '', phone: undefined, ownerPhone: undefined, engine: 'scripted' as const }
    const judged = judgeChoice(choice, defaults)
    if ('problems' in judged) throw new Error(judged.problems.join())
    const { business } = judged
    const { sid: accountSid, authToken } = TwilioServer.account
    const keys = { accountSid, authToken: new Secret(authToken), apiKey: undefined, apiSecret: undefined }
    const rest = twilioRest({ account: { ...keys, baseUrl: twilio.url }, clock })
    const businesses = () => ({
      standard: business,
      find: (id: string) => (id === 'dentist' ? business : undefined),
      withNumber: () => business,
    })
    const house = {
      ...{ businesses, clock, log, kept: () => journal.flushed() },
      tell: (event: CallEvent) => journal.append(event),
    }
    const publicBaseUrl = 'https://parley.example.com'
    const dialler = new Dialler({ ...house, store, rest, ready, publicBaseUrl, unable: undefined, callsOut })
    const status = statusWebhook(house)
    const answeredBy = answeredByWebhook({ ...house, rest })
    const made = {
      async close() {
        const closed = dialler.close()
        rest.close()
        await closed
      },
    }
    gateways.push(made)
    const http = httpHouse({ store, dialler })
    const opened = http.directory.change('dentist', choice)
    return {
      ...{ dialler, rest, http, ...made },
      /** What Twilio tells of the call that it has been asked for as this. */
      async tell(record: string, CallStatus: string, also: Record<string, string> = {}) {
        const call = [...twilio.calls.values()].find(each => each.sid === sidOf(record))!
        const fields = {
          CallSid: call.sid!,
          CallStatus,
          Direction: 'outbound-api',
          From: call.from!,
          To: call.to!,
          ...also,
        }
        expect(await status.answer({ query: { record, business: 'dentist' }, fields })).toEqual({ kind: 'taken' })
        await store.caughtUp()
      },
      async answered(record: string, AnsweredBy: string) {
        const fields = { CallSid: sidOf(record), AnsweredBy }
        await answeredBy.answer({ query: { record, business: 'dentist' }, fields })
        await store.caughtUp()
      },
      async order(to: string, { key = to, context = {} } = {}) {
        await opened
        const answer = await http.server.inject({
          ...{ method: 'POST', url: '/v1/calls', headers: { ...withToken, 'idempotency-key': key } },
          payload: { business: 'dentist', to, context },
        })
        return { status: answer.statusCode, body: answer.json() }
      },
    }
  }

  const sidOf = (record: string) => {
    const asked = twilio.asked.filter(({ endpoint }) => endpoint === 'POST /Calls')
    const place = asked.findIndex(({ parameters }) => parameters.get('StatusCallback')?.includes(`record=${record}&`))
    const to = asked[place]?.parameters.get('To')
    const before = asked.slice(0, place).filter(({ parameters }) => parameters.get('To') === to).length
    return [...twilio.calls.values()].filter(each => each.to === to)[before]?.sid ?? 'none'
  }
  const calledNow = () => twilio.asked.filter(({ endpoint }) => endpoint === 'POST /Calls').length

  /** Looked at until it is as it should be. */
  async function become(
    { dialler }: { dialler: Dialler },
    id: string,
    wanted: (row: StoredOutbound) => boolean,
  ): Promise<StoredOutbound> {
    for (;;) {
      dialler.wake()
      await store.caughtUp()
      const row = await store.ask(db => findOutbound(db, 'all', id))
      if (row && wanted(row)) return row
    }
  }
  const ended = (row: StoredOutbound) => row.state === 'ended'
  const recordOf = (name: string) => store.ask(db => findCall(db, 'all', name))

  it('are made once, however often and by how many at once the same is asked', async () => {
    const here = gateway()
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => here.order(callee(0), { key: 'the-same', context: { patientId: '4711' } })),
    )
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
    expect(answers.every(({ status }) => status === 202)).toBe(true)
    const { id } = answers[0]!.body
    await become(here, id, ({ state }) => state === 'calling')
    await until(() => twilio.calls.size === 1)
    expect((await here.order(callee(0), { key: 'the-same', context: { patientId: '4712' } })).status).toBe(409)
    const [{ parameters }] = twilio.asked as [(typeof twilio.asked)[0]]
    expect(Object.fromEntries(parameters)).toMatchObject({
      ...{ To: callee(0), From: '+15550100200', Timeout: '30', MachineDetection: 'Enable' },
      Url: `https://parley.example.com/v1/twilio/call?record=${id}-1&business=dentist&patientId=4711`,
      StatusCallback: `https://parley.example.com/v1/twilio/status?record=${id}-1&business=dentist`,
      AsyncAmdStatusCallback: `https://parley.example.com/v1/twilio/answered-by?record=${id}-1&business=dentist`,
    })
    await here.tell(`${id}-1`, 'in-progress', { SequenceNumber: '2' })
    await here.answered(`${id}-1`, 'human')
    await here.tell(`${id}-1`, 'completed', { SequenceNumber: '3', CallDuration: '61' })
    expect(await become(here, id, ended)).toMatchObject({ outcome: 'answered', attempts: 1 })
    expect(await recordOf(`${id}-1`)).toMatchObject({
      ...{
        direction: 'outbound',
        carrier_status: 'completed',
        answered_by: 'human',
        carrier_seconds: 61,
        state: 'ended',
      },
    })
    expect(await recordOf(sidOf(`${id}-1`))).toMatchObject({ id: `${id}-1` })
    expect([calledNow(), twilio.problems]).toEqual([1, []])
  })

  it('are no more within a day than the business may make', async () => {
    const { http, order } = gateway({ outbound: { perDay: 2 } })
    expect((await order('+15550100171')).status).toBe(202)
    expect((await order('+15550100172')).status).toBe(202)
    expect(await order('+15550100173')).toMatchObject({
      status: 429,
      body: { detail: expect.stringContaining('perDay') },
    })
    expect((await order('+15550100172')).status).toBe(202)
    http.clock.advance(24 * 3_600_000)
    expect((await order('+15550100173')).status).toBe(202)
  })

  it('are each made by one of several gateways', async () => {
    const [one, other] = [gateway(), gateway()]
    const orders = await Promise.all(Array.from({ length: 20 }, (_, count) => one.order(callee(count))))
    for (const { body } of orders) {
      other.dialler.wake()
      await become(one, body.id, ({ state }) => state === 'calling')
    }
    await until(() => twilio.calls.size === 20)
    expect(new Set([...twilio.calls.values()].map(({ to }) => to)).size).toBe(20)
    expect(calledNow()).toBe(20)
  })

  it('are made again when nobody has answered, later, and not for ever', async () => {
    const here = gateway()
    const { id } = (await here.order(callee(1))).body
    await become(here, id, ({ state }) => state === 'calling')
    await until(() => twilio.calls.size === 1)
    await here.tell(`${id}-1`, 'busy', { SequenceNumber: '1' })
    const waiting = await become(here, id, ({ state }) => state === 'waiting')
    expect([waiting.outcome, waiting.next_at?.getTime()]).toEqual(['busy', clock.wallMs() + 30 * minute])
    clock.advance(30 * minute)
    await become(here, id, ({ state }) => state === 'calling')
    await until(() => twilio.calls.size === 2)
    await here.tell(`${id}-2`, 'no-answer', { SequenceNumber: '2' })
    expect(await become(here, id, ended)).toMatchObject({ outcome: 'noAnswer', attempts: 2 })
    expect((await recordOf(`${id}-1`))?.outcome).toBe('carrierBusy')
    expect((await recordOf(`${id}-2`))?.outcome).toBe('carrierNoAnswer')
  })

  it.each([
    ['there was no place for them', { name: 'announced', verdict: 'end' }],
    ['the agent was not reached', { name: 'wayEnded', status: 'failed', next: 'end' }],
  ] as const)('are made again when somebody has answered and %s', async (why, fact) => {
    const here = gateway()
    const { id } = (await here.order(callee(fact.name === 'announced' ? 21 : 22), { key: `${kind} ${why}` })).body
    await become(here, id, ({ state }) => state === 'calling')
    await until(() => twilio.calls.size === 1)
    const hidden = fact.name === 'announced' ? { private: { callerNumber: '', calledNumber: '', parameters: {} } } : {}
    journal.append({
      ...{ call: `${id}-1`, business: 'dentist', atMs: clock.wallMs() },
      fact: { ...fact, ...hidden } as CallEvent['fact'],
    })
    await here.tell(`${id}-1`, 'completed', { SequenceNumber: '3' })
    expect(await become(here, id, ({ state }) => state !== 'calling')).toMatchObject({
      ...{ state: 'waiting', outcome: 'failed' },
    })
  })

  it('are over when the agent has had somebody, whatever failed after that', async () => {
    const here = gateway()
    const { id } = (await here.order(callee(23))).body
    await become(here, id, ({ state }) => state === 'calling')
    await until(() => twilio.calls.size === 1)
    const of = { call: `${id}-1`, business: 'dentist', atMs: clock.wallMs() }
    const facts = [
      { name: 'answered', setUpMs: 10 },
      { name: 'wayEnded', status: 'failed', next: 'end' },
    ] as unknown as CallEvent['fact'][]
    for (const fact of facts) journal.append({ ...of, fact })
    await here.tell(`${id}-1`, 'completed', { SequenceNumber: '3' })
    expect(await become(here, id, ended)).toMatchObject({ outcome: 'answered' })
  })

  it('are not made again to whoever has said no meanwhile', async () => {
    const here = gateway()
    const [{ body: first }, { body: second }] = [await here.order(callee(2)), await here.order(callee(3))]
    for (const { id } of [first, second]) {
      await become(here, id, ({ state }) => state === 'calling')
      await until(() => sidOf(`${id}-1`) !== 'none')
      await here.tell(`${id}-1`, 'busy')
      await become(here, id, ({ state }) => state === 'waiting')
    }
    const at = new Date(clock.wallMs())
    await store.ask(db =>
      db
        .insertInto('do_not_call')
        .values({ business: 'dentist', number: callee(2), at, why: 'by request' })
        .execute(),
    )
    // By a message: STOP.
    const fact = { name: 'consentTold', channel: 'sms', stopped: true, private: { customer: callee(3) } } as const
    journal.append({ call: 'text-1', business: 'dentist', atMs: clock.wallMs(), fact })
    await journal.flushed()
    await store.caughtUp()
    clock.advance(30 * minute)
    for (const { id } of [first, second]) expect(await become(here, id, ended)).toMatchObject({ outcome: 'doNotCall' })
    expect(calledNow()).toBe(2)
  })

  it('wait for the callee’s morning', async () => {
    const here = gateway()
    const { id } = (await here.order('+12125550100')).body
    // Nine in London is four in New York.
    const waiting = await become(here, id, row => (row.next_at?.getTime() ?? 0) > clock.wallMs())
    expect(waiting.next_at).toEqual(new Date('2026-01-05T14:00:00Z'))
    clock.advance(5 * 60 * minute)
    await become(here, id, ({ state }) => state === 'calling')
  })

  it('that may have been made are settled by what Twilio tells, or by its silence; never made twice', async () => {
    const here = gateway()
    twilio.plan('POST /Calls', 'lost')
    const { id: heard } = (await here.order(callee(4))).body
    await become(here, heard, ({ state }) => state === 'calling')
    await until(() => twilio.calls.size === 1)
    twilio.plan('POST /Calls', 'reset')
    const { id: silent } = (await here.order(callee(5))).body
    await become(here, silent, ({ state }) => state === 'calling')
    await until(() => calledNow() === 2)
    await here.tell(`${heard}-1`, 'completed', { SequenceNumber: '3' })
    expect(await become(here, heard, ended)).toMatchObject({ outcome: 'answered' })
    clock.advance(limits.twilio.outbound.unsureMs + 29_000)
    here.dialler.wake()
    await store.caughtUp()
    expect(await store.ask(db => findOutbound(db, 'all', silent))).toMatchObject({ state: 'calling', attempts: 1 })
    clock.advance(1_000)
    expect(await become(here, silent, ({ state }) => state === 'waiting')).toMatchObject({ outcome: 'unreachable' })
    await journal.flushed()
    await store.caughtUp()
    expect(await recordOf(`${silent}-1`)).toMatchObject({ state: 'ended', outcome: 'notMadeUnreachable' })
    expect(calledNow()).toBe(2)
  })

  it('that Twilio refuses are over, and so is their record', async () => {
    const here = gateway()
    twilio.plan('POST /Calls', 400)
    const { id } = (await here.order(callee(6))).body
    expect(await become(here, id, ended)).toMatchObject({ outcome: 'refused', attempts: 1 })
    expect(await recordOf(`${id}-1`)).toMatchObject({
      state: 'ended',
      outcome: 'notMadeRefused',
      direction: 'outbound',
    })
  })

  it('of a gateway that dies between asking and hearing are another’s to settle', async () => {
    const dying = gateway()
    twilio.plan('POST /Calls', 'silent')
    const { id } = (await dying.order(callee(7))).body
    await become(dying, id, ({ state }) => state === 'calling')
    await until(() => calledNow() === 1)
    await dying.close()
    const next = gateway()
    next.dialler.wake()
    await store.caughtUp()
    expect(await store.ask(db => findOutbound(db, 'all', id))).toMatchObject({ state: 'calling', attempts: 1 })
    clock.advance(limits.twilio.outbound.unsureMs + 30_000)
    expect(await become(next, id, ({ state }) => state === 'waiting')).toMatchObject({ outcome: 'unreachable' })
    clock.advance(30 * minute)
    await become(next, id, ({ state, attempts }) => state === 'calling' && attempts === 2)
    await until(() => twilio.calls.size === 1)
  })

  it('are no more at once than there may be, and none while no call would be taken', async () => {
    let ready = false
    const here = gateway({ callsOut: 2, ready: () => ready })
    const ids: string[] = []
    for (const count of [8, 9, 10]) ids.push((await here.order(callee(count))).body.id)
    here.dialler.wake()
    await store.caughtUp()
    expect(calledNow()).toBe(0)
    ready = true
    here.dialler.wake()
    await until(() => twilio.calls.size === 2)
    here.dialler.wake()
    const rows = await Promise.all(ids.map(id => store.ask(db => findOutbound(db, 'all', id))))
    const [calling, waiting] = (['calling', 'waiting'] as const).map(state => rows.filter(row => row?.state === state))
    expect([calling?.length, waiting?.length]).toEqual([2, 1])
    await here.tell(`${calling![0]!.id}-1`, 'completed')
    await become(here, waiting![0]!.id, ({ state }) => state === 'calling')
    await until(() => twilio.calls.size === 3)
  })

  it('leave a machine their message, or hang up and come again', async () => {
    const silent = gateway()
    const { id } = (await silent.order(callee(11))).body
    await become(silent, id, ({ state }) => state === 'calling')
    await until(() => twilio.calls.size === 1)
    const call = twilio.calls.get(sidOf(`${id}-1`))!
    call.status = 'in-progress'
    await silent.answered(`${id}-1`, 'machine_start')
    await until(() => twilio.asked.some(({ endpoint }) => endpoint === 'POST /Calls/{Sid}'))
    expect(twilio.asked.at(-1)?.parameters.get('Twiml')).toContain('<Hangup/>')
    await silent.tell(`${id}-1`, 'completed')
    expect(await become(silent, id, ({ state }) => state === 'waiting')).toMatchObject({ outcome: 'machine' })
    await silent.close()
    const speaking = gateway({ outbound: { voicemail: 'Please call us back.' } })
    clock.advance(30 * minute)
    await become(speaking, id, ({ attempts, state }) => attempts === 2 && state === 'calling')
    await until(() => twilio.calls.size === 2)
    expect(twilio.asked.at(-1)?.parameters.get('MachineDetection')).toBe('DetectMessageEnd')
    twilio.calls.get(sidOf(`${id}-2`))!.status = 'in-progress'
    await speaking.answered(`${id}-2`, 'machine_end_beep')
    await until(() => twilio.asked.at(-1)?.endpoint === 'POST /Calls/{Sid}')
    expect(twilio.asked.at(-1)?.parameters.get('Twiml')).toContain('Please call us back.')
    await speaking.tell(`${id}-2`, 'completed')
    expect(await become(speaking, id, ended)).toMatchObject({ outcome: 'messageLeft' })
    expect(twilio.problems).toEqual([])
  })

  it('are told, and given up before they begin', async () => {
    const here = gateway({ ready: () => false })
    const { body } = await here.order(callee(12), { context: { patientId: '4711' } })
    const { server: http } = httpHouse({ store })
    const ask = async (method: 'GET' | 'DELETE', url: string) => {
      const answer = await http.inject({ method, url, headers: withToken })
      return { status: answer.statusCode, body: answer.json() }
    }
    const open = await ask('GET', `/v1/outbound/${body.id}?private=true`)
    expect(open.body).toMatchObject({
      state: 'waiting',
      calls: [],
      private: { to: callee(12), context: { patientId: '4711' } },
    })
    expect((await ask('GET', '/v1/outbound?state=waiting')).body.calls).toEqual([body])
    expect((await ask('DELETE', `/v1/outbound/${body.id}`)).body).toMatchObject({ state: 'ended', outcome: 'stopped' })
    expect((await ask('DELETE', `/v1/outbound/${body.id}`)).status).toBe(409)
    expect((await ask('GET', '/v1/outbound/out-never')).status).toBe(404)
  })

  it('may be forbidden and allowed again', async () => {
    const { server: http } = httpHouse({ store })
    const number = callee(13)
    const ask = async (method: 'GET' | 'PUT' | 'DELETE', url: string, payload?: object) => {
      const answer = await http.inject({ method, url, headers: withToken, ...(payload && { payload }) })
      return { status: answer.statusCode, body: answer.json() }
    }
    const stop = { business: 'dentist', number }
    expect((await ask('PUT', '/v1/do-not-call', { ...stop, why: 'said so' })).body).toMatchObject({
      ...stop,
      why: 'said so',
    })
    expect((await ask('PUT', '/v1/do-not-call', stop)).body).toMatchObject({ why: 'said so' })
    const found = await ask('GET', `/v1/do-not-call?number=${encodeURIComponent(number)}&limit=1`)
    expect(found.body).toMatchObject({ numbers: [stop], next: null })
    expect((await ask('DELETE', '/v1/do-not-call', stop)).status).toBe(200)
    expect((await ask('DELETE', '/v1/do-not-call', stop)).status).toBe(404)
    expect((await ask('PUT', '/v1/do-not-call', { ...stop, business: 'nobody' })).status).toBe(404)
  })
})
