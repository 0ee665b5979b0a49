import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import { type Journal, openJournal } from '../../../src/call/journal.ts'
import { systemClock } from '../../../src/clock.ts'
import { limits } from '../../../src/limits.ts'
import { type Database, executeIn, openDatabase } from '../../../src/store/database.ts'
import { type ClaimedJob, type JobFilter, Jobs, listJobs, type WantedJob } from '../../../src/store/jobs.ts'
import { Projection } from '../../../src/store/projection.ts'
import { seedDatabase } from '../../support/database.ts'
import { PostgresServer } from '../../support/postgres.ts'

let folder = ''
let server: PostgresServer
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-jobs-'))
  server = await PostgresServer.start()
})
afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const wanted = (key: string, more: Partial<WantedJob> = {}): WantedJob => ({
  ...{ kind: 'notify', key, business: 'dentist', subject: { call: 'CA1' } },
  ...more,
})
const keysOf = (jobs: readonly { readonly key: string }[]) => jobs.map(({ key }) => key)

describe.each(['embedded', 'server'] as const)('jobs on the %s database', kind => {
  let database: Database
  let jobs: Jobs
  const trouble: string[] = []
  const bounds = { ...limits.jobs, attempts: 2 } as unknown as typeof limits.jobs
  const openJobs = () => Jobs.open({ execute: database.execute, kind, trouble: text => trouble.push(text), bounds })
  beforeAll(async () => {
    if (kind === 'embedded') await seedDatabase(join(folder, 'database'))
    database = await openDatabase({ url: kind === 'server' ? server.url : undefined, folder: join(folder, 'database') })
    jobs = await openJobs()
  })
  afterAll(async () => {
    await jobs.close()
    await database.close()
    expect(trouble).toEqual([])
  })

  const listed = (filter: JobFilter) => listJobs(database.db, 'all', filter, { after: undefined, count: 100 })
  const claimOne = async (which: WantedJob['kind']) => (await jobs.claim(which, 1))[0] as ClaimedJob
  /** As if so much time had passed since. */
  const later = (column: string) =>
    database.execute(`update jobs.job set ${column} = ${column} - interval '1 day' where state in ('active', 'retry')`)

  it('are wanted once, however often, and only with what they were wanted in', async () => {
    const refused = database.db.transaction().execute(async transaction => {
      await jobs.want([wanted('lost')], executeIn(transaction))
      throw new Error('no')
    })
    await expect(refused).rejects.toThrow('no')
    await database.db.transaction().execute(async transaction => {
      await jobs.want([wanted('a'), wanted('a'), wanted('b', { kind: 'deliver' })], executeIn(transaction))
    })
    await jobs.want([wanted('a'), wanted('later', { afterMs: Date.UTC(2100, 0, 1) })])
    expect((await jobs.due(['notify', 'deliver', 'convert'])).sort()).toEqual(['deliver', 'notify'])
    expect(await jobs.due(['notify'])).toEqual(['notify'])
    const first = await claimOne('notify')
    expect(first).toMatchObject({
      kind: 'notify',
      key: 'a',
      business: 'dentist',
      subject: { call: 'CA1' },
      attempts: 1,
    })
    expect(await jobs.claim('notify', 10)).toEqual([])
    expect(await jobs.due(['notify', 'deliver'])).toEqual(['deliver'])
    await jobs.done(first)
    await jobs.want([wanted('a')])
    expect(await jobs.claim('notify', 10)).toEqual([])
    expect(keysOf(await jobs.claim('deliver', 10))).toEqual(['b'])
    expect(keysOf(await listed({ state: 'done' }))).toEqual(['a'])
    expect(keysOf(await listed({ state: 'waiting', business: 'dentist' }))).toEqual(['later'])
    expect(await listJobs(database.db, { business: 'other' }, {}, { after: undefined, count: 9 })).toEqual([])
  })

  it('are tried again later, as often as they may be; then a person sees why, and has them begun anew', async () => {
    await jobs.want([wanted('hard', { kind: 'summarize' })])
    await jobs.failed(await claimOne('summarize'), { why: 'it answered 503', notBeforeMs: Date.UTC(2100, 0, 1) })
    expect(await jobs.claim('summarize', 1)).toEqual([])
    expect(await listed({ kind: 'summarize' })).toMatchObject([
      { state: 'waiting', attempts: 1, why: 'it answered 503' },
    ])
    const [waiting] = await listed({ kind: 'summarize' })
    expect(waiting?.nextAt).toEqual(new Date(Date.UTC(2100, 0, 1)))
    // What stood in the way is gone: nobody waits for the hour of its next attempt.
    expect(await jobs.retry(waiting!)).toBe(true)
    const second = await claimOne('summarize')
    expect(second.attempts).toBe(2)
    await jobs.failed(second, { why: 'it answered 500' })
    const [failed] = await listed({ state: 'failed' })
    expect(failed).toMatchObject({ kind: 'summarize', key: 'hard', why: 'it answered 500', endedAt: expect.any(Date) })
    expect(await jobs.retry(failed!)).toBe(true)
    expect(await jobs.retry(failed!)).toBe(false)
    const again = await claimOne('summarize')
    expect(again.attempts).toBe(1)
    await jobs.done(again)
  })

  it('are not tried again when that would never help', async () => {
    await jobs.want([wanted('broken', { kind: 'transcribe' })])
    await jobs.failed(await claimOne('transcribe'), { why: 'the file is gone', hopeless: true })
    expect(await listed({ kind: 'transcribe', state: 'failed' })).toMatchObject([{ why: 'the file is gone' }])
  })

  it('follow from what happened: once, however often the journal is read', async () => {
    const state = join(folder, `journal-${kind}`)
    const journal = await openJournal({ directory: state, clock: systemClock, trouble: text => trouble.push(text) })
    const follow = async (from: Journal) => {
      const projection = new Projection({
        ...{ source: from, db: database.db, clock: systemClock, trouble: text => trouble.push(text) },
        following: (transaction, events) =>
          jobs.want(
            events.map(({ call }) => wanted(`ended-${call}`, { kind: 'forget' })),
            executeIn(transaction),
          ),
      })
      await projection.caughtUp()
      await projection.close()
    }
    const ended = (call: string): CallEvent => {
      const fact = { name: 'ended', reason: 'callerHungUp', durationMs: 1 } as const
      return { call, business: 'dentist', atMs: Date.UTC(2026, 0, 5), fact }
    }
    for (const call of ['CA7', 'CA8', 'CA7']) journal.append(ended(call))
    await journal.flushed()
    await follow(journal)
    expect(keysOf(await jobs.claim('forget', 9)).sort()).toEqual(['ended-CA7', 'ended-CA8'])
    // As after a power cut: what the database has read it has to read again.
    await database.db.deleteFrom('journals').execute()
    await follow(journal)
    expect(await jobs.claim('forget', 9)).toEqual([])
    await journal.close()
  })

  it('are done for others while those of a dead one hold the places of its group, and no more', async () => {
    const hook = (name: string, count: number) =>
      Array.from({ length: count }, (_, at) => wanted(`${name}-${at}`, { kind: 'deliver', group: `dentist ${name}` }))
    // The oldest are of the one that never answers.
    await jobs.want(hook('dead', 20))
    await jobs.want([...hook('alive', 3), ...hook('other', 1)])
    const places = limits.jobs.atOnce.deliver
    const first = await jobs.claim('deliver', places)
    const ofHook = (found: readonly ClaimedJob[], name: string) => found.filter(({ key }) => key.startsWith(name))
    const second = await jobs.claim('deliver', places - first.length)
    const claimed = [...first, ...second]
    expect(ofHook(claimed, 'dead')).toHaveLength(limits.jobs.ofGroup.deliver)
    expect(ofHook(claimed, 'alive')).toHaveLength(limits.jobs.ofGroup.deliver)
    expect(ofHook(claimed, 'other')).toHaveLength(1)
    // Whoever answers goes on; of the dead one nothing more comes until one of its two is over.
    for (const job of ofHook(claimed, 'alive')) await jobs.done(job)
    expect(keysOf(await jobs.claim('deliver', places)).sort()).toEqual(['alive-2'])
    await jobs.failed(ofHook(claimed, 'dead')[0]!, { why: 'it did not answer within 10 s' })
    expect(ofHook(await jobs.claim('deliver', places), 'dead')).toHaveLength(1)
  })

  it('are done for who answers while fifteen others do not', async () => {
    const hook = (name: string, count: number) =>
      Array.from({ length: count }, (_, at) => wanted(`${name} ${at}`, { kind: 'deliver', group: `dentist ${name}` }))
    await jobs.want(Array.from({ length: 15 }, (_, at) => hook(`dead-${at}`, 4)).flat())
    await jobs.want(hook('alive', 1))
    const keys: string[] = []
    for (let found = 1; found > 0 && keys.length < limits.jobs.atOnce.deliver; ) {
      const claimed = keysOf(await jobs.claim('deliver', limits.jobs.atOnce.deliver - keys.length))
      found = claimed.length
      keys.push(...claimed)
    }
    expect(keys).toContain('alive 0')
  })

  it('that are of another gateway are given back: no attempt is counted, however often', async () => {
    await jobs.want([wanted('elsewhere', { kind: 'clean' })])
    for (let times = 0; times < 3; times++) {
      const job = await claimOne('clean')
      expect(job.attempts).toBe(1)
      await jobs.failed(job, { why: 'of another gateway', isNoAttempt: true, notBeforeMs: Date.now() + 60_000 })
      expect(await jobs.claim('clean', 1)).toEqual([])
      expect(await listed({ kind: 'clean' })).toMatchObject([
        { state: 'waiting', attempts: 0, why: 'of another gateway' },
      ])
      await database.execute(`update jobs.job set start_after = now() where name = 'clean'`)
    }
    await jobs.done(await claimOne('clean'))
  })

  it('come back from whoever died with them', async () => {
    await jobs.want([wanted('orphan', { kind: 'convert' })])
    await claimOne('convert')
    await jobs.close()
    jobs = await openJobs()
    if (kind === 'server') {
      // Another gateway may still be at it, until it has taken too long.
      expect(await jobs.claim('convert', 1)).toEqual([])
      await later('started_on')
      await jobs.tend()
      await later('start_after')
    }
    expect((await claimOne('convert')).attempts).toBe(2)
  })
})
