import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { readBusiness } from '../../../src/business.ts'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import { notify } from '../../../src/desk/jobs/notify.ts'
import { jobsWantedBy } from '../../../src/desk/wanted.ts'
import { Working } from '../../../src/desk/working.ts'
import { limits } from '../../../src/limits.ts'
import { claimNotice, storyOf } from '../../../src/store/notices.ts'
import type { StoreWork } from '../../../src/store/store.ts'
import { findText, listTexts } from '../../../src/store/texts.ts'
import { listVoicemails } from '../../../src/store/voicemails.ts'
import { twilioRest } from '../../../src/twilio/rest.ts'
import { Sending } from '../../../src/twilio/sending.ts'
import { seedDatabase } from '../../support/database.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { spawnTied } from '../../support/tied.ts'
import { TwilioServer } from '../../support/twilio-server.ts'
import { until } from '../../support/until.ts'
import { account, deskNode, laterClock, type Place, wave } from './desk-node.ts'

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-texts-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

let places = 0
async function place(kind: 'embedded' | 'server'): Promise<Place> {
  const state = join(folder, `node-${++places}`)
  if (kind === 'server') return { state, folder: '', url: await server.database() }
  await seedDatabase(join(state, 'database'))
  return { state, folder: join(state, 'database'), url: undefined }
}

async function twilio() {
  const double = await TwilioServer.start()
  onTestFinished(() => double[Symbol.asyncDispose]())
  return double
}

const minuteMs = 60_000
const atMs = Date.UTC(2026, 0, 5, 9)
const customer = '+15550100177'
const plain = readBusiness({
  file: undefined,
  name: 'Dentist',
  phone: '+15550100200',
  ownerPhone: undefined,
  engine: 'scripted',
})
const business = { ...plain, id: 'dentist' }

describe('the record', () => {
  const event = (call: string, minutes: number, fact: CallFact): CallEvent => ({
    ...{ call, business: 'dentist', atMs: atMs + minutes * minuteMs, fact },
  })
  const hidden = { customer, ours: '+15550100200', text: 'Until tomorrow' }
  const consent = (minutes: number, stopped: boolean) =>
    event(`SM${minutes}`, minutes, { name: 'consentTold', channel: 'sms', stopped, private: { customer } })
  const awaited = (callerNumber: string | undefined) =>
    event('CA1', 1, {
      name: 'recordingAwaited',
      recording: 'RE1',
      seconds: 9,
      private: { url: 'https://x', callerNumber },
    })
  const story: CallEvent[] = [
    event('SM1', 1, { name: 'textReceived', channel: 'sms', media: 1, private: { ...hidden, text: 'Hello' } }),
    event('SM1', 1, { name: 'textReceived', channel: 'sms', media: 1, private: { ...hidden, text: 'Hello' } }),
    event('text-1', 2, { name: 'textWanted', channel: 'sms', private: hidden }),
    event('text-1', 3, { name: 'textSent', carrier: 'SM2' }),
    event('text-1', 4, { name: 'textTold', status: 'sent' }),
    event('SM2', 5, { name: 'textTold', status: 'delivered' }),
    event('text-2', 2, { name: 'textWanted', channel: 'sms', private: hidden }),
    event('text-2', 3, { name: 'textTold', status: 'unknown' }),
    event('text-2', 4, { name: 'textTold', status: 'undelivered', errorCode: 30_003 }),
    consent(1, true),
    consent(3, false),
    consent(2, true),
    awaited(undefined),
    awaited(customer),
    event('CA1', 2, { name: 'voicemailLeft', seconds: 9, private: { recording: 'RE1', callerNumber: customer } }),
    event('CA1', 3, { name: 'noticeSent', kind: 'voicemail', by: 'mail', ok: false, why: 'away' }),
    event('CA1', 4, { name: 'noticeSent', kind: 'voicemail', by: 'mail', ok: true }),
  ]

  it.each([
    ['together', 'server', story, story.length],
    ['one by one', 'server', story, 1],
    ['backwards', 'embedded', [...story.slice(0, -2).toReversed(), ...story.slice(-2)], 1],
  ] as const)(
    'has each message once and its last state, and what is awaited until it is here: %s',
    async (_, kind, events, together) => {
      const node = await deskNode(await place(kind), '')
      for (let next = 0; next < events.length; next += together) {
        for (const each of events.slice(next, next + together)) node.tell(each)
        await node.caughtUp()
      }
      const rows = await node.store.ask(db => listTexts(db, 'all', {}, { after: undefined, count: 9 }))
      const [wanted, second, first] = rows
      expect(rows.map(({ id, direction, status, carrier }) => [id, direction, status, carrier])).toEqual([
        ['text-2', 'out', 'undelivered', null],
        ['text-1', 'out', 'delivered', 'SM2'],
        ['SM1', 'in', 'received', null],
      ])
      expect([wanted!.error_code, second!.status_at, first!.media]).toEqual([30_003, new Date(atMs + 5 * minuteMs), 1])
      expect(await node.store.ask(db => findText(db, { business: 'plumber' }, 'text-1'))).toBeUndefined()
      const read = await node.store.ask(async db => ({
        consents: await db.selectFrom('text_consents').select(['customer', 'stopped']).execute(),
        open: await sql`select from awaited_recordings where settled_at is null`.execute(db),
        notices: await db.selectFrom('notices').select(['ok', 'why']).execute(),
        calls: await db.selectFrom('calls').select('id').execute(),
        forbidden: await db.selectFrom('do_not_call').select(['number', 'why']).execute(),
      }))
      expect(read).toMatchObject({
        ...{
          consents: [{ customer, stopped: false }],
          forbidden: [],
          notices: [{ ok: true, why: null }],
          calls: [{ id: 'CA1' }],
        },
        open: { rows: [] },
      })
      expect(node.trouble).toEqual([])
      await node.close()
    },
  )
})

