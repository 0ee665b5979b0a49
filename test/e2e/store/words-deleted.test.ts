import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallFact } from '../../../src/call/events.ts'
import { answerTextId, noticeTextId } from '../../../src/call/text-ids.ts'
import { unfinishedCalls } from '../../../src/call/unfinished.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import { cleaningOf, deletionOf, jobsWantedBy, transcriptionOf } from '../../../src/desk/wanted.ts'
import { eventsSince, listCalls } from '../../../src/store/calls.ts'
import { findSummary, transcriptsOf } from '../../../src/store/digests.ts'
import { listTexts } from '../../../src/store/texts.ts'
import { seedDatabase } from '../../support/database.ts'
import { businessWith, hook } from '../../support/hooked.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { spawnTied } from '../../support/tied.ts'
import type { Place } from './desk-node.ts'
import { keepingNode } from './keeping-node.ts'
import { comeDue, counted, dump, onDisk } from './searched.ts'

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-words-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

/** One word, as the search has it. */
const secret = 'wisdomtooth'
const spoken = 'toothbrush'
const second = 'rootcanal'

async function place(kind: 'embedded' | 'server', url?: string): Promise<Place> {
  const state = mkdtempSync(join(folder, 'node-'))
  for (const each of ['recordings', 'voicemail']) mkdirSync(join(state, each))
  if (kind === 'server') return { state, folder: '', url: url ?? (await server.database()) }
  await seedDatabase(join(state, 'database'))
  return { state, folder: join(state, 'database'), url: undefined }
}

const offered: CallFact = {
  ...{ name: 'offered', engine: 'scripted', codec: 'ulaw' },
  private: { callerNumber: '+15550100177', calledUser: 'bianca', requestUri: '', parameters: {}, headers: {} },
}
const ended: CallFact = { name: 'ended', reason: 'callerHungUp', durationMs: 1_000 }
const left = (recording: string): CallFact => ({
  ...{ name: 'voicemailLeft', seconds: 3, by: 'agent' },
  private: { recording, callerNumber: '+15550100177' },
})
const transcribed = (recording: string, text: string): CallFact => ({
  ...{ name: 'transcribed', recording, by: 'provider' },
  private: { text },
})
const summarized = (why: string): CallFact => ({
  ...{ name: 'summarized', by: 'builtIn', urgency: 'soon' },
  private: { who: 'Ann', why, outcome: '', followUp: '' },
})
const answered = (recording: string, intent: string): CallFact => ({
  ...{ name: 'callerAnswered', recording, by: 'provider', text: answerTextId(recording) },
  private: { intent, data: { what: intent } },
})
const wanted = (text: string): CallFact => ({
  ...{ name: 'textWanted', channel: 'sms' },
  private: { customer: '+15550100300', ours: '+15550100200', text },
})

type Node = Awaited<ReturnType<typeof keepingNode>>

/** A call with everything that may be made of a voicemail: what its words say is `said`. */
async function leave(node: Node, state: string, { call, said }: { readonly call: string; readonly said: string }) {
  const recording = `${call}-voicemail`
  writeFileSync(join(state, 'voicemail', `${recording}.opus`), 'sound')
  const talk: CallFact[] = [offered, { name: 'callerSpoke', private: { text: `My ${spoken}.` } }, ended]
  const made = [transcribed(recording, said), summarized(said), answered(recording, said)]
  await node.tell(call, 'dentist', ...talk, left(recording), ...made)
  for (const id of [noticeTextId({ kind: 'voicemailWords', call, about: recording }), answerTextId(recording)])
    await node.tell(id, 'dentist', wanted(`It says: ${said}`), { name: 'textSent', carrier: `SM-${id}` })
  const at = new Date()
  const row = { business: 'dentist', call, hook: 'crm', at, last_at: at, delivered_at: at, attempts: 1, last_why: null }
  const told = [
    { event: 'voicemail.transcribed', data: { recording, sequence: 5, private: { text: said } } },
    { event: 'call.summarized', data: { urgency: 'soon', sequence: 6, private: { why: said } } },
  ]
  for (const { event, data } of told) {
    const body = JSON.stringify({ type: event, timestamp: at.toISOString(), data })
    await node.store.ask(db =>
      db
        .insertInto('deliveries')
        .values({ ...row, id: `${call} ${event}`, event, body, last_status: 204 })
        .execute(),
    )
  }
  return { kind: 'voicemail', name: recording, call, business: 'dentist', home: node.journal.id } as const
}

