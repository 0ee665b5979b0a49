import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import { Registry } from 'prom-client'
import type { CallEvent } from '../../src/call/events.ts'
import type { Inspection, LineFigures, TransferWish } from '../../src/call/ports.ts'
import type { CarrierNumber, CarrierNumbers } from '../../src/desk/carrier-numbers.ts'
import { GatewayError } from '../../src/errors.ts'
import { createLog } from '../../src/log.ts'
import type { DiskState } from '../../src/recording/keeper.ts'
import { soundFolders } from '../../src/recording/sound-files.ts'
import type { ObservedCall, ServerDependencies } from '../../src/server/dependencies.ts'
import { buildServer } from '../../src/server/server.ts'
import { Directory } from '../../src/store/directory.ts'
import type { WantedJob } from '../../src/store/jobs.ts'
import type { Store } from '../../src/store/store.ts'
import type { Tables } from '../../src/store/tables.ts'
import { MemoryRecords } from '../support/business-records.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

export const token = 'a-token-that-only-the-operator-has'
export const withToken = { authorization: `Bearer ${token}` }
export const callerNumber = '+15550100377'
export const spokenWords = 'my tooth hurts terribly'

export const figures: LineFigures = {
  received: {
    packets: 990,
    lost: 10,
    late: 1,
    duplicated: 2,
    reordered: 3,
    concealedFrames: 10,
    missingFrames: 4,
    strangers: 5,
    invalid: 6,
    jitterMs: 1.234,
    driftPpm: -12,
    ssrcChanges: 1,
  },
  sent: { packets: 1_000, lateFrames: 7, worstLateMs: 3, skippedFrames: 8, unplayedMs: 0, overflows: 1 },
  shedFrames: 9,
}

/** A call that a test moves from state to state. */
export class FakeCall implements ObservedCall {
  readonly id: string
  record: string
  state: ObservedCall['state'] = 'live'
  reason: ObservedCall['view']['reason']
  readonly events: CallEvent[]
  hangUps = 0
  destinations: readonly string[] = ['reception', 'billing']
  readonly askedTransfers: (TransferWish | 'back')[] = []
  /** Its agent listens. */
  listens = true
  /** It is being recorded. */
  recorded = true
  captureAnswer: ReturnType<ObservedCall['capture']> = { id: 'abcdefghijklmnopqrstuv' }
  readonly captured: number[] = []
  figures: () => Promise<LineFigures | undefined> = async () => figures

  constructor(id: string) {
    this.id = id
    this.record = id
    const parameters = { callSid: 'CA1', patientId: 'patient-4711' }
    const hidden = { callerNumber, calledUser: 'bianca', requestUri: 'sip:bianca@192.0.2.1', parameters, headers: {} }
    const atMs = Date.UTC(2026, 0, 5, 9)
    this.events = [
      {
        call: id,
        business: 'dentist',
        atMs,
        fact: { name: 'offered', engine: 'scripted', codec: 'ulaw', private: hidden },
      },
      { call: id, business: 'dentist', atMs: atMs + 40, fact: { name: 'answered', setUpMs: 40 } },
      {
        call: id,
        business: 'dentist',
        atMs: atMs + 900,
        fact: { name: 'callerSpoke', private: { text: spokenWords } },
      },
    ]
  }

  capture(seconds: number): ReturnType<ObservedCall['capture']> {
    this.captured.push(seconds)
    return this.captureAnswer
  }

  stopRecording(): boolean {
    const { recorded } = this
    this.recorded = false
    return recorded
  }

  get view(): ObservedCall['view'] {
    return {
      id: this.id,
      record: this.record,
      state: this.state,
      reason: this.reason,
      business: 'dentist',
      engine: 'scripted',
      offeredAtMs: Date.UTC(2026, 0, 5, 9),
      durationMs: 61_000,
      codec: 'ulaw',
      channels: { caller: this.id, media: `${this.id}-media` },
      bridge: `${this.id}-bridge`,
      ports: { gateway: 40_000, asterisk: 10_002 },
      callerNumber,
      parameters: { callSid: 'CA1', patientId: 'patient-4711' },
      transferredTo: undefined,
    }
  }

  askTransfer(asked: TransferWish | 'back'): boolean {
    if (this.listens) this.askedTransfers.push(asked)
    return this.listens
  }

  hangUp(): void {
    this.hangUps++
    this.state = 'ending'
  }

  end(): this {
    this.state = 'ended'
    this.reason = 'callerHungUp'
    return this
  }
}

