import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OfAnother, Working } from '../../src/desk/working.ts'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { createLog } from '../../src/log.ts'
import type { ClaimedJob, WantedJob } from '../../src/store/jobs.ts'
import { MemoryJobs } from '../support/memory-jobs.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const { lookMs, tendMs, closeMs, atOnce, aliveMs, retryMs, attempts } = limits.jobs

const notice = (key: string, more: Partial<WantedJob> = {}): WantedJob => ({
  ...{ kind: 'notify', key, business: 'dentist', subject: { call: 'CA1' } },
  ...more,
})

/** What runs, until a test lets it end. */
function house() {
  const clock = new VirtualClock()
  const jobs = new MemoryJobs(clock)
  const running: { job: ClaimedJob; end: (error?: Error) => void; signal: AbortSignal }[] = []
  const ended: string[] = []
  const held = { away: false }
  const handler = (job: ClaimedJob, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const end = (error?: Error) => {
        running.splice(
          running.findIndex(each => each.job === job),
          1,
        )
        if (error) reject(error)
        else resolve()
      }
      running.push({ job, end, signal })
    })
  const working = new Working({
    jobs: () => (held.away ? undefined : jobs),
    handlers: { notify: handler, deliver: handler },
    clock,
    log: createLog('silent'),
    ended: (kind, how) => ended.push(`${kind} ${how}`),
  })
  const want = async (...wanted: readonly WantedJob[]) => {
    await jobs.want(wanted)
    working.wake(new Set(wanted.map(({ kind }) => kind)))
    await clock.settle()
  }
  const keys = () => running.map(({ job }) => job.key)
  return { clock, jobs, running, ended, held, working, want, keys }
}

describe('jobs are done', () => {
  it('at once when they are wanted, each once, and nothing is asked about other kinds', async () => {
    const { clock, jobs, running, ended, want, keys } = house()
    await want(notice('a'))
    await want(notice('a'))
    expect(keys()).toEqual(['a'])
    running[0]!.end()
    await clock.settle()
    expect([jobs.states, ended]).toEqual([{ 'notify a': 'done' }, ['notify done']])
    expect(jobs.asked.filter(each => each.startsWith('claim d'))).toEqual([])
  })

  it('no more of a group at once than there may be, and the next of it when one is over, beside all others', async () => {
    const { clock, running, want, keys } = house()
    const delivery = (key: string, group: string): WantedJob => ({ ...notice(key), kind: 'deliver', group })
    await want(...['a1', 'a2', 'a3', 'a4'].map(key => delivery(key, 'a')), delivery('b1', 'b'))
    expect(keys()).toEqual(['a1', 'a2', 'b1'])
    running[0]!.end()
    await clock.settle()
    expect(keys()).toEqual(['a2', 'b1', 'a3'])
    running[0]!.end(new Error('away'))
    await clock.settle()
    expect(keys()).toEqual(['b1', 'a3', 'a4'])
  })

  it('no more at once than there may be, and the next when one is over', async () => {
    const { clock, running, want, keys } = house()
    const many = Array.from({ length: atOnce.notify + 3 }, (_, i) => notice(`n${i}`))
    await want(...many)
    await want(notice('last'))
    expect(keys()).toHaveLength(atOnce.notify)
    const seen = new Set<string>()
    for (let turn = 0; turn < many.length + 1; turn++) {
      expect(running.length).toBeLessThanOrEqual(atOnce.notify)
      seen.add(running[0]!.job.key)
      running[0]!.end()
      await clock.settle()
    }
    expect([seen.size, running.length]).toEqual([many.length + 1, 0])
  })

  it('of one kind however long another takes', async () => {
    const { want, keys } = house()
    await want(...Array.from({ length: atOnce.deliver + 5 }, (_, i) => notice(`d${i}`, { kind: 'deliver' })))
    await want(notice('a'))
    expect(keys()).toHaveLength(atOnce.deliver + 1)
    expect(keys()).toContain('a')
  })

  it('when their time has come, and when others have left them', async () => {
    const { clock, jobs, working, want, keys } = house()
    working.watch()
    await want(notice('later', { afterMs: clock.wallMs() + lookMs / 2 }))
    expect(keys()).toEqual([])
    await jobs.want([notice('left')])
    await clock.run(lookMs)
    expect(keys().sort()).toEqual(['later', 'left'])
  })

  it('again later when that may help, as often as they may be, and then they are left to a person', async () => {
    const { clock, jobs, running, ended, working, want } = house()
    working.watch()
    await want(notice('hard'))
    for (let attempt = 1; attempt <= attempts; attempt++) {
      expect(running[0]?.job.attempts).toBe(attempt)
      running[0]!.end(new Error('the words of a server: +15550100177'))
      await clock.settle()
      clock.advance(retryMs.most)
      await clock.run(lookMs)
    }
    expect(jobs.states).toEqual({ 'notify hard': 'failed' })
    expect(jobs.rows[0]!.why).toBe('it failed (Error)')
    expect(ended).toEqual([...Array.from({ length: attempts - 1 }, () => 'notify again'), 'notify failed'])
  })

  it('not again when that would never help, and not before whoever was asked wants it', async () => {
    const { clock, jobs, running, want, working, keys } = house()
    working.watch()
    await want(notice('hopeless'), notice('busy'))
    running.find(({ job }) => job.key === 'hopeless')!.end(new GatewayError('TOOL_FAILED', 'there is no such file'))
    const busy = { retryable: true, waitMs: 600_000 }
    running.find(({ job }) => job.key === 'busy')!.end(new GatewayError('TOOL_FAILED', 'it answered 429', busy))
    await clock.settle()
    expect(jobs.rows.map(({ wanted, state, why }) => [wanted.key, state, why])).toEqual([
      ['hopeless', 'failed', 'there is no such file'],
      ['busy', 'waiting', 'it answered 429'],
    ])
    await clock.run(600_000 - lookMs)
    expect(keys()).toEqual([])
    await clock.run(2 * lookMs)
    expect(keys()).toEqual(['busy'])
  })

  it('no longer than an attempt may take', async () => {
    const { clock, jobs, running, want } = house()
    await want(notice('endless'))
    const { signal } = running[0]!
    await clock.run(aliveMs.notify)
    expect(signal.aborted).toBe(true)
    expect(jobs.rows[0]).toMatchObject({ state: 'waiting', why: `it took longer than ${aliveMs.notify / 1_000} s` })
  })
})

