import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CarrierStatus } from '../../../src/call/carrier-events.ts'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import { type Journal, openJournal } from '../../../src/call/journal.ts'
import { systemClock } from '../../../src/clock.ts'
import { findCall } from '../../../src/store/calls.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { migrate } from '../../../src/store/migrate.ts'
import { Projection } from '../../../src/store/projection.ts'
import { PostgresServer } from '../../support/postgres.ts'

const hidden = {
  callerNumber: '+15550100199',
  calledUser: 'bianca',
  requestUri: '',
  parameters: { callSid: 'CA1' },
  headers: {},
}

function conversation(call: string, business = 'dentist'): CallEvent[] {
  const facts: CallFact[] = [
    { name: 'offered', engine: 'scripted', codec: 'ulaw', private: hidden },
    { name: 'answered', setUpMs: 40 },
    { name: 'agentSpoke', ms: 900, complete: true, private: { text: 'Hello.' } },
    { name: 'callerSpoke', private: { text: 'A tooth hurts' } },
    { name: 'turnAnswered', thinkMs: 120, pauseMs: 500 },
    { name: 'toolRan', tool: 'look_up', ok: true, tookMs: 12 },
    { name: 'agentSpoke', ms: 400, complete: false, private: { text: 'Come at' } },
    { name: 'messageTaken', private: { text: 'call me', callback: '+15550100199' } },
    { name: 'ended', reason: 'callerHungUp', durationMs: 5_000 },
  ]
  return facts.map((fact, index) => ({ call, business, atMs: Date.UTC(2026, 0, 5, 9) + 500 * index, fact }))
}

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-store-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