describe('messages to customers', () => {
  async function sender(double: TwilioServer, here: Place, shiftMs = 0) {
    const clock = laterClock(shiftMs, 50)
    const node = await deskNode(here, double.url, clock)
    const rest = twilioRest({ account: account(double.url), clock })
    const chosen = { ...business }
    const sending = new Sending({
      ...node.shared,
      ...{ rest, publicBaseUrl: 'https://parley.example.com' },
      numbers: { sms: undefined, whatsapp: '+15550100299' },
      businesses: () => ({ find: id => (id === chosen.id ? chosen : undefined) }),
    })
    const send = (id: string, text = 'Until tomorrow', channel: 'sms' | 'whatsapp' = 'sms') =>
      sending.send({ id, business: chosen, channel, to: customer, text })
    const read = async (id: string) => {
      await sending.close()
      await node.caughtUp()
      return node.store.ask(db => findText(db, 'all', id))
    }
    const close = async () => {
      await sending.close()
      rest.close()
      await node.close()
    }
    return { ...node, sending, send, read, close, chosen }
  }
  const requests = (double: TwilioServer) => double.asked.filter(({ endpoint }) => endpoint === 'POST /Messages')

  it('go out once, however often they are asked for, by several gateways, and their state comes back', async () => {
    const double = await twilio()
    const here = await place('server')
    const one = await sender(double, here)
    const two = await sender(double, { ...here, state: `${here.state}-two` })
    const taken = await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 2 ? one : two).send('text-1')))
    expect(new Set(taken.map(({ kind }) => kind))).toEqual(new Set(['taken']))
    expect(await one.send('text-1', 'Other words')).toEqual({ kind: 'conflict' })
    for (const each of [one, two]) await each.read('text-1')
    expect(requests(double)).toHaveLength(1)
    const { parameters } = requests(double)[0]!
    expect(Object.fromEntries(parameters)).toEqual({
      ...{ To: customer, From: '+15550100200', Body: 'Until tomorrow' },
      StatusCallback: 'https://parley.example.com/v1/twilio/message-status?text=text-1&business=dentist',
    })
    const [sid] = [...double.messages.keys()]
    expect(await one.read('text-1')).toMatchObject({ status: 'queued', carrier: sid })
    two.tell({ call: sid!, business: 'dentist', atMs, fact: { name: 'textTold', status: 'delivered' } })
    await two.caughtUp()
    expect(await one.read('text-1')).toMatchObject({ status: 'delivered' })
    for (const each of [one, two]) await each.close()
    expect(double.problems).toEqual([])
  })

  it.each([
    ['not begun', [429], 2, 'queued'],
    ['refused', [400], 1, 'failed'],
    ['failed', [503], 1, 'unknown'],
    ['without an answer', ['silent'], 1, 'unknown'],
    ['broken off before', ['reset'], 1, 'unknown'],
    ['done, and its answer lost', ['lost'], 1, 'queued'],
  ] as const)('are never sent twice when a request is %s', async (_, faults, times, status) => {
    const double = await twilio()
    const here = await place('server')
    const node = await sender(double, here)
    double.plan('POST /Messages', ...faults)
    expect(await node.send('text-1')).toEqual({ kind: 'taken', status: 'wanted' })
    const row = await node.read('text-1')
    if (status !== 'unknown') expect(row?.status).toBe(status)
    await node.close()
    // Another life, later: what is open is looked for, and not sent.
    const later = await sender(double, here, limits.twilio.texts.openMs + 1_000)
    await later.sending.settleOpen()
    expect((await later.read('text-1'))?.status).toBe(status)
    expect(await later.send('text-1')).toEqual({ kind: 'taken', status })
    await later.close()
    expect([requests(double).length, double.messages.size]).toEqual([times, status === 'queued' ? 1 : 0])
  })

  it('are found among those sent when a gateway died before it heard of it, and each only once', async () => {
    const double = await twilio()
    const here = await place('server')
    const first = await sender(double, here)
    for (const id of ['text-1', 'text-2']) {
      double.plan('POST /Messages', 'lost')
      double.plan('GET /Messages', 503)
      await first.send(id)
      expect((await first.read(id))?.status).toBe('wanted')
    }
    await first.close()
    const later = await sender(double, here, limits.twilio.texts.openMs + 1_000)
    await later.sending.settleOpen()
    await later.caughtUp()
    await later.sending.settleOpen()
    const carriers = [(await later.read('text-1'))?.carrier, (await later.read('text-2'))?.carrier]
    expect(new Set(carriers)).toEqual(new Set(double.messages.keys()))
    await later.close()
    expect(requests(double)).toHaveLength(2)
  })

  it('do not go to whoever has stopped them, nor by WhatsApp a day after their last word, but as a template', async () => {
    const double = await twilio()
    const node = await sender(double, await place('server'))
    const now = node.shared.clock.wallMs()
    const told = (fact: CallFact, at = now) =>
      node.tell({ call: `SM${node.told.length}`, business: 'dentist', atMs: at, fact })
    const wrote = (at: number) => {
      const hidden = { customer, ours: '+15550100299', text: 'Hello' }
      told({ name: 'textReceived', channel: 'whatsapp', media: 0, private: hidden }, at)
    }
    const stop = (stopped: boolean) => told({ name: 'consentTold', channel: 'sms', stopped, private: { customer } })
    stop(true)
    wrote(now - limits.twilio.whatsappSessionMs - 1_000)
    await node.caughtUp()
    expect(await node.send('text-1')).toMatchObject({ kind: 'refused', why: 'stopped' })
    const forbidden = await node.store.ask(db => db.selectFrom('do_not_call').select(['number', 'why']).execute())
    expect(forbidden).toEqual([{ number: customer, why: 'They have written STOP.' }])
    expect(await node.send('text-2', 'Hello', 'whatsapp')).toMatchObject({ kind: 'refused', why: 'outsideSession' })
    const template = `HX${'0'.repeat(32)}`
    Object.assign(node.chosen, { texts: { ...business.texts, whatsappTemplate: template } })
    expect(await node.send('text-3', 'Hello', 'whatsapp')).toMatchObject({ kind: 'taken' })
    await node.read('text-3')
    wrote(now - 1_000)
    await node.caughtUp()
    expect(await node.send('text-4', 'Hello', 'whatsapp')).toMatchObject({ kind: 'taken' })
    await node.read('text-4')
    // WhatsApp knows better.
    for (let time = 0; time < 2; time++) {
      node.sending.outsideSession('text-4')
      await node.read('text-4')
    }
    const to = `whatsapp:${customer}`
    const from = 'whatsapp:+15550100299'
    const asTemplate = { To: to, From: from, ContentSid: template, ContentVariables: '{"1":"Hello"}' }
    expect(requests(double).map(({ parameters }) => Object.fromEntries(parameters))).toMatchObject([
      asTemplate,
      { To: to, From: from, Body: 'Hello' },
      asTemplate,
    ])
    expect(await node.read('text-4-template')).toMatchObject({ template, status: 'queued' })
    // What was told just now counts, too, before anything else has asked the database for it.
    stop(false)
    expect(await node.send('text-5')).toMatchObject({ kind: 'taken' })
    stop(true)
    expect(await node.send('text-6')).toMatchObject({ kind: 'refused', why: 'stopped' })
    await node.close()
    expect(double.problems).toEqual([])
  })
})

