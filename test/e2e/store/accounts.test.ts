import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import { type Journal, openJournal } from '../../../src/call/journal.ts'
import { systemClock } from '../../../src/clock.ts'
import { limits } from '../../../src/limits.ts'
import { createLog } from '../../../src/log.ts'
import { Secret } from '../../../src/secret.ts'
import { findCall } from '../../../src/store/calls.ts'
import { Store } from '../../../src/store/store.ts'
import { Accounts } from '../../../src/twilio/accounts.ts'
import { twilioRest } from '../../../src/twilio/rest.ts'
import { seedDatabase } from '../../support/database.ts'
import { PostgresServer } from '../../support/postgres.ts'
import { TwilioServer } from '../../support/twilio-server.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const { priceMs, marginMs, attempts, retryMs } = limits.twilio.accounts
const sid = (count: number) => `CA${String(count).padStart(32, '0')}`
const hidden = { callerNumber: '+15550100177', calledNumber: '+15550100200' }

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-accounts-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

describe.each(['embedded', 'server'] as const)('calls of which Twilio has not told all, in the %s database', kind => {
  const clock = new VirtualClock()
  let journal: Journal
  let store: Store
  let twilio: TwilioServer
  beforeAll(async () => {
    twilio = await TwilioServer.start()
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
    await twilio[Symbol.asyncDispose]()
  })

  const tell = (event: CallEvent) => journal.append(event)
  const happened = async (call: string, ...facts: readonly CallFact[]) => {
    for (const fact of facts) tell({ call, business: 'dentist', atMs: clock.wallMs(), fact })
    await journal.flushed()
    await store.caughtUp()
  }
  /** A gateway that has just begun: it knows what the database knows. */
  const look = async ({ keys = true } = {}) => {
    const { sid: accountSid, authToken } = TwilioServer.account
    const account = { accountSid, authToken: new Secret(authToken), apiKey: undefined, apiSecret: undefined }
    const rest = twilioRest({ account: { ...account, baseUrl: twilio.url }, clock })
    const accounts = new Accounts({ store, rest: keys ? rest : undefined, tell, clock, log: createLog('silent') })
    await accounts.look()
    await accounts.close()
    rest.close()
    await journal.flushed()
    await store.caughtUp()
  }
  const recordOf = (name: string) => store.ask(db => findCall(db, 'all', name))
  const open = () => store.ask(db => db.selectFrom('open_accounts').select('call').execute())
  const asked = (of: string) => twilio.asked.filter(each => each.sid === of).length
  const announced = (mostSeconds: number): CallFact => ({
    ...{ name: 'announced', verdict: 'agent', mostSeconds, private: { ...hidden, parameters: {} } },
  })
  const completed: CallFact = {
    name: 'carrierTold',
    status: 'completed',
    direction: 'inbound',
    seconds: 61,
    private: hidden,
  }
  const known = (of: string, more: object) =>
    twilio.calls.set(of, {
      ...{ sid: of, from: hidden.callerNumber, to: hidden.calledNumber, direction: 'inbound', price_unit: 'USD' },
      ...{ price: null, duration: null, ...more },
    } as never)

  it('are lost when their time is over and nobody can be asked; the end that is told later counts', async () => {
    const call = sid(1)
    await happened(call, announced(600))
    clock.advance(600_000 + marginMs - 1)
    await look({ keys: false })
    expect(await recordOf(call)).toMatchObject({ state: 'live', outcome: null })
    clock.advance(1)
    await look({ keys: false })
    const lostAt = new Date(clock.wallMs())
    expect(await recordOf(call)).toMatchObject({ state: 'ended', outcome: 'carrierLost', ended_at: lostAt })
    expect(await open()).toEqual([])
    clock.advance(1_000)
    await happened(call, completed)
    expect(await recordOf(call)).toMatchObject({
      ...{ outcome: 'carrierEnded', carrier_seconds: 61, ended_at: new Date(clock.wallMs()) },
    })
    clock.advance(priceMs)
    await look({ keys: false })
    expect(await open()).toEqual([])
  })

  it('are asked for at Twilio: the end, as long as it takes, and the price', async () => {
    const call = sid(2)
    known(call, { status: 'in-progress' })
    await happened(call, announced(600))
    clock.advance(600_000 + marginMs)
    await look()
    expect([await recordOf(call), asked(call)]).toMatchObject([{ state: 'live' }, 1])
    await look()
    expect(asked(call)).toBe(1)
    known(call, { status: 'completed', duration: '905' })
    clock.advance(retryMs.first)
    await look()
    expect(await recordOf(call)).toMatchObject({
      ...{ state: 'ended', outcome: 'carrierEnded', carrier_seconds: 905, price: null },
    })
    known(call, { status: 'completed', duration: '905', price: '-0.0085' })
    clock.advance(4 * retryMs.first)
    await look()
    expect(await recordOf(call)).toMatchObject({ price: '-0.0085', price_unit: 'USD' })
    expect(await open()).toEqual([])
  })

  it('are lost when Twilio knows nothing of them', async () => {
    await happened(sid(3), announced(60))
    clock.advance(60_000 + marginMs)
    await look()
    expect(await recordOf(sid(3))).toMatchObject({ state: 'ended', outcome: 'carrierLost' })
  })

  it('have their price asked by whichever gateway is there then, once, and not for ever', async () => {
    const [priced, never] = [sid(4), sid(5)]
    for (const call of [priced, never]) await happened(call, announced(600), completed)
    known(priced, { status: 'completed', duration: '61', price: '-0.02' })
    known(never, { status: 'completed', duration: '61' })
    clock.advance(priceMs - 1)
    await look()
    expect([asked(priced), asked(never)]).toEqual([0, 0])
    clock.advance(1)
    await Promise.all([look(), look()])
    expect([asked(priced), asked(never)]).toEqual([1, 1])
    expect(await recordOf(priced)).toMatchObject({ price: '-0.02', carrier_seconds: 61 })
    for (let attempt = 2; attempt <= attempts; attempt++) {
      clock.advance(retryMs.most)
      await look()
    }
    expect([asked(priced), asked(never), await open()]).toEqual([1, attempts, []])
  })

  it('that Parley has made are asked for by the id that Twilio has told, if only with an account', async () => {
    const call = sid(6)
    const [ringing, over] = (['ringing', 'completed'] as const).map(
      (status): CallFact => ({ ...completed, status, direction: 'outbound', carrier: call }) as CallFact,
    )
    await happened(
      'out-6-1',
      { name: 'callAsked', attempt: 1, private: { calledNumber: hidden.callerNumber } },
      ringing!,
    )
    expect(await recordOf(call)).toMatchObject({ id: 'out-6-1' })
    known(call, { status: 'completed', direction: 'outbound-api', price: '-0.03' })
    await happened('out-6-1', over!)
    clock.advance(priceMs)
    await look()
    expect([await recordOf('out-6-1'), twilio.problems]).toMatchObject([{ price: '-0.03', direction: 'outbound' }, []])
  })
})
