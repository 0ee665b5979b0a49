import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallFact } from '../../../src/call/events.ts'
import { unfinishedCalls } from '../../../src/call/unfinished.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import { cleaningOf, deletionOf, forgettingOf, jobsWantedBy } from '../../../src/desk/wanted.ts'
import { limits } from '../../../src/limits.ts'
import { auHeader } from '../../../src/recording/au.ts'
import { eventsSince } from '../../../src/store/calls.ts'
import { askForgetting, elsewhereOf, knowsCaller } from '../../../src/store/forgetting.ts'
import { seedDatabase } from '../../support/database.ts'
import { businessWith, hook } from '../../support/hooked.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { spawnTied } from '../../support/tied.ts'
import { until } from '../../support/until.ts'
import type { Place } from './desk-node.ts'
import { keepingNode, stages } from './keeping-node.ts'
import { comeDue, counted, dump, onDisk, type Row } from './searched.ts'

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-forgetting-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const number = '+15550100177'
const other = '+15550100188'
/** What is said by them, and of them, everywhere. */
const theirs = 'wisdom tooth'
const others = 'root canal'

async function place(kind: 'embedded' | 'server', url?: string): Promise<Place> {
  const state = mkdtempSync(join(folder, 'node-'))
  for (const each of ['recordings', 'voicemail']) mkdirSync(join(state, each))
  if (kind === 'server') return { state, folder: '', url: url ?? (await server.database()) }
  await seedDatabase(join(state, 'database'))
  return { state, folder: join(state, 'database'), url: undefined }
}

const offered = (callerNumber: string, words: string): CallFact => ({
  ...{ name: 'offered', engine: 'scripted', codec: 'ulaw' },
  private: { callerNumber, calledUser: 'bianca', requestUri: '', parameters: { note: words }, headers: {} },
})
const ended: CallFact = { name: 'ended', reason: 'callerHungUp', durationMs: 1_000 }
const recorded = (recording: string): CallFact[] => [
  { name: 'recordingBegan', recording },
  { name: 'recordingEnded', recording, seconds: 3, why: 'callEnded', shedFrames: 0 },
]
const left = (recording: string, callerNumber: string): CallFact => ({
  ...{ name: 'voicemailLeft', seconds: 3, by: 'agent' },
  private: { recording, callerNumber },
})
const calledBack: CallFact = { name: 'messageTaken', private: { text: theirs, callback: number } }
const talk = (callerNumber: string, words: string, recording: string): CallFact[] => [
  offered(callerNumber, words),
  { name: 'answered', setUpMs: 40 },
  { name: 'callerNamed', by: 'caller', private: { name: words } },
  ...recorded(`${recording}-recording`),
  { name: 'callerSpoke', private: { text: words } },
  { name: 'agentSpoke', ms: 400, complete: true, private: { text: `Your ${words}?` } },
  { name: 'messageTaken', private: { text: words, callback: callerNumber } },
  left(`${recording}-voicemail`, callerNumber),
  { name: 'transcribed', recording: `${recording}-voicemail`, by: 'provider', private: { text: words } },
  {
    name: 'summarized',
    by: 'builtIn',
    urgency: 'none',
    private: { who: words, why: words, outcome: '', followUp: '' },
  },
  { name: 'noticeSent', kind: 'voicemail', by: 'mail', ok: true },
  ended,
]
const written = (customer: string, words: string): CallFact[] => [
  { name: 'textReceived', channel: 'sms', media: 0, private: { customer, ours: '+15550100200', text: words } },
  { name: 'consentTold', channel: 'sms', stopped: true, private: { customer } },
]
const awaited = (who: string, callerNumber: string): CallFact => ({
  ...{ name: 'recordingAwaited', recording: `RE-${who}`, seconds: 4 },
  private: { url: 'https://api.example/RE', callerNumber },
})

type Node = Awaited<ReturnType<typeof keepingNode>>