describe('the database', () => {
  it('is asked for everything by one question now and then, for a kind only where something is due, and tended more rarely', async () => {
    const { clock, jobs, working } = house()
    working.watch()
    await clock.run(tendMs - 1)
    const looks = Math.ceil(tendMs / lookMs)
    expect(jobs.asked.filter(each => each === 'tend')).toHaveLength(1)
    expect(jobs.asked.filter(each => each.startsWith('due'))).toHaveLength(looks)
    expect(jobs.asked).toHaveLength(1 + looks)
    await clock.run(1)
    expect(jobs.asked.filter(each => each === 'tend')).toHaveLength(2)
    await jobs.want([notice('of somebody else')])
    await clock.run(lookMs)
    expect(jobs.asked.filter(each => each.startsWith('claim'))).toEqual([expect.stringMatching(/^claim notify /)])
    expect(jobs.states).toEqual({ 'notify of somebody else': 'underWay' })
  })

  it('may be away: what waits is done when it is back', async () => {
    const { clock, jobs, held, working, want, keys } = house()
    working.watch()
    held.away = true
    await want(notice('a'))
    held.away = false
    jobs.away = new Error('gone')
    working.wake(['notify'])
    await clock.settle()
    expect(keys()).toEqual([])
    jobs.away = undefined
    await clock.run(lookMs)
    expect(keys()).toEqual(['a'])
  })
})

describe('a gateway that stops', () => {
  it('claims nothing any more, tells what runs, and gives it back', async () => {
    const { clock, jobs, running, working, want } = house()
    working.watch()
    await want(notice('a'))
    const [{ signal, end }] = running as [(typeof running)[0]]
    const closed = working.close()
    expect(signal.aborted).toBe(true)
    end(new Error('stopped'))
    await closed
    expect(jobs.rows[0]).toMatchObject({ state: 'waiting', why: 'the gateway stopped' })
    await want(notice('b'))
    expect(running).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('does not wait for what does not end', async () => {
    const { clock, working, want } = house()
    await want(notice('a'))
    let over = false
    const closed = working.close().then(() => {
      over = true
    })
    await clock.run(closeMs)
    await closed
    expect(over).toBe(true)
  })
})

describe('a job of one of several gateways', () => {
  it('comes to it, whenever each of them looks, and is neither tried nor failed by the others', async () => {
    const looks = fc.array(fc.integer({ min: 0, max: lookMs }), { minLength: 2, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(looks, async begins => {
        const clock = new VirtualClock()
        const jobs = new MemoryJobs(clock)
        const done: string[] = []
        const ended: string[] = []
        const gateways = begins.map(
          (_, home) =>
            new Working({
              ...{ jobs: () => jobs, clock, log: createLog('silent'), ended: (_kind, how) => ended.push(how) },
              handlers: {
                async convert({ attempts }) {
                  // Whoever began last has the file.
                  if (home !== begins.length - 1) throw new OfAnother('It is on the disk')
                  done.push(`attempt ${attempts}`)
                },
              },
            }),
        )
        await jobs.want([notice('a', { kind: 'convert' })])
        for (const [at, working] of gateways.entries()) clock.after(begins[at]!, () => working.watch())
        await clock.run(20 * lookMs)
        expect([done, ended]).toEqual([['attempt 1'], ['done']])
        for (const working of gateways) await working.close()
      }),
      { numRuns: 40 },
    )
  })
})
