import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallEvent, CallFact, EndReason } from '../../../src/call/events.ts'
import { limits } from '../../../src/limits.ts'
import { answeredSince, earlierCalls } from '../../../src/store/callers.ts'
import { type Database, openDatabase } from '../../../src/store/database.ts'
import { project } from '../../../src/store/projecting.ts'
import type { StoreScope } from '../../../src/store/scope.ts'
import { lastWriter } from '../../../src/store/texts.ts'
import { usageByDay, usageOfCall } from '../../../src/store/usage.ts'
import { seedDatabase } from '../../support/database.ts'
import { PostgresServer } from '../../support/postgres.ts'

const ada = '+15550100301'
const startMs = Date.UTC(2026, 0, 5, 9)
const dentist = { business: 'dentist' }

interface Story {
  readonly from?: string
  readonly business?: string
  readonly atMs?: number
  readonly reason?: EndReason
  readonly between?: readonly CallFact[]
}

/** A call that is answered after a second, and lasts 70 from then on. */
function call(id: string, { from = ada, business = 'dentist', atMs = startMs, reason, between = [] }: Story = {}) {
  const hidden = { callerNumber: from, calledUser: 'bianca', requestUri: '', parameters: {}, headers: {} }
  const facts: (readonly [number, CallFact])[] = [
    [0, { name: 'offered', engine: 'scripted', codec: 'ulaw', private: hidden }],
    [1_000, { name: 'answered', setUpMs: 1_000 }],
    ...between.map(fact => [2_000, fact] as const),
    [71_000, { name: 'ended', reason: reason ?? 'callerHungUp', durationMs: 71_000 }],
  ]
  return facts.map(([afterMs, fact]): CallEvent => ({ call: id, business, atMs: atMs + afterMs, fact }))
}

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-callers-'))
  server = await PostgresServer.start()
  await seedDatabase(join(folder, 'database'))
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