async function tellAll(node: Node, who: string, business: string, callerNumber: string, words: string) {
  await node.tell(`${who}-talk`, business, ...talk(callerNumber, words, who))
  await node.tell(`${who}-text`, business, ...written(callerNumber, words))
  await node.tell(`${who}-machine`, business, awaited(who, callerNumber), {
    ...{ name: 'carrierTold', status: 'completed', direction: 'inbound' },
    private: { callerNumber, calledNumber: '+15550100200' },
  })
  await node.tell(
    `${who}-out-1`,
    business,
    { name: 'callAsked', attempt: 1, private: { calledNumber: callerNumber } },
    ended,
  )
  const at = new Date()
  const order = { key: who, request_hash: 'h', number: callerNumber, context: JSON.stringify({ words }) }
  const delivery = { hook: 'crm', event: 'message.taken', body: words, attempts: 1, last_why: null, last_status: 204 }
  await node.store.ask(async db => {
    const ends = { state: 'ended', asked_at: at } as const
    await db
      .insertInto('outbound_calls')
      .values({ id: `${who}-out`, business, ...order, ...ends })
      .execute()
    const row = { id: who, business, call: `${who}-talk`, at, last_at: at, delivered_at: at, ...delivery }
    await db.insertInto('deliveries').values(row).execute()
  })
}

function keepFiles(state: string, who: string) {
  for (const form of ['.au', '.opus']) writeFileSync(join(state, 'recordings', `${who}-recording${form}`), 'sound')
  for (const form of ['.wav', '.opus.part']) writeFileSync(join(state, 'voicemail', `${who}-voicemail${form}`), 'sound')
}

const ofOthers = (row: Row) => row['business'] === 'other' || /"(others|live)|0100188/.test(JSON.stringify(row))
const isAnywhere = (text: string) => [number, theirs].filter(each => text.includes(each))

