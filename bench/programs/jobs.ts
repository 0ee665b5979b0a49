import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Business, readBusiness } from '../../src/business.ts'
import { hookEvents } from '../../src/business-kept.ts'
import type { CallFact } from '../../src/call/events.ts'
import { pause, systemClock } from '../../src/clock.ts'
import type { Hook } from '../../src/desk/hooks.ts'
import { jobsWantedBy } from '../../src/desk/wanted.ts'
import { Working } from '../../src/desk/working.ts'
import { limits } from '../../src/limits.ts'
import { createLog } from '../../src/log.ts'
import { executeIn, openDatabase } from '../../src/store/database.ts'
import { type JobKind, Jobs, jobKinds } from '../../src/store/jobs.ts'
import { answer } from '../house/requests.ts'

/** What a queue takes of the processor that has nothing else to do, in a process of its own with an embedded database. */

export interface QueueCost {
  readonly calls: number
  readonly jobs: Readonly<Partial<Record<JobKind, number>>>
  readonly jobsMs: number
  /** So long nothing was to be done. */
  readonly idleMs: number
  readonly looksMs: number
  readonly tendMs: number
}

/** Before anything is measured: what runs for the first time is compiled. */
const FIRST_CALLS = 10
/** The first look, and tending, are over; V8 has compiled and collected what the jobs before have left to it. */
const SETTLE_MS = 10_000
const TENDED = 5

const plain = readBusiness({
  file: undefined,
  name: 'Bench',
  phone: undefined,
  ownerPhone: undefined,
  engine: 'scripted',
})
const hook: Hook = {
  ...{ name: 'crm', url: 'https://crm.example/hook', events: [...hookEvents], secret: 'TOOL_CRM' },
  ...{ private: false, enabled: true },
}
const business: Business = {
  ...plain,
  notify: { email: 'owner@example.com' },
  hooks: [hook],
}

/** A recorded call with the agent, who takes a message that cannot wait: what of it comes at one time, in its order. */
function courseOf(recording: string): readonly (readonly CallFact[])[] {
  const asked = { calledUser: 'bianca', requestUri: 'sip:bianca@example.com', parameters: {}, headers: {} }
  const offered = { callerNumber: '+15550100177', ...asked }
  const words = { who: 'a tenant', why: 'a burst pipe', outcome: 'is called back', followUp: 'call back' }
  return [
    [{ name: 'offered', engine: 'realtime', codec: 'ulaw', private: offered }],
    [{ name: 'messageTaken', urgent: true, private: { text: 'a burst pipe', callback: '+15550100177' } }],
    [
      { name: 'recordingEnded', recording, seconds: 120, why: 'callEnded', shedFrames: 0 },
      { name: 'ended', reason: 'callerHungUp', durationMs: 120_000 },
    ],
    [{ name: 'recordingConverted', recording, bytes: 360_000 }],
    [{ name: 'summarized', by: 'provider', urgency: 'now', private: words }],
  ]
}

const requests = {
  async cost({ calls, idleMs }: { calls: number; idleMs: number }): Promise<QueueCost> {
    const folder = await mkdtemp(join(tmpdir(), 'parley-bench-'))
    const database = await openDatabase({ url: undefined, folder: join(folder, 'database') })
    const jobs = await Jobs.open({ ...database, trouble: text => console.error(text) })
    let waiting = 0
    let allDone = Promise.withResolvers<void>()
    const working = new Working({
      jobs: () => jobs,
      handlers: Object.fromEntries(jobKinds.map(kind => [kind, async () => {}])),
      clock: systemClock,
      log: createLog('silent'),
      ended(kind, how) {
        if (how !== 'done') allDone.reject(new Error(`a job of ${kind} ended as ${how}`))
        waiting -= 1
        if (waiting === 0) allDone.resolve()
      },
    })
    const done: Partial<Record<JobKind, number>> = {}
    const events = async (call: string, facts: readonly CallFact[]) => {
      // Of a call that is over for so long that its summary is due.
      const atMs = systemClock.wallMs() - 2 * limits.notice.graceMs
      const known = { heard: true, spokenWith: true, recorded: true }
      const wanted = facts.flatMap(fact => jobsWantedBy({ call, business: business.id, atMs, fact }, business, known))
      waiting = wanted.length
      allDone = Promise.withResolvers()
      await database.db.transaction().execute(transaction => jobs.want(wanted, executeIn(transaction)))
      for (const { kind } of wanted) done[kind] = (done[kind] ?? 0) + 1
      working.wake(new Set(wanted.map(({ kind }) => kind)))
      await allDone.promise
    }
    const callsOf = async (prefix: string, count: number) => {
      for (let call = 1; call <= count; call++) {
        for (const facts of courseOf(`${prefix}${call}`)) await events(`${prefix}${call}`, facts)
      }
    }
    await callsOf('first', FIRST_CALLS)
    for (const kind of jobKinds) delete done[kind]
    const jobsMs = await processorMs(() => callsOf('call', calls))
    working.watch()
    await pause(systemClock, SETTLE_MS)
    const looksMs = await processorMs(() => pause(systemClock, idleMs))
    await working.close()
    let tendMs = 0
    for (let times = 0; times < TENDED; times++) {
      // Else it is left out within a minute of the one before.
      await database.execute('update jobs.queue set monitor_on = null, monitor_claim_on = null')
      tendMs += await processorMs(() => jobs.tend())
    }
    await jobs.close()
    await database.close()
    await rm(folder, { recursive: true })
    return { calls, jobs: done, jobsMs, idleMs, looksMs, tendMs: tendMs / TENDED }
  },
}
export type JobsRequests = typeof requests
answer(requests)

/** Of all threads of this process: the database has one of its own. */
async function processorMs(doing: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await doing()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}