const found = async ({ store }: Node, text: string) =>
  (await store.ask(db => listCalls(db, 'all', { text }, { after: undefined, count: 9 }))).map(({ id }) => id).sort()

const stages = ['unlinked', 'deleted', 'told', 'rotated', 'dropped'] as const

describe.concurrent.each(['embedded', 'server'] as const)(
  'what was written down of a voicemail that is deleted, on the %s database',
  kind => {
    it('is nowhere any more, whenever the gateway is killed with -9, and what else was said is', async () => {
      const here = await place(kind)
      const first = await keepingNode(here)
      const sound = await leave(first, here.state, { call: 'theirs', said: secret })
      await leave(first, here.state, { call: 'others', said: second })
      // Another was left in the same call, and one in a call that still goes on.
      await first.tell('theirs', 'dentist', left('theirs-second'), transcribed('theirs-second', second))
      await first.tell('live', 'dentist', offered, left('live-voicemail'), transcribed('live-voicemail', secret))
      writeFileSync(join(here.state, 'voicemail', 'live-voicemail.au'), 'sound')
      const isOther = (row: Record<string, unknown>) => JSON.stringify(row).includes('others')
      const before = await dump(first.store, isOther)
      expect([before.theirs.includes(secret), onDisk(here.state).includes(secret)]).toEqual([true, true])
      expect(await found(first, secret)).toEqual(['live', 'theirs'])
      const live = { ...sound, name: 'live-voicemail', call: 'live' }
      await first.store.jobs!.want([deletionOf(sound, 'operator'), deletionOf(live, 'business')])
      await first.close()

      // What the embedded database costs to be opened so often the server tells of all of them.
      for (const stage of kind === 'server' ? stages : (['deleted', 'rotated'] as const)) {
        const program = [join(import.meta.dirname, 'keeping-node.ts'), here.state, here.folder, here.url ?? '', stage]
        const child = spawnTied(process.execPath, program, {
          ...{ stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env['PATH'] } },
        })
        const [said] = await once(child.stdout!, 'data')
        expect(String(said).trim()).toBe(stage)
        child.kill('SIGKILL')
        await once(child, 'exit')
        if (here.url !== undefined) await comeDue(here.url)
      }

      const last = await keepingNode(here)
      last.working.watch()
      while ((await counted(last.store, `state <> 'completed'`)) > 0) await pause(systemClock, 20)
      const isGone = async () => {
        const { theirs, others } = await dump(last.store, isOther)
        return [theirs.includes(secret), onDisk(here.state).includes(secret), await found(last, secret), others]
      }
      const nowhere = [false, false, [], before.others]
      expect(await isGone()).toEqual(nowhere)
      expect([...(await unfinishedCalls(last.journal)).keys()]).toEqual(['live'])
      expect(readdirSync(join(here.state, 'voicemail'))).toEqual(['others-voicemail.opus'])
      expect([await found(last, spoken), await found(last, second)]).toEqual([
        ['others', 'theirs'],
        ['others', 'theirs'],
      ])
      const told = await last.store.ask(async db => ({
        transcripts: (await transcriptsOf(db, 'all', 'theirs')).map(({ recording, text }) => [recording, text]),
        summary: await findSummary(db, 'all', 'theirs'),
        events: (
          await sql<Record<string, unknown>>`
        select name, details, private from call_events where call = 'theirs' and name in ('transcribed', 'summarized')
        order by id`.execute(db)
        ).rows,
        texts: (await listTexts(db, 'all', {}, { after: undefined, count: 9 })).map(({ text }) => text).sort(),
        deliveries: (
          await sql<{ body: string }>`select body from deliveries where call = 'theirs' order by id`.execute(db)
        ).rows.map(({ body }) => (JSON.parse(body) as { data: unknown }).data),
      }))
      expect(told).toEqual({
        transcripts: [['theirs-second', second]],
        summary: undefined,
        events: [
          { name: 'transcribed', details: { recording: 'theirs-voicemail', by: 'provider' }, private: null },
          { name: 'summarized', details: { by: 'builtIn', urgency: 'soon' }, private: null },
          { name: 'transcribed', details: { recording: 'theirs-second', by: 'provider' }, private: { text: second } },
        ],
        texts: ['', '', `It says: ${second}`, `It says: ${second}`],
        deliveries: [
          { urgency: 'soon', sequence: 6 },
          { recording: 'theirs-voicemail', sequence: 5 },
        ],
      })

      // What happened is looked through once more: nothing is wanted of words that are gone.
      const past = await last.store.ask(db => eventsSince(db, 'all', { since: new Date(0), after: '0', count: 999 }))
      const again = past.flatMap(({ event }) => jobsWantedBy(event, businessWith(hook)))
      const ofTheirs = again.filter(({ subject }) => subject['call'] === 'theirs' && subject['recording'] !== undefined)
      expect(ofTheirs.map(({ kind, subject }) => [kind, subject['recording']])).not.toContainEqual([
        'answer',
        sound.name,
      ])
      expect(again.filter(({ kind, key }) => kind === 'summarize' && key === `theirs ${sound.name}`)).toEqual([])
      // Another job has one of them under way, and tells what it has made of it when all are gone.
      await last.store.jobs!.want([transcriptionOf('theirs', 'dentist', sound.name)])
      const [underWay] = await last.store.jobs!.claim('transcribe', 1)
      const deletion = { call: 'theirs', business: 'dentist', atMs: systemClock.wallMs() }
      const [words] = jobsWantedBy(
        { ...deletion, fact: { name: 'voicemailDeleted', recording: sound.name, by: 'operator' } },
        undefined,
      )
      await last.store.jobs!.want([{ ...words!, key: 'once more' }])
      last.working.wake(['clean'])
      const waits = `state = 'created' and output->>'why' like 'something is being done%'`
      while ((await counted(last.store, waits)) === 0) await pause(systemClock, 20)
      const late = [transcribed(sound.name, secret), summarized(secret), answered(sound.name, secret)]
      await last.tell('theirs', 'dentist', ...late)
      await last.store.jobs!.done(underWay!)
      await last.store.ask(db => sql`update jobs.job set start_after = now() where state = 'created'`.execute(db))
      last.working.wake(['clean'])
      while ((await counted(last.store, `state <> 'completed'`)) > 0) await pause(systemClock, 20)
      expect(await isGone()).toEqual(nowhere)
      expect(last.trouble).toEqual([])
      await last.close()
    }, 120_000)
  },
)