it('tells the people of a business once what they must hear of, whichever gateways a call went by', async () => {
  const here = await place('server')
  const given: string[] = []
  const owned = { ...business, notify: { email: 'owner@example.com' } }
  const wantedBy: StoreWork['wantedBy'] = (event, known) =>
    jobsWantedBy(event, owned, known).filter(({ kind }) => kind === 'notify')
  const gateway = async (name: string) => {
    const place = { ...here, state: `${here.state}-${name}` }
    const node = await deskNode(place, '', laterClock(), { wantedBy, wanted: () => {} })
    const { store, shared } = node
    const notifying = notify({
      ...shared,
      notifiers: [
        { by: 'mail', deliver: async ({ call, kind, words }) => void given.push(`${call} ${kind} ${words}`) },
      ],
      missing: {},
      find: () => owned,
      record: call => store.ask(db => storyOf(db, 'all', call)),
      served: async () => false,
      claim: ({ call, kind, about }, by) =>
        store.ask(db => claimNotice(db, 'all', { call, kind, by, about, business: 'dentist', at: new Date(atMs) })),
      release: async () => {},
    })
    const working = new Working({ ...shared, jobs: () => store.jobs, handlers: { notify: notifying } })
    const tell = (call: string, ...facts: CallFact[]) => {
      for (const fact of facts) node.tell({ call, business: 'dentist', atMs, fact })
    }
    return { ...node, working, tell }
  }
  const [one, two] = await Promise.all(['one', 'two'].map(gateway))
  const numbers = { callerNumber: customer, calledNumber: '+15550100200' }
  const hidden = { ...numbers, calledUser: 'bianca', requestUri: '', parameters: {}, headers: {} }
  const offered = (partOf: string): CallFact => ({
    name: 'offered',
    engine: 'scripted',
    codec: 'ulaw',
    partOf,
    private: hidden,
  })
  const spoke: CallFact = { name: 'agentSpoke', ms: 900, complete: true, private: { text: 'Hello' } }
  const hungUp: CallFact = { name: 'ended', reason: 'callerHungUp', durationMs: 900 }
  const over: CallFact = { name: 'carrierTold', status: 'completed', direction: 'inbound', private: numbers }
  const announced: CallFact = { name: 'announced', verdict: 'agent', private: { ...numbers, parameters: {} } }
  // The agent has spoken with the one; the other left before; of the third its end alone is known; the fourth left words.
  for (const [at, said] of [
    [1, [spoke]],
    [2, []],
  ] as const) {
    two!.tell(`CA${at}`, announced)
    one!.tell(`leg-${at}`, offered(`CA${at}`), ...said, hungUp)
    two!.tell(`CA${at}`, over)
  }
  for (const each of [one!, two!]) each.tell('CA3', { ...over, status: 'noAnswer' })
  two!.tell('CA4', announced, over)
  await two!.caughtUp()
  one!.tell('CA4', { name: 'voicemailLeft', seconds: 9, private: { recording: 'RE1', callerNumber: undefined } })
  for (const each of [one!, two!]) await each.caughtUp()
  expect([one!.trouble, two!.trouble]).toEqual([[], []])
  for (const each of [one!, two!]) each.working.watch()
  await until(
    () =>
      given.length === 3 && one!.told.concat(two!.told).filter(({ fact }) => fact.name === 'noticeSent').length === 3,
  )
  for (const each of [one!, two!]) {
    await each.working.close()
    await each.caughtUp()
  }
  expect(given.toSorted()).toEqual([
    expect.stringMatching(/^CA2 missedCall .*\+15550100177/),
    expect.stringMatching(/^CA3 missedCall .*\+15550100177/),
    expect.stringMatching(/^CA4 voicemail .*9 seconds.*\+15550100177/),
  ])
  const notices = await one!.store.ask(db =>
    db.selectFrom('notices').select(['call', 'kind', 'ok']).orderBy('call').execute(),
  )
  expect(notices.map(({ call, kind, ok }) => [call, kind, ok])).toEqual([
    ['CA2', 'missedCall', true],
    ['CA3', 'missedCall', true],
    ['CA4', 'voicemail', true],
  ])
  for (const each of [one!, two!]) await each.close()
})