describe.concurrent.each(['embedded', 'server'] as const)('a caller who is forgotten, on the %s database', kind => {
  it('is nowhere any more, whenever the gateway is killed with -9, and others are', async () => {
    const here = await place(kind)
    const first = await keepingNode(here)
    await tellAll(first, 'theirs', 'dentist', number, theirs)
    await tellAll(first, 'same', 'other', number, others)
    await tellAll(first, 'others', 'dentist', other, others)
    for (const who of ['theirs', 'same', 'others']) keepFiles(here.state, who)
    const many = limits.store.callsForgottenAtOnce + 5
    for (let at = 0; at < many; at++) {
      for (const fact of [offered(number, theirs), ended])
        first.journal.append({ call: `many-${at}`, business: 'dentist', atMs: at, fact })
    }
    await first.tell('live', 'dentist', offered(other, others))
    await first.tell('withheld', 'dentist', offered('anonymous', theirs), ...recorded('withheld'), calledBack, ended)
    // Beside it one that somebody wants to be gone, and one that is too old.
    for (const name of ['gone-asked', 'gone-old']) {
      await first.tell(name, 'dentist', ...recorded(name), ended)
      for (const form of ['.au', '.opus']) writeFileSync(join(here.state, 'recordings', `${name}${form}`), 'sound')
    }
    await first.store.ask(db =>
      db
        .updateTable('recordings')
        .set({ at: new Date(0) })
        .where('id', '=', 'gone-old')
        .execute(),
    )
    const before = await dump(first.store, ofOthers)
    expect(isAnywhere(before.theirs)).toEqual([number, theirs])
    expect(isAnywhere(onDisk(here.state))).toEqual([number, theirs])
    expect(await first.store.ask(db => elsewhereOf(db, 'all', { business: 'dentist', number }))).toEqual({
      ...{ hooks: ['crm'], notices: ['mail'], carrier: true, provider: true },
    })
    // Who came by the carrier without its webhooks.
    const led = { ...offered('+15550100133', ''), partOf: 'by-bin' } as CallFact
    await first.tell('by-bin', 'dentist', led, ended)
    const byBin = { business: 'dentist', number: '+15550100133' }
    expect(await first.store.ask(db => elsewhereOf(db, 'all', byBin))).toMatchObject({ carrier: true })
    const isKnown = ({ store }: Node, each: string) =>
      store.ask(db => knowsCaller(db, 'all', { business: 'dentist', number: each }))
    expect(await Promise.all([number, '0015550100177'].map(each => isKnown(first, each)))).toEqual([true, false])
    await first.store.ask(db => askForgetting(db, 'all', { id: 'f1', business: 'dentist', number, at: new Date() }))
    const waiting = {
      kind: 'transcribe',
      key: 'theirs',
      business: 'dentist',
      subject: { call: 'theirs-talk' },
    } as const
    const home = first.journal.id
    const asked = { kind: 'recording', name: 'gone-asked', call: 'gone-asked', business: 'dentist', home } as const
    const deletions = [deletionOf(asked, 'operator'), cleaningOf('2026-01-05', home)]
    await first.store.jobs!.want([forgettingOf('f1', 'dentist'), waiting, ...deletions])
    await first.close()

    for (const stage of stages) {
      const program = [join(import.meta.dirname, 'keeping-node.ts'), here.state, here.folder, here.url ?? '', stage]
      const env = { PATH: process.env['PATH'] }
      const child = spawnTied(process.execPath, program, { stdio: ['ignore', 'pipe', 'inherit'], env })
      const [said] = await once(child.stdout!, 'data')
      // Two jobs may be there at once, and say so in one breath.
      expect(new Set(String(said).trim().split('\n'))).toEqual(new Set([stage]))
      child.kill('SIGKILL')
      await once(child, 'exit')
      if (here.url !== undefined) await comeDue(here.url)
    }

    const last = await keepingNode(here)
    last.working.watch()
    while ((await counted(last.store, `state <> 'completed'`)) > 0) await pause(systemClock, 20)
    expect(last.ended).toContain('forget done')
    expect(isAnywhere(onDisk(here.state))).toEqual([])
    expect([...(await unfinishedCalls(last.journal)).keys()]).toEqual(['live'])
    // What is told of them late is taken without them.
    const price = { status: 'completed', direction: 'inbound', price: '-0.01' } as const
    await last.tell(
      'theirs-talk',
      'dentist',
      { name: 'carrierTold', ...price, private: { callerNumber: number, calledNumber: '' } },
      { name: 'transcribed', recording: 'late', by: 'provider', private: { text: theirs } },
      left('late', number),
    )
    const after = await dump(last.store, ofOthers)
    expect([isAnywhere(after.theirs), await isKnown(last, number)]).toEqual([[], false])
    // The wish to be left alone is for them, and not a word of theirs.
    expect([isAnywhere(after.stays), after.stays]).toEqual([[number], before.stays])
    expect(after.others).toBe(before.others)
    expect(readdirSync(join(here.state, 'recordings')).sort().join()).toBe(formsOf('recording', '.au', '.opus'))
    expect(readdirSync(join(here.state, 'voicemail')).sort().join()).toBe(formsOf('voicemail', '.opus.part', '.wav'))

    // What has happened is looked through once more: of them nothing is wanted any more.
    const past = await last.store.ask(db => eventsSince(db, 'all', { since: new Date(0), after: '0', count: 999 }))
    const wanted = past.flatMap(({ event }) => jobsWantedBy(event, businessWith(hook)))
    expect(wanted.filter(({ business }) => business === 'dentist')).not.toEqual([])
    expect(wanted.filter(({ subject }) => String(subject['call']).startsWith('theirs-'))).toEqual([])
    const told = await last.store.ask(async db => ({
      events: await db
        .selectFrom('call_events')
        .select(['name', 'details'])
        .where('name', 'in', ['callerForgotten', 'recordingDeleted', 'voicemailDeleted'])
        .orderBy('name')
        .orderBy(sql`details->>'recording'`)
        .execute(),
      calls: await db
        .selectFrom('calls')
        .select(['caller_number', 'price', 'duration_ms'])
        .where('id', '=', 'theirs-talk')
        .execute(),
      forgetting: await db.selectFrom('forgettings').select(['number', 'calls', 'files']).execute(),
      jobs: (await sql<{ name: string; state: string }>`select name, state from jobs.job order by name`.execute(db))
        .rows,
    }))
    const counts = { calls: many + 4, files: 3 }
    expect(told).toEqual({
      events: [
        { name: 'callerForgotten', details: counts },
        { name: 'recordingDeleted', details: { recording: 'gone-asked', by: 'operator' } },
        { name: 'recordingDeleted', details: { recording: 'gone-old', by: 'age' } },
        { name: 'recordingDeleted', details: { recording: 'theirs-recording', by: 'request' } },
        { name: 'recordingDeleted', details: { recording: 'withheld', by: 'request' } },
        { name: 'voicemailDeleted', details: { recording: 'theirs-voicemail', by: 'request' } },
      ],
      calls: [{ caller_number: null, price: '-0.01', duration_ms: 1_000 }],
      forgetting: [{ number: null, ...counts }],
      // Of a sound that is gone its words, too.
      jobs: ['clean', 'clean', 'clean', 'clean', 'forget'].map(name => ({ name, state: 'completed' })),
    })
    expect(last.trouble).toEqual([])
    await last.close()
  }, 120_000)
})