/** A store that takes every question and knows nothing. */
function emptyDatabase(): Store['ask'] {
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: db => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })
  return async query => query(db)
}

export const away: Store['ask'] = async () => {
  throw new GatewayError('STORE_AWAY', 'The database is away.', { retryable: true })
}

/** An account that has one number and does nothing. */
function noNumbers(): CarrierNumbers {
  const kept: CarrierNumber = {
    ...{ number: '+15550100200', sid: `PN${'0'.repeat(32)}`, business: 'dentist' },
    ...{ voice: true, sms: true, problems: [] },
  }
  const one = async () => kept
  return { search: async () => [], buy: one, list: async () => [kept], fix: one, assign: one, release: async () => {} }
}

/** The server over a gateway made of plain values, which a test changes as it likes. */
export function house(
  options: {
    token?: string
    edge?: ServerDependencies['edge']
    numbers?: CarrierNumbers
    onboarding?: ServerDependencies['onboarding']
    texts?: ServerDependencies['texts']
    dialler?: ServerDependencies['dialler']
    testCalls?: ServerDependencies['testCalls']
    sounds?: ServerDependencies['sounds']
    captures?: string
    store?: { failing: boolean; silent: boolean; ask: Store['ask'] }
  } = {},
) {
  const clock = new VirtualClock()
  const exchange = {
    ready: true,
    draining: false,
    live: [] as FakeCall[],
    ended: [] as FakeCall[],
    find: (id: string) => [...exchange.live, ...exchange.ended].find(call => call.id === id || call.record === id),
  }
  const inspection: { -readonly [Key in keyof Inspection]: Inspection[Key] } = { channels: [], bridges: [] }
  const telephony = { ready: true, inspect: async (): Promise<Inspection> => inspection }
  const sip = { answered: true }
  const admission = { full: false, figures: { calls: 3, maxCalls: 22, pairs: 45, pairsUsed: 7, refused: 0 } }
  const waiting = { waitingBytes: 0, waitingShare: 0, waitingMs: 0 }
  const figures = { written: 12, shed: 1, queued: 2, failing: false, ...waiting }
  const journal = { id: 'here', figures, flushed: async () => {} }
  const store = options.store ?? { failing: false, silent: false, ask: emptyDatabase() }
  const records = new MemoryRecords()
  const directory = new Directory({
    defaults: { file: undefined, name: 'Dentist', phone: undefined, ownerPhone: undefined, engine: 'scripted' },
    nothingChosen: false,
    snapshot: { read: () => undefined, write: () => {}, written: async () => {} },
    records,
    shared: true,
    clock,
    told: () => {},
    trouble: () => {},
    changed: () => {},
  })
  void directory.open()
  const media = { alive: true, lineCount: 3 }
  const recorders: { disk: DiskState; recording: number } = { disk: 'ample', recording: 2 }
  const logged: string[] = []
  const log = createLog('trace', { write: line => logged.push(line) })
  const registry = new Registry()
  const asked: WantedJob[] = []
  const deleted: string[] = []
  const dialler = {
    unable: undefined as string | undefined,
    woken: 0,
    wake() {
      this.woken += 1
    },
  }
  const work = {
    failed: 0,
    retried: [] as string[],
    async retry({ id }: { readonly id: string }) {
      work.retried.push(id)
      return true
    },
    rebuild: async () => 7,
    does: () => true,
  }
  const server = buildServer({
    ...{ clock, exchange, telephony, sip, admission, journal, store, directory, media, recorders, log, registry },
    numbers: options.numbers ?? noNumbers(),
    onboarding: options.onboarding ?? { begin: async () => ({ kind: 'wrong', problems: ['nothing is made here'] }) },
    dialler: options.dialler ?? dialler,
    token: options.token ?? token,
    version: '1.2.3',
    ...(options.edge && { edge: options.edge }),
    ...(options.texts && { texts: options.texts }),
    deleteSound: async ({ name }, by) => void deleted.push(`${name} by ${by}`),
    onTheTelephone: async ({ number }) => exchange.live.some(({ view }) => view.callerNumber === number),
    want: async job => void asked.push(job),
    sounds: options.sounds ?? soundFolders('nowhere'),
    captures: options.captures ?? 'nowhere',
    work,
    testCalls: options.testCalls ?? { place: async () => ({ kind: 'busy' }) },
  })
  return {
    server,
    clock,
    exchange,
    inspection,
    telephony,
    sip,
    admission,
    journal,
    store,
    directory,
    records,
    media,
    recorders,
    logged,
    asked,
    deleted,
    registry,
    dialler,
    work,
  }
}