describe('what callers leave with the carrier', () => {
  const call = `CA${'0'.repeat(31)}1`
  const recording = `RE${'0'.repeat(31)}2`
  const awaited: CallEvent = {
    ...{ call, business: 'dentist', atMs },
    fact: { name: 'recordingAwaited', recording, seconds: 1, private: { url: '', callerNumber: customer } },
  }
  const page = { after: undefined, count: 9 }
  const laterMs = limits.twilio.recording.retryMs.first + 1_000
  const soundRequests = (double: TwilioServer) => double.asked.filter(({ endpoint }) => endpoint === 'GET sound')

  /** Wakes it until everything that is to be had is here. */
  async function fetched(node: Awaited<ReturnType<typeof deskNode>>) {
    node.fetching.watch()
    await until(() => node.told.some(({ fact }) => ['voicemailLeft', 'recordingGivenUp'].includes(fact.name)))
    await node.caughtUp()
    const rows = await node.store.ask(db => listVoicemails(db, 'all', {}, page))
    const open = await node.store.ask(db => sql`select from awaited_recordings where settled_at is null`.execute(db))
    return { rows, open: open.rows.length }
  }

  it.each([
    ['at once', []],
    ['after it was not there yet', [404]],
    ['after it broke off', ['reset']],
    ['after Twilio was out of order', [503]],
  ] as const)('is fetched whole, %s', async (_, faults) => {
    const double = await twilio()
    const here = await place('server')
    double.recordings.set(recording, wave())
    double.plan('GET sound', ...faults)
    let node = await deskNode(here, double.url)
    node.tell(awaited)
    await node.caughtUp()
    if (faults.length > 0) {
      node.fetching.wake()
      await until(() => soundRequests(double).length === 1)
      await node.close()
      node = await deskNode(here, double.url, laterClock(laterMs))
    }
    expect(await fetched(node)).toMatchObject({
      rows: [{ call, recording, seconds: 1, caller_number: customer }],
      open: 0,
    })
    await node.close()
    expect(await readFile(join(node.voicemails, `${recording}.wav`))).toEqual(wave())
    expect(await readdir(node.voicemails)).toEqual([`${recording}.wav`])
  })

  it('is given up when it is larger than it may be, and after so many attempts, in words', async () => {
    const double = await twilio()
    const node = await deskNode(await place('server'), double.url)
    double.recordings.set(recording, Buffer.alloc(limits.twilio.recording.bytes + 1))
    node.tell(awaited)
    await node.caughtUp()
    expect(await fetched(node)).toMatchObject({ rows: [], open: 0 })
    expect(node.told.at(-1)).toMatchObject({
      fact: { name: 'recordingGivenUp', why: expect.stringContaining('larger') },
    })
    await node.close()
    const other = await deskNode(await place('server'), double.url)
    double.recordings.delete(recording)
    other.tell(awaited)
    await other.caughtUp()
    const tries = limits.twilio.recording.attempts - 1
    await other.store.ask(db => sql`update awaited_recordings set attempts = ${tries}`.execute(db))
    expect(await fetched(other)).toMatchObject({ rows: [], open: 0 })
    expect(other.told.at(-1)).toMatchObject({ fact: { why: 'the carrier answered 404' } })
    await other.close()
  })

  it('is fetched by one of several gateways', async () => {
    const double = await twilio()
    const here = await place('server')
    const nodes = await Promise.all(
      ['one', 'two'].map(name => deskNode({ ...here, state: `${here.state}-${name}` }, double.url)),
    )
    for (let count = 0; count < 12; count++) {
      const sid = `RE${String(count).padStart(32, '0')}`
      double.recordings.set(sid, wave())
      nodes[0]!.tell({ ...awaited, fact: { ...awaited.fact, recording: sid } as CallFact })
    }
    await nodes[0]!.caughtUp()
    for (const { fetching } of nodes) fetching.watch()
    await until(
      () => nodes.flatMap(({ told }) => told).filter(({ fact }) => fact.name === 'voicemailLeft').length === 12,
    )
    for (const node of nodes) await node.close()
    expect(soundRequests(double)).toHaveLength(12)
  })

  it('is not lost when the gateway is killed with -9 in its download', async () => {
    const double = await twilio()
    const here = await place('server')
    double.recordings.set(recording, wave())
    double.plan('GET sound', 'silent')
    const parts = [join(import.meta.dirname, 'fetcher.ts'), here.state, here.folder, here.url ?? '', double.url, '0']
    const program = spawnTied(process.execPath, [...parts, JSON.stringify(awaited)], {
      ...{ stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } },
    })
    const lines: string[] = []
    createInterface({ input: program.stdout! }).on('line', line => void lines.push(line))
    await until(() => soundRequests(double).length === 1)
    expect(lines).toEqual(['told'])
    const ended = new Promise(resolve => program.once('close', resolve))
    program.kill('SIGKILL')
    await ended
    const node = await deskNode(here, double.url, laterClock(laterMs))
    await node.caughtUp()
    expect(await fetched(node)).toMatchObject({ rows: [{ call, recording }], open: 0 })
    await node.close()
    expect(await readFile(join(node.voicemails, `${recording}.wav`))).toEqual(wave())
  })

  it('is one voicemail, also when the gateway died between any two of its steps', async () => {
    const double = await twilio()
    double.recordings.set(recording, wave())
    // What was told is in the journal alone.
    const here = await place('server')
    const first = await deskNode(
      { ...here, folder: join(here.state, 'none'), url: 'postgres://127.0.0.1:1/none' },
      double.url,
    )
    first.tell(awaited)
    await first.journal.flushed()
    await first.close()
    // Half of the file is written.
    const second = await deskNode(here, double.url)
    await second.caughtUp()
    await second.close()
    const { voicemails } = second
    const third = await deskNode(here, double.url)
    await mkdir(voicemails, { recursive: true })
    await writeFile(join(voicemails, `${recording}.wav.part`), wave().subarray(0, 100))
    expect(await fetched(third)).toMatchObject({ rows: [{ recording }], open: 0 })
    // The file is whole, and its event has never come to the disk.
    await third.store.ask(async db => {
      await sql`delete from voicemails`.execute(db)
      await sql`delete from call_events where name = 'voicemailLeft'`.execute(db)
      await sql`update awaited_recordings set settled_at = null`.execute(db)
    })
    await third.close()
    const fourth = await deskNode(here, double.url, laterClock(laterMs))
    expect(await fetched(fourth)).toMatchObject({ rows: [{ recording }], open: 0 })
    expect(await readdir(voicemails)).toEqual([`${recording}.wav`])
    expect(await readFile(join(voicemails, `${recording}.wav`))).toEqual(wave())
    await fourth.close()
  })
})