describe.concurrent('of two gateways with one database', () => {
  it('each deletes and converts what is on its own disk, and drops its own journal, whoever is asked', async () => {
    const url = await server.database()
    const [one, two] = [await place('server', url), await place('server', url)]
    const kinds = ['forget', 'clean', 'convert'] as const
    const here = await keepingNode({ ...one, kinds })
    const there = await keepingNode({ ...two, kinds, deaf: true })
    const au = Buffer.concat([auHeader({ law: 'ulaw', channels: 2 }, { ...note, id: 'theirs' }), Buffer.alloc(1_600)])
    writeFileSync(join(two.state, 'recordings/theirs.au'), au)
    writeFileSync(join(two.state, 'recordings/asked.opus'), 'sound')
    writeFileSync(join(two.state, 'recordings/old.opus'), 'sound')
    await there.tell('theirs', 'dentist', offered(number, theirs), ...recorded('theirs'), ended)
    await there.tell('asked', 'dentist', offered(other, others), ...recorded('asked'), ended)
    await there.tell('old', 'dentist', ...recorded('old'), ended)
    await there.store.ask(db =>
      db
        .updateTable('recordings')
        .set({ at: new Date(0) })
        .where('id', '=', 'old')
        .execute(),
    )
    await here.tell('here', 'dentist', offered(number, theirs), ended)
    const day = cleaningOf('2026-01-05', here.journal.id)
    const asked = {
      kind: 'recording',
      name: 'asked',
      call: 'asked',
      business: 'dentist',
      home: there.journal.id,
    } as const
    await here.store.jobs!.want([day, deletionOf(asked, 'business')])

    // Whoever comes first has none of it.
    here.working.wake(kinds)
    await until(() => here.ended.length === 1)
    while ((await counted(here.store, `state = 'created' and start_after > now()`)) < 4) await pause(systemClock, 10)
    const told = (...names: readonly string[]) =>
      here.store.ask(db =>
        db.selectFrom('call_events').select('details').where('name', 'in', names).orderBy('id').execute(),
      )
    expect([here.ended, await told('recordingDeleted', 'recordingConverted')]).toEqual([['clean done'], []])

    /** All of it, and nothing is left to a person. */
    const done = async (which = 'true') => {
      while ((await counted(here.store, `state <> 'completed' and ${which}`)) > 0) {
        await here.store.ask(db =>
          sql`update jobs.job set start_after = now() where state in ('created', 'retry') and ${sql.raw(which)}`.execute(
            db,
          ),
        )
        here.working.wake(kinds)
        there.working.wake(kinds)
        await pause(systemClock, 20)
      }
      await Promise.all([here.store.caughtUp(), there.store.caughtUp()])
    }
    await done()
    expect(await told('recordingDeleted', 'recordingConverted')).toHaveLength(2)
    expect(readdirSync(join(two.state, 'recordings')).sort()).toEqual(['old.opus', 'theirs.opus'])
    await there.store.jobs!.want([cleaningOf('2026-01-05', there.journal.id)])
    await done()
    expect(readdirSync(join(two.state, 'recordings'))).toEqual(['theirs.opus'])

    await here.store.ask(db => askForgetting(db, 'all', { id: 'f2', business: 'dentist', number, at: new Date() }))
    await here.store.jobs!.want([forgettingOf('f2', 'dentist')])
    here.working.wake(kinds)
    await until(() => here.ended.includes('forget again'))
    // It would be in vain, and wait longer, as long as the other has sounds of theirs.
    await done(`name <> 'forget'`)
    await done()
    expect(isAnywhere((await dump(here.store, ofOthers)).theirs)).toEqual([])
    expect(isAnywhere(onDisk(one.state) + onDisk(two.state))).toEqual([])
    expect(readdirSync(join(two.state, 'recordings'))).toEqual([])
    const details = (await told('recordingDeleted')).map(row => row.details)
    expect(details).toEqual([
      { recording: 'asked', by: 'business' },
      { recording: 'old', by: 'age' },
      { recording: 'theirs', by: 'request' },
    ])
    expect([here.trouble, there.trouble]).toEqual([[], []])
    expect([...here.ended, ...there.ended].filter(how => how.endsWith('failed'))).toEqual([])
    await here.close()
    await there.close()
  }, 120_000)
})

const note = { id: '', call: 'theirs', business: 'dentist', beganAtMs: 0 }

function formsOf(kind: string, ...forms: readonly string[]): string {
  return ['others', 'same'].flatMap(who => forms.map(form => `${who}-${kind}${form}`)).join()
}