describe.each(['embedded', 'server'] as const)('the store on the %s database', kind => {
  const trouble: string[] = []
  let database: Database
  const open = () =>
    openDatabase({
      url: kind === 'server' ? server.url : undefined,
      folder: join(folder, 'database'),
    })
  beforeAll(async () => {
    database = await open()
  })
  afterAll(() => database.close())

  const journalOf = (id: string) =>
    openJournal({ directory: join(folder, kind, id), clock: systemClock, trouble: text => trouble.push(text) })
  const projectionOf = (journal: Journal) =>
    new Projection({ source: journal, db: database.db, clock: systemClock, trouble: text => trouble.push(text) })

  it('makes rows of events, each once, whatever is read again', async () => {
    const journal = await journalOf('first')
    let projection = projectionOf(journal)
    for (const event of conversation('call-1')) journal.append(event)
    await journal.flushed()
    await projection.caughtUp()
    await projection.close()
    projection = projectionOf(journal)
    for (const event of conversation('call-2', 'plumber')) journal.append(event)
    await journal.flushed()
    await projection.caughtUp()
    await projection.close()
    await journal.close()

    const { db } = database
    expect(await db.selectFrom('calls').selectAll().where('id', '=', 'call-1').execute()).toMatchObject([
      {
        business: 'dentist',
        state: 'ended',
        outcome: 'callerHungUp',
        duration_ms: 5_000,
        set_up_ms: 40,
        caller_number: '+15550100199',
        parameters: { callSid: 'CA1' },
        offered_at: new Date(Date.UTC(2026, 0, 5, 9)),
      },
    ])
    const turns = await db.selectFrom('turns').selectAll().where('call', '=', 'call-2').orderBy('id').execute()
    expect(turns.map(({ who, text, complete, latency }) => ({ who, text, complete, latency }))).toEqual([
      { who: 'agent', text: 'Hello.', complete: true, latency: null },
      { who: 'caller', text: 'A tooth hurts', complete: null, latency: null },
      { who: 'agent', text: 'Come at', complete: false, latency: { thinkMs: 120, pauseMs: 500 } },
    ])
    for (const table of ['calls', 'tool_calls', 'messages', 'usage'] as const) {
      const { count } = await db
        .selectFrom(table)
        .select(sql<number>`count(*)::int`.as('count'))
        .executeTakeFirstOrThrow()
      expect([table, count]).toEqual([table, 2])
    }
    const { events } = await db
      .selectFrom('call_events')
      .select(sql<number>`count(*)::int`.as('events'))
      .executeTakeFirstOrThrow()
    expect(events).toBe(18)
    expect(trouble).toEqual([])
  })

  it('makes one record of a call, whether its facts came by its channels or by the carrier, in whatever order', async () => {
    const sid = 'CA00000000000000000000000000000001'
    const at = (seconds: number) => Date.UTC(2026, 0, 5, 11) + 1_000 * seconds
    const numbers = { callerNumber: '+15550100177', calledNumber: '+15550100200' }
    const told = (status: CarrierStatus, sequence: number, more = {}): CallEvent => {
      const fact = { name: 'carrierTold', status, sequence, direction: 'inbound', private: numbers, ...more } as const
      return { call: sid, business: 'dentist', atMs: at(sequence), fact }
    }
    const leg = (call: string, seconds: number, facts: CallFact[]): CallEvent[] =>
      facts.map((fact, index) => ({ call, business: 'dentist', atMs: at(seconds + index), fact }))
    const offered = { name: 'offered', engine: 'scripted', codec: 'ulaw', partOf: sid } as const
    const parameters = { patientId: 'patient-4711' }
    const announced: CallFact = { name: 'announced', verdict: 'agent', private: { ...numbers, parameters } }
    const hiddenHere = { ...hidden, callerNumber: numbers.callerNumber, parameters }
    const events = [
      ...leg(sid, 0, [announced]),
      told('completed', 9, { seconds: 61 }),
      told('ringing', 1),
      ...leg('1.1', 1, [
        { ...offered, private: hiddenHere },
        { name: 'answered', setUpMs: 40 },
      ]),
      ...leg('1.1', 4, [{ name: 'ended', reason: 'redirected', durationMs: 3_000, answeredMs: 2_000 }]),
      ...leg('1.2', 5, [
        { ...offered, again: true, private: hiddenHere },
        { name: 'answered', setUpMs: 30 },
      ]),
      ...leg('1.2', 8, [{ name: 'ended', reason: 'callerHungUp', durationMs: 3_000, answeredMs: 2_500 }]),
      told('inProgress', 2),
      told('completed', 9, { seconds: 61, price: '-0.00850', priceUnit: 'USD' }),
    ]
    const unseen = { ...told('noAnswer', 3), call: 'CA00000000000000000000000000000002' }
    for (const [id, together] of [['once', events.length] as const, ['one-by-one', 1] as const]) {
      const { db } = database
      for (const table of ['calls', 'call_events', 'call_names', 'callers'] as const)
        await db.deleteFrom(table).execute()
      const journal = await journalOf(`carrier-${id}`)
      const projection = projectionOf(journal)
      for (let next = 0; next < events.length; next += together) {
        for (const event of events.slice(next, next + together)) journal.append(event)
        await journal.flushed()
        await projection.caughtUp()
      }
      journal.append(unseen)
      await journal.flushed()
      await projection.caughtUp()
      await projection.close()
      await journal.close()
      expect(await db.selectFrom('calls').selectAll().orderBy('id').execute()).toMatchObject([
        {
          id: sid,
          state: 'ended',
          outcome: 'callerHungUp',
          caller_number: numbers.callerNumber,
          parameters,
          carrier_status: 'completed',
          carrier_seconds: 61,
          price: '-0.00850',
          price_unit: 'USD',
          offered_at: new Date(at(0)),
          ended_at: new Date(at(8)),
        },
        { id: unseen.call, state: 'ended', outcome: 'carrierNoAnswer', direction: 'inbound' },
      ])
      expect(await db.selectFrom('callers').select('calls').execute()).toEqual([{ calls: 1 }])
      for (const name of [sid, '1.1', '1.2']) expect(await findCall(db, 'all', name)).toMatchObject({ id: sid })
      expect(await findCall(db, { business: 'plumber' }, '1.1')).toBeUndefined()
      expect(await db.selectFrom('call_names').selectAll().orderBy('name').execute()).toEqual([
        { name: '1.1', call: sid },
        { name: '1.2', call: sid },
      ])
    }
    expect(trouble).toEqual([])
  })

  it('makes a row of each transfer, whatever comes together, and however often attempts are counted anew', async () => {
    const told = (attempt: number, at: number, ...names: string[]): CallEvent[] =>
      names.map((name, index) => {
        const outcome = name.slice('transferEnded '.length)
        const facts: Record<string, CallFact> = {
          transferBegan: {
            ...{ name: 'transferBegan', attempt, destination: `desk-${at}`, mode: 'blind', by: 'agent' },
            private: { reason: 'a bill' },
          },
          transferRang: { name: 'transferRang', attempt, afterMs: 80 },
          transferAnswered: { name: 'transferAnswered', attempt, afterMs: 900 },
        }
        const fact = facts[name] ?? { name: 'transferEnded', attempt, outcome: outcome as 'busy', tookMs: 1_000 }
        return { call: 'moved', business: 'dentist', atMs: Date.UTC(2026, 0, 5, 10) + 1_000 * (at + index), fact }
      })
    const offered = { ...conversation('moved')[0]! }
    const events = [
      offered,
      ...told(1, 10, 'transferBegan', 'transferRang', 'transferEnded busy'),
      ...told(2, 20, 'transferBegan', 'transferAnswered', 'transferEnded connected'),
      // Another gateway has taken it over.
      ...told(1, 30, 'transferBegan', 'transferRang'),
    ]
    const expected = [
      { attempt: 1, destination: 'desk-10', outcome: 'busy', rang: 11, answered: null, ended: 12 },
      { attempt: 2, destination: 'desk-20', outcome: 'connected', rang: null, answered: 21, ended: 22 },
      { attempt: 1, destination: 'desk-30', outcome: null, rang: 31, answered: null, ended: null },
    ]
    for (const together of [true, false]) {
      const { db } = database
      for (const table of ['transfers', 'calls', 'call_events'] as const) {
        await db
          .deleteFrom(table)
          .where(table === 'calls' ? 'id' : 'call', '=', 'moved')
          .execute()
      }
      const journal = await journalOf(`transfers-${together}`)
      const projection = projectionOf(journal)
      for (const event of events) {
        journal.append(event)
        if (together) continue
        await journal.flushed()
        await projection.caughtUp()
      }
      await journal.flushed()
      await projection.caughtUp()
      await projection.close()
      await journal.close()
      const rows = await db.selectFrom('transfers').selectAll().where('call', '=', 'moved').orderBy('id').execute()
      const second = (time: Date | null) => time && (time.getTime() - Date.UTC(2026, 0, 5, 10)) / 1_000
      expect(
        rows.map(({ attempt, destination, outcome, rang_at, answered_at, ended_at }) => ({
          ...{ attempt, destination, outcome },
          ...{ rang: second(rang_at), answered: second(answered_at), ended: second(ended_at) },
        })),
      ).toEqual(expected)
      const call = await db.selectFrom('calls').select('transferred_to').where('id', '=', 'moved').executeTakeFirst()
      expect(call).toEqual({ transferred_to: 'desk-20' })
    }
    expect(trouble).toEqual([])
  })

  it('makes a row of each recording, of what happens once the first that is told, and of ends the last, however they come together', async () => {
    const began = (recording: string): CallFact => ({ name: 'recordingBegan', recording })
    const ended = (recording: string, why: 'callEnded' | 'transferred' | 'cut', seconds: number): CallFact => ({
      ...{ name: 'recordingEnded', recording, why, seconds },
      shedFrames: seconds,
    })
    const pieces: readonly (readonly CallFact[])[] = [
      [{ name: 'recordingAnnounced', recording: 'one' }, began('one'), ended('one', 'callEnded', 9), began('two')],
      [began('back'), ended('back', 'transferred', 4)],
      // Found by the next life, which could not know.
      [ended('one', 'cut', 9), ended('two', 'cut', 3), { ...began('two'), again: true } as CallFact],
      // It went on in the same file: its length is what the last end tells.
      [{ ...began('back'), again: true } as CallFact, ended('back', 'callEnded', 12), ended('back', 'cut', 12)],
      [{ name: 'recordingConverted', recording: 'one', bytes: 5_000_000_000 }, ended('found', 'cut', 1)],
      [{ name: 'recordingDeleted', recording: 'one', by: 'operator' }],
      [{ name: 'recordingDeleted', recording: 'one', by: 'age' }],
    ]
    const journal = await journalOf('recordings')
    const projection = projectionOf(journal)
    for (const facts of pieces) {
      for (const fact of facts)
        journal.append({ call: 'recorded', business: 'dentist', atMs: systemClock.wallMs(), fact })
      await journal.flushed()
      await projection.caughtUp()
    }
    const { db } = database
    const rows = await db.selectFrom('recordings').selectAll().where('call', '=', 'recorded').orderBy('id').execute()
    expect(rows).toMatchObject([
      { id: 'back', seconds: 12, ended_why: 'callEnded', shed_frames: 12 },
      { id: 'found', seconds: 1, ended_why: 'cut', announced_at: null },
      {
        ...{ id: 'one', seconds: 9, ended_why: 'callEnded', shed_frames: 9, announced_at: expect.any(Date) },
        ...{ converted_at: expect.any(Date), bytes: '5000000000', deleted_by: 'operator' },
      },
      { id: 'two', seconds: 3, ended_why: 'cut', converted_at: null, deleted_at: null },
    ])
    await projection.close()
    await journal.close()
  })

  it('takes what a phone or a model may send, and leaves out only an event that no row can hold', async () => {
    const journal = await journalOf('strange')
    const said = (call: string, text: string): CallEvent => ({
      call,
      business: 'dentist',
      atMs: 0,
      fact: { name: 'callerSpoke', private: { text } },
    })
    const older = { call: 'strange-3', atMs: 0, fact: { name: 'takenOver' } } as unknown as CallEvent
    const endless = randomBytes(8_000).toString('hex')
    const [offered] = conversation('strange-4')
    const tooLong = {
      ...offered!,
      fact: { ...offered!.fact, private: { ...hidden, callerNumber: endless } },
    } as CallEvent
    const data = { 'na\0me \ud800': 'Ada' }
    const answered: CallEvent = {
      ...{ call: 'strange-5', business: 'dentist', atMs: 0 },
      fact: { name: 'callerAnswered', recording: 'strange', by: 'provider', private: { intent: '', data } },
    }
    const events = [said('strange-1', 'a\0b \\u0000 \ud800'), older, tooLong, answered, said('strange-2', 'after it')]
    for (const event of events) journal.append(event)
    await journal.flushed()
    const projection = projectionOf(journal)
    await projection.caughtUp()
    await projection.close()
    await journal.close()
    const texts = await database.db.selectFrom('turns').select('text').where('call', 'like', 'strange-%').execute()
    expect(texts.map(({ text }) => text)).toEqual(['ab \\u0000 \ufffd', 'after it'])
    expect(trouble.splice(0)).toEqual([
      'The database cannot hold an event of the call strange-3 (takenOver): it is left out.',
      'The database cannot hold an event of the call strange-4 (offered): it is left out.',
    ])
  })

  it('finds a call by its words however many there are, and no word of a live one', async () => {
    const journal = await journalOf('wordy')
    const manyWords = Array.from({ length: 30_000 }, (_, n) => `${n}-\u{1f9b7}${n}`).join(' ')
    const facts: CallFact[] = [
      { name: 'callerSpoke', private: { text: `first ${manyWords}` } },
      { name: 'callerSpoke', private: { text: 'last' } },
    ]
    const ended: CallFact = { name: 'ended', reason: 'callerHungUp', durationMs: 5_000 }
    const event = (call: string, fact: CallFact): CallEvent => ({ call, business: 'dentist', atMs: 0, fact })
    for (const fact of [...facts, ended]) journal.append(event('wordy-1', fact))
    for (const fact of facts) journal.append(event('wordy-2', fact))
    await journal.flushed()
    const projection = projectionOf(journal)
    await projection.caughtUp()
    await projection.close()
    await journal.close()
    const found = (text: string) =>
      database.db
        .selectFrom('calls')
        .select('id')
        .where(sql<boolean>`words @@ websearch_to_tsquery('simple', ${text})`)
        .execute()
    expect(await found('first')).toEqual([{ id: 'wordy-1' }])
    expect(await found('last')).toEqual([])
    expect(trouble).toEqual([])
  })

  it('prepares one schema when several nodes start at once, and refuses one that is newer', async () => {
    await Promise.all([migrate(database.db), migrate(database.db), migrate(database.db)])
    await sql`insert into kysely_migration values ('9999-later', '2027-01-01T00:00:00.000Z')`.execute(database.db)
    await expect(migrate(database.db)).rejects.toThrow(/newer Parley.*9999-later/)
    await sql`delete from kysely_migration where name = '9999-later'`.execute(database.db)
    await migrate(database.db)
  })
})
