import { describe, expect, it } from 'vitest'
import { readBusiness } from '../../../src/business.ts'
import type { CallEvent, CallFact } from '../../../src/call/events.ts'
import { notify } from '../../../src/desk/jobs/notify.ts'
import type { Notice, Notifier } from '../../../src/desk/notifier.ts'
import { jobsWantedBy } from '../../../src/desk/wanted.ts'
import { Working } from '../../../src/desk/working.ts'
import { GatewayError } from '../../../src/errors.ts'
import { limits } from '../../../src/limits.ts'
import { createLog } from '../../../src/log.ts'
import type { NoticeStanding } from '../../../src/store/notices.ts'
import { MemoryJobs } from '../../support/memory-jobs.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const left: Extract<CallFact, { name: 'voicemailLeft' }> = {
  name: 'voicemailLeft',
  seconds: 9,
  private: { recording: 'RE1', callerNumber: '+15550100177' },
}
const hungUp: CallFact = { name: 'ended', reason: 'callerHungUp', durationMs: 900 }
const { graceMs, deliverMs, freshMs, perBusinessPerHour } = limits.notice
const { lookMs, retryMs, attempts } = limits.jobs

/** A desk over a record that a test writes; what its ways were asked, and what they do. */
function desk({ notify: ways = { phone: '+15550100201', email: 'a@example.com' }, active = true } = {}) {
  const clock = new VirtualClock()
  const jobs = new MemoryJobs(clock)
  const plain = readBusiness({
    file: undefined,
    name: 'Dentist',
    phone: undefined,
    ownerPhone: undefined,
    engine: 'scripted',
  })
  const business = { ...plain, notify: ways, active }
  const given: [string, Notice][] = []
  const told: CallEvent[] = []
  const standing = new Map<string, NoticeStanding>()
  const house = {
    events: [] as { readonly fact: CallFact; readonly atMs: number }[],
    away: false,
    served: false,
    fail: (_by: string): Promise<void> => Promise.resolve(),
  }
  const notifier = (by: Notifier['by']): Notifier => ({
    by,
    async deliver(notice) {
      given.push([by, notice])
      await house.fail(by)
    },
  })
  const answered = <T>(answer: T) => {
    if (house.away) throw new GatewayError('STORE_AWAY', 'The database is away.', { retryable: true })
    return answer
  }
  const stored = () =>
    house.events.map(({ fact: { name, ...rest }, atMs }) => {
      const { private: secret, ...details } = rest as Record<string, unknown>
      return { at: new Date(atMs), name, details, private: (secret ?? null) as Record<string, unknown> | null }
    })
  const keyOf = ({ call, kind, about }: Pick<Notice, 'call' | 'kind' | 'about'>, by: string) =>
    [call, kind, by, about].join(' ')
  const handler = notify({
    notifiers: [notifier('text'), notifier('mail')],
    missing: { webhook: 'nothing is set' },
    find: id => (id === business.id ? business : undefined),
    record: async call => answered({ id: call.replace('leg-', ''), events: stored() as never }),
    served: async () => house.served,
    async claim(notice, by) {
      const key = keyOf(notice, by)
      const before = answered(standing.get(key))
      if (!before) standing.set(key, 'open')
      return before ?? 'claimed'
    },
    release: async (notice, by) => void standing.delete(keyOf(notice, by)),
    tell(event) {
      told.push(event)
      const { fact } = event
      if (fact.name === 'noticeSent')
        standing.set(
          keyOf({ call: event.call, kind: fact.kind, about: fact.about ?? '' }, fact.by),
          fact.ok ? 'told' : 'failed',
        )
    },
    kept: async () => {},
    clock,
  })
  const working = new Working({ jobs: () => jobs, handlers: { notify: handler }, clock, log: createLog('silent') })
  working.watch()
  const hear = async (fact: CallFact, call = 'leg-c1') => {
    house.events.push({ fact, atMs: clock.wallMs() })
    const wanted = jobsWantedBy({ call, business: business.id, atMs: clock.wallMs(), fact }, business)
    await jobs.want(wanted.filter(({ kind }) => kind === 'notify'))
    working.wake(['notify'])
    await clock.settle()
  }
  return { clock, jobs, house, working, hear, given, told, standing }
}