describe.each(['embedded', 'server'] as const)('callers and usage in the %s database', kind => {
  let database: Database
  beforeAll(async () => {
    database = await openDatabase({
      url: kind === 'server' ? server.url : undefined,
      folder: join(folder, 'database'),
    })
  })
  afterAll(() => database.close())
  /** As the journal brings them: in pieces of any size. */
  const bring = async (events: readonly CallEvent[], piece = events.length) => {
    for (let at = 0; at < events.length; at += piece) {
      await database.db.transaction().execute(transaction => project(transaction, events.slice(at, at + piece)))
    }
  }

  it('tells no voicemail as unseen that somebody has read, archived or deleted', async () => {
    const grace = '+15550100388'
    const left = (recording: string) =>
      ({ name: 'voicemailLeft', seconds: 3, by: 'agent', private: { recording, callerNumber: grace } }) as const
    const messages = ['unseen', 'read', 'archived', 'deleted'].map(left)
    const gone = { name: 'voicemailDeleted', recording: 'deleted', by: 'operator' } as const
    await bring(call('grace-1', { from: grace, between: [...messages, gone] }), 1)
    for (const which of ['read', 'archived'] as const)
      await database.db
        .updateTable('voicemails')
        .set({ [`${which}_at`]: new Date() })
        .where('recording', '=', which)
        .execute()
    const { open } = await earlierCalls(database.db, dentist, grace)
    expect(open).toEqual([{ kind: 'voicemail', atMs: expect.any(Number), text: null }])
  })

  it('knows a number by its earlier calls with the same business, and by what they left', async () => {
    const day = 86_400_000
    const message = { name: 'messageTaken', private: { text: 'It still hurts', callback: ada } } as const
    const wish = { date: '2026-01-07', time: '15:00', service: 'Cleaning', callback: ada }
    const named = (name: string) => ({ name: 'callerNamed', by: 'caller', private: { name } }) as const
    await bring(call('a-1', { between: [named('Ada'), message] }), 1)
    await bring(
      call('a-2', {
        atMs: startMs + day,
        reason: 'handedBack',
        between: [named('Ada Byron'), { name: 'appointmentRequested', private: wish }],
      }),
    )
    await bring(call('other-business', { business: 'plumber', between: [named('Somebody'), message] }))
    await bring(call('other-number', { from: '+15550100399', between: [named('Else'), message] }))
    await bring(call('running', { atMs: startMs + 2 * day }).slice(0, 2))

    expect(await earlierCalls(database.db, dentist, ada)).toEqual({
      name: 'Ada Byron',
      count: 2,
      latest: [
        { atMs: startMs + day, outcome: 'handedBack' },
        { atMs: startMs, outcome: 'callerHungUp' },
      ],
      open: [
        { kind: 'appointment', atMs: startMs + day + 2_000, text: 'Cleaning 2026-01-07 15:00' },
        { kind: 'message', atMs: startMs + 2_000, text: null },
      ],
    })
    await database.db.updateTable('messages').set({ read_at: new Date() }).where('call', '=', 'a-1').execute()
    expect((await earlierCalls(database.db, dentist, ada)).open).toHaveLength(1)
    expect(await earlierCalls(database.db, { business: 'baker' }, ada)).toEqual({
      name: null,
      count: 0,
      latest: [],
      open: [],
    })
    const callers = await database.db
      .selectFrom('callers')
      .selectAll()
      .where('number', '=', ada)
      .orderBy('business')
      .execute()
    expect(callers).toMatchObject([
      { business: 'dentist', name: 'Ada Byron', calls: 3, first_at: new Date(startMs) },
      { business: 'plumber', name: 'Somebody', calls: 1 },
    ])
  })

  it('tells whether somebody was answered who had called no earlier', async () => {
    const from = '+15550100310'
    await bring(call('answered', { from }))
    await bring(call('unanswered', { from, atMs: startMs + 60_000 }).filter(({ fact }) => fact.name !== 'answered'))
    const since = (afterMs: number, scope: StoreScope = dentist) =>
      answeredSince(database.db, scope, from, new Date(startMs + afterMs))
    expect([await since(0), await since(1), await since(0, { business: 'plumber' })]).toEqual([true, false, false])
  })

  it('tells which of the businesses that share a number has written to a customer last', async () => {
    const [ours, customer] = ['+15550100299', '+15550100311']
    const wrote = (business: string, seconds: number, told: object = {}): CallEvent => {
      const fact = { name: 'textWanted', channel: 'whatsapp', private: { customer, ours, text: 'Hello' }, ...told }
      return { call: `text-${business}-${seconds}`, business, atMs: startMs + seconds * 1_000, fact: fact as CallFact }
    }
    const came = { name: 'textReceived', media: 0 }
    const elsewhere = { private: { customer, ours: '+15550100298', text: 'Hello' } }
    await bring([
      ...[wrote('plumber', 1), wrote('dentist', 3), wrote('plumber', 2), wrote('baker', 4, { channel: 'sms' })],
      ...[wrote('florist', 5, elsewhere), wrote('florist', 6, came)],
    ])
    const last = (asked: object = {}) =>
      lastWriter(database.db, 'all', { channel: 'whatsapp', customer, ours, ...asked })
    expect(await last()).toBe('dentist')
    expect(await last({ channel: 'sms' })).toBe('baker')
    expect(await last({ customer: '+15550100312' })).toBeUndefined()
  })

  it('keeps nobody under a number that is withheld, and counts a call that was taken over once', async () => {
    for (const [at, from] of ['anonymous', '+266696687', ''].entries()) await bring(call(`hidden-${at}`, { from }))
    const [offered, answered, ended] = call('moved', { from: '+15550100355' })
    const takenOver = { ...offered!, fact: { name: 'takenOver' } } as const
    await bring([offered!, answered!, offered!, takenOver, ended!], 2)
    const callers = await database.db.selectFrom('callers').select(['number', 'calls']).execute()
    expect(callers.map(({ number }) => number).filter(number => !/^\+1555/.test(number))).toEqual([])
    expect(callers).toContainEqual({ number: '+15550100355', calls: 1 })
  })

  it('looks no further back than it tells', async () => {
    const many = Array.from({ length: limits.context.earlierCalls + 5 }, (_, n) =>
      call(`many-${n}`, { from: '+15550100377' }),
    )
    await bring(many.flat())
    const known = await earlierCalls(database.db, dentist, '+15550100377')
    expect(known.count).toBe(limits.context.earlierCalls)
    expect(known.latest).toHaveLength(limits.context.told)
  })

  it('adds up what calls have used, of each and by day, however its events come', async () => {
    const reply = {
      name: 'usageCounted',
      model: 'm',
      inputTokens: 100,
      inputAudioTokens: 40,
      outputTokens: 30,
    } as const
    const words = { name: 'usageCounted', model: 't', transcriptionInputTokens: 9, transcriptionMs: 500 } as const
    const story = { business: 'baker', between: [reply, words, reply] }
    await bring(call('u-1', story), 1)
    await bring(call('u-2', story))
    // Nobody has answered it: nobody pays for it.
    await bring([call('u-3', story)[0]!, { ...call('u-3', story).at(-1)!, call: 'u-3' }])
    const baker = { business: 'baker' }
    expect(await usageOfCall(database.db, baker, 'u-1')).toMatchObject({
      call_ms: '71000',
      telephone_minutes: '2',
      input_tokens: '200',
      input_audio_tokens: '80',
      output_tokens: '60',
      transcription_input_tokens: '9',
      transcription_ms: '500',
      cached_tokens: '0',
    })
    expect(await usageOfCall(database.db, dentist, 'u-1')).toBeUndefined()
    const days = { from: '2026-01-05', to: '2026-01-05', business: undefined, most: 10 }
    expect(await usageByDay(database.db, baker, days)).toMatchObject([
      {
        business: 'baker',
        day: '2026-01-05',
        calls: 3,
        answered: 2,
        call_ms: '213000',
        telephone_minutes: '4',
        input_tokens: '400',
      },
    ])
    const seen = async (scope: Parameters<typeof usageByDay>[1], more: object = {}) =>
      (await usageByDay(database.db, scope, { ...days, ...more })).map(({ business }) => business)
    expect(await seen('all')).toEqual(['baker', 'dentist', 'plumber'])
    expect(await seen('all', { business: 'plumber' })).toEqual(['plumber'])
    expect(await seen(baker, { business: 'plumber' })).toEqual([])
    expect(await seen('all', { from: '2026-01-09', to: '2026-02-01' })).toEqual([])
  })

  it('keeps the end that somebody knew, whenever another tells that the call was lost', async () => {
    const [offered, ...rest] = call('known-end')
    const end = rest.at(-1)!
    const lost: CallEvent = { ...end, atMs: startMs, fact: { name: 'ended', reason: 'lost', durationMs: 1 } }
    await bring([offered!, end, lost], 1)
    await bring([
      { ...offered!, call: 'lost' },
      { ...lost, call: 'lost' },
    ])
    const ends = await database.db
      .selectFrom('calls')
      .select(['id', 'state', 'outcome', 'duration_ms'])
      .where('id', 'in', ['known-end', 'lost'])
      .orderBy('id')
      .execute()
    expect(ends).toEqual([
      { id: 'known-end', state: 'ended', outcome: 'callerHungUp', duration_ms: 71_000 },
      { id: 'lost', state: 'ended', outcome: 'lost', duration_ms: 1 },
    ])
  })

  it('tells the same end of a call, and the same minutes, whether its events come together or one by one', async () => {
    const voicemail = { name: 'voicemailLeft', seconds: 3, private: { recording: 'r', callerNumber: ada } } as const
    const ended = (reason: EndReason, durationMs: number) => ({ name: 'ended', reason, durationMs }) as const
    const stories: Record<string, readonly CallFact[]> = {
      lostToVoicemail: [ended('lost', 2_000), voicemail],
      handedToVoicemail: [ended('handedBack', 2_000), voicemail, voicemail],
      takenOver: [ended('takenOver', 2_000), { name: 'takenOver' }, ended('callerHungUp', 60_000)],
      takenOverAndToldLate: [ended('callerHungUp', 60_000), ended('takenOver', 2_000)],
      lostHereOnly: [ended('lost', 2_000), ended('callerHungUp', 60_000)],
    }
    const told = async (id: string) => {
      const columns = ['outcome', 'duration_ms', 'ended_at'] as const
      const call = await database.db.selectFrom('calls').select(columns).where('id', '=', id).executeTakeFirstOrThrow()
      const used = await usageOfCall(database.db, { business: 'tailor' }, id)
      const voicemails = await database.db.selectFrom('voicemails').select('id').where('call', '=', id).execute()
      return { ...call, minutes: used?.telephone_minutes, voicemails: voicemails.length }
    }
    const end = (outcome: string, ms: number, minutes: string, voicemails = 0) => {
      return { outcome, duration_ms: ms, ended_at: new Date(startMs + ms), minutes, voicemails }
    }
    const ends: Record<keyof typeof stories, object> = {
      lostToVoicemail: end('voicemail', 2_000, '1', 1),
      handedToVoicemail: end('voicemail', 2_000, '1', 1),
      takenOver: end('callerHungUp', 60_000, '1'),
      takenOverAndToldLate: end('callerHungUp', 60_000, '1'),
      lostHereOnly: end('callerHungUp', 60_000, '1'),
    }
    for (const [id, facts] of Object.entries(stories)) {
      for (const piece of [1, 2, 10]) {
        const name = `${id}-${piece}`
        const rest = facts.map((fact): CallEvent => {
          const afterMs = fact.name === 'ended' ? fact.durationMs : 60_000
          return { call: name, business: 'tailor', atMs: startMs + afterMs, fact }
        })
        await bring([...call(name, { business: 'tailor' }).slice(0, 2), ...rest], piece)
        expect([name, await told(name)]).toEqual([name, ends[id]])
      }
    }
    const days = { from: '2026-01-05', to: '2026-01-05', business: 'tailor', most: 10 }
    expect(await usageByDay(database.db, 'all', days)).toMatchObject([{ telephone_minutes: '15' }])
  })
})