describe.concurrent('of two gateways with one database', () => {
  it('the one that made something of it drops that from its journal with the next day', async () => {
    const url = await server.database()
    const [one, two] = [await place('server', url), await place('server', url)]
    const here = await keepingNode({ ...one, kinds: ['clean'] })
    const there = await keepingNode({ ...two, kinds: ['clean'] })
    const sound = await leave(there, two.state, { call: 'theirs', said: secret })
    await here.tell('theirs', 'dentist', answered(sound.name, secret))
    await here.store.jobs!.want([deletionOf(sound, 'business')])
    const done = async () => {
      while ((await counted(here.store, `state <> 'completed'`)) > 0) {
        await here.store.ask(db => sql`update jobs.job set start_after = now() where state = 'created'`.execute(db))
        for (const node of [here, there]) node.working.wake(['clean'])
        await pause(systemClock, 20)
      }
    }
    await done()
    const isSaid = async () => [
      (await dump(here.store, () => false)).theirs.includes(secret),
      onDisk(two.state).includes(secret),
      onDisk(one.state).includes(secret),
    ]
    expect(await isSaid()).toEqual([false, false, true])
    await here.store.jobs!.want([cleaningOf('2026-01-05', here.journal.id)])
    await done()
    expect(await isSaid()).toEqual([false, false, false])
    expect([
      ...here.trouble,
      ...there.trouble,
      ...[...here.ended, ...there.ended].filter(how => how.endsWith('failed')),
    ]).toEqual([])
    await here.close()
    await there.close()
  }, 60_000)
})