const refused: CallFact = { name: 'refused', reason: 'capacity', private: { callerNumber: '+15550100177' } }

describe('the people of a business', () => {
  it('hear of whom there was no place for, unless somebody has answered them soon after', async () => {
    const { clock, house, hear, given } = desk()
    await hear(refused)
    await clock.run(graceMs + lookMs)
    expect(given.map(([by, { kind, callerNumber }]) => [by, kind, callerNumber])).toEqual([
      ['text', 'missedCall', '+15550100177'],
      ['mail', 'missedCall', '+15550100177'],
    ])
    house.served = true
    await hear(refused, 'leg-c2')
    await clock.run(graceMs + lookMs)
    expect(given).toHaveLength(2)
  })

  it('hear of a voicemail at once, by each of their ways, and once whoever tells of it', async () => {
    const { hear, given, told, jobs } = desk()
    await hear(left)
    await hear(left)
    await hear(left, 'c1')
    expect(given.map(([by, { call, kind }]) => [by, call, kind])).toEqual([
      ['text', 'c1', 'voicemail'],
      ['mail', 'c1', 'voicemail'],
    ])
    expect(given[0]![1].words).toContain('voicemail of 9 seconds. Their number: +15550100177.')
    expect(told.map(({ call, fact }) => [call, fact])).toEqual([
      ['c1', { name: 'noticeSent', kind: 'voicemail', about: 'RE1', by: 'text', ok: true }],
      ['c1', { name: 'noticeSent', kind: 'voicemail', about: 'RE1', by: 'mail', ok: true }],
    ])
    expect(new Set(Object.values(jobs.states))).toEqual(new Set(['done']))
  })

  it('hear of a missed call when nothing more is to be expected of it', async () => {
    const { clock, hear, given } = desk()
    await hear(hungUp)
    await clock.run(graceMs - 1)
    expect(given).toEqual([])
    await clock.run(lookMs)
    expect(given.map(([by, { kind }]) => [by, kind])).toEqual([
      ['text', 'missedCall'],
      ['mail', 'missedCall'],
    ])
  })

  it('do not hear of it when a message was left meanwhile, nor for a business that takes no calls', async () => {
    const { clock, hear, given } = desk()
    await hear(hungUp)
    await hear(left)
    await clock.run(graceMs + lookMs)
    expect(given.map(([, { kind }]) => kind)).toEqual(['voicemail', 'voicemail'])
    const inactive = desk({ active: false })
    await inactive.hear(hungUp)
    await inactive.clock.run(graceMs + lookMs)
    expect(inactive.given).toEqual([])
  })

  it('hear of each message of a call that has several', async () => {
    const { clock, hear, given } = desk()
    await hear(left)
    await hear({ ...left, private: { ...left.private, recording: 'RE2' } })
    const urgent = (text: string): CallFact => ({
      ...{ name: 'messageTaken', urgent: true, private: { text, callback: '+15550100177' } },
    })
    await hear(urgent('A burst pipe'))
    await clock.run(5)
    await hear(urgent('It is in the cellar'))
    const mailed = given.filter(([by]) => by === 'mail').map(([, notice]) => notice)
    expect(mailed.map(({ kind, about }) => (kind === 'voicemail' ? about : kind))).toEqual([
      ...['RE1', 'RE2', 'urgent', 'urgent'],
    ])
    expect(mailed.slice(2).map(({ words }) => words.split(' Their')[0])).toEqual([
      ...['Urgent: A burst pipe', 'Urgent: It is in the cellar'],
    ])
  })

  it('hear nothing that another gateway has told them, or is telling them', async () => {
    const { hear, given, standing } = desk({ notify: { phone: '+1', email: 'a@example.com' } })
    standing.set('c1 voicemail text RE1', 'told')
    standing.set('c1 voicemail mail RE1', 'open')
    await hear(left)
    expect(given).toEqual([])
  })

  it('hear of a voicemail when the database is back', async () => {
    const { clock, hear, given, house } = desk()
    house.away = true
    await hear(left)
    house.away = false
    await clock.run(retryMs.first + lookMs)
    expect(given.map(([by]) => by)).toEqual(['text', 'mail'])
  })

  it('are told again where that may help, and what could not be told is in the record and left to a person', async () => {
    const { clock, hear, given, told, house, jobs } = desk({
      notify: { phone: '+1', email: 'a', webhook: 'https://x' } as never,
    })
    house.fail = async by => {
      throw new GatewayError('TOOL_FAILED', `${by} failed`, { retryable: by === 'text' })
    }
    await hear(left)
    expect(given.map(([by]) => by)).toEqual(['text', 'mail'])
    expect(told.map(({ fact }) => fact)).toMatchObject([
      { by: 'webhook', ok: false, why: 'nothing is set' },
      { by: 'mail', ok: false, why: 'mail failed' },
    ])
    for (let more = 1; more < attempts; more++) await clock.run(retryMs.most + lookMs)
    expect(given.filter(([by]) => by === 'text')).toHaveLength(attempts)
    expect(told.slice(2).map(({ fact }) => fact)).toMatchObject([{ by: 'text', ok: false, why: 'text failed' }])
    expect(new Set(Object.values(jobs.states))).toEqual(new Set(['failed']))
  })

  it('get no mail of which nobody knows whether it was sent; a text and a webhook go out again under their key', async () => {
    const { clock, hear, given, told, standing, jobs } = desk({ notify: { phone: '+1', email: 'a@example.com' } })
    // As a life leaves it that was killed between claiming and telling: the next attempt is its second.
    jobs.away = new Error('not yet')
    await hear(left)
    jobs.away = undefined
    for (const row of jobs.rows) row.attempts = 1
    standing.set('c1 voicemail text RE1', 'open')
    standing.set('c1 voicemail mail RE1', 'open')
    await clock.run(lookMs)
    expect(given.map(([by]) => by)).toEqual(['text'])
    expect(told.map(({ fact }) => fact)).toMatchObject([
      { by: 'mail', ok: false, why: expect.stringContaining('not known') },
      { by: 'text', ok: true },
    ])
  })

  it('are told once more when a person wants it', async () => {
    const { clock, hear, given, told, house, jobs } = desk({ notify: { email: 'a@example.com' } as never })
    house.fail = async () => {
      throw new GatewayError('TOOL_FAILED', 'the mail could not be handed over (550)')
    }
    await hear(left)
    house.fail = async () => {}
    Object.assign(jobs.rows[0]!, { state: 'waiting', attempts: 0, dueMs: 0 })
    await clock.run(lookMs)
    expect(given).toHaveLength(2)
    expect(told.map(({ fact }) => fact)).toMatchObject([{ ok: false }, { ok: true }])
  })

  it('are not waited for longer than a notice may take', async () => {
    const { clock, hear, told, house } = desk({ notify: { email: 'a@example.com' } as never })
    house.fail = () => new Promise(() => {})
    await hear(left)
    await clock.run(deliverMs)
    expect(told).toMatchObject([{ fact: { ok: false, why: `it took longer than ${deliverMs} ms` } }])
  })

  it('are not flooded: what is more waits for the next hour, and is no news any more after a day', async () => {
    const { clock, hear, given, told, jobs } = desk({ notify: { phone: '+15550100201' } as never })
    for (let call = 0; call < perBusinessPerHour + 2; call++) await hear(left, `c${call}`)
    expect(given).toHaveLength(perBusinessPerHour)
    expect(told).toHaveLength(perBusinessPerHour)
    const waiting = jobs.rows.slice(perBusinessPerHour)
    expect(waiting).toMatchObject(
      waiting.map(() => ({ state: 'waiting', attempts: 0, why: 'too many notices in one hour' })),
    )
    await clock.run(3_600_000 + lookMs)
    expect(given).toHaveLength(perBusinessPerHour + 2)
    for (let call = 0; call < perBusinessPerHour; call++) await hear(left, `d${call}`)
    expect(given).toHaveLength(2 * perBusinessPerHour)
    // Nobody looked for a day.
    clock.advance(freshMs)
    for (let call = 0; call < perBusinessPerHour; call++) await hear(left, `e${call}`)
    await clock.run(lookMs)
    expect(told.at(-1)).toMatchObject({ fact: { ok: false, why: 'too many notices in one hour' } })
    expect(jobs.rows.filter(({ state }) => state === 'failed')).toHaveLength(2)
  })
})
