import { describe, expect, it } from 'vitest'
import { readBusiness } from '../../src/business.ts'
import type { CallEvent, CallFact } from '../../src/call/events.ts'
import type { Notice, Notifier } from '../../src/desk/notifier.ts'
import { Notifying } from '../../src/desk/notifying.ts'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { createLog } from '../../src/log.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const left: CallFact = {
  name: 'voicemailLeft',
  seconds: 9,
  private: { recording: 'RE1', callerNumber: '+15550100177' },
}
const hungUp: CallFact = { name: 'ended', reason: 'callerHungUp', durationMs: 900 }
const { graceMs, retryMs, deliverMs, perBusinessPerHour } = limits.notice

/** A desk over a record that a test writes; what its ways were asked, and what they do. */
function desk({ notify = { phone: '+15550100201', email: 'a@example.com' }, active = true } = {}) {
  const clock = new VirtualClock()
  const plain = readBusiness({
    file: undefined,
    name: 'Dentist',
    phone: undefined,
    ownerPhone: undefined,
    engine: 'scripted',
  })
  const business = { ...plain, notify, active }
  const given: [string, Notice][] = []
  const told: CallEvent[] = []
  const claimed = new Set<string>()
  const house = {
    events: [] as CallFact[],
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
    house.events.map(({ name, ...rest }) => {
      const { private: secret, ...details } = rest as Record<string, unknown>
      return { at: new Date(0), name, details, private: (secret ?? null) as Record<string, unknown> | null }
    })
  const notifying = new Notifying({
    notifiers: [notifier('text'), notifier('mail')],
    missing: { webhook: 'nothing is set' },
    find: id => (id === business.id ? business : undefined),
    record: async call => answered({ id: call.replace('leg-', ''), events: stored() as never }),
    served: async () => house.served,
    async claim({ call, kind }, by) {
      const key = `${call} ${kind} ${by}`
      return answered(!claimed.has(key) && Boolean(claimed.add(key)))
    },
    tell: event => void told.push(event),
    clock,
    log: createLog('silent'),
  })
  const hear = (fact: CallFact, call = 'leg-c1') => {
    house.events.push(fact)
    notifying.hear({ call, business: business.id, atMs: clock.wallMs(), fact })
  }
  return { clock, house, notifying, hear, given, told, claimed }
}

const refused: CallFact = { name: 'refused', reason: 'capacity', private: { callerNumber: '+15550100177' } }

describe('the people of a business', () => {
  it('hear of whom there was no place for, unless somebody has answered them soon after', async () => {
    const { clock, house, hear, given } = desk()
    hear(refused)
    await clock.run(graceMs)
    expect(given.map(([by, { kind, callerNumber }]) => [by, kind, callerNumber])).toEqual([
      ['text', 'missedCall', '+15550100177'],
      ['mail', 'missedCall', '+15550100177'],
    ])
    house.served = true
    hear(refused, 'leg-c2')
    await clock.run(graceMs)
    expect(given).toHaveLength(2)
  })

  it('hear of a voicemail at once, by each of their ways, and once whoever tells of it', async () => {
    const { clock, hear, given, told } = desk()
    hear(left)
    await clock.settle()
    hear(left)
    hear(left, 'c1')
    await clock.settle()
    expect(given.map(([by, { call, kind }]) => [by, call, kind])).toEqual([
      ['text', 'c1', 'voicemail'],
      ['mail', 'c1', 'voicemail'],
    ])
    expect(given[0]![1].words).toContain('voicemail of 9 seconds. Their number: +15550100177.')
    expect(told.map(({ call, fact }) => [call, fact])).toEqual([
      ['c1', { name: 'noticeSent', kind: 'voicemail', by: 'text', ok: true }],
      ['c1', { name: 'noticeSent', kind: 'voicemail', by: 'mail', ok: true }],
    ])
  })

  it('hear of a missed call when nothing more is to be expected of it', async () => {
    const { clock, hear, given } = desk()
    hear(hungUp)
    await clock.run(graceMs - 1)
    expect(given).toEqual([])
    await clock.run(1)
    expect(given.map(([by, { kind }]) => [by, kind])).toEqual([
      ['text', 'missedCall'],
      ['mail', 'missedCall'],
    ])
    expect(clock.pending).toBe(0)
  })

  it('do not hear of it when a message was left meanwhile, nor for a business that takes no calls', async () => {
    const { clock, hear, given } = desk()
    hear(hungUp)
    hear(left)
    await clock.run(graceMs)
    expect(given.map(([, { kind }]) => kind)).toEqual(['voicemail', 'voicemail'])
    const inactive = desk({ active: false })
    inactive.hear(hungUp)
    await inactive.clock.run(graceMs)
    expect(inactive.given).toEqual([])
  })

  it('hear nothing that another gateway has told them', async () => {
    const { clock, hear, given, claimed } = desk()
    claimed.add('c1 voicemail text')
    hear(left)
    await clock.settle()
    expect(given.map(([by]) => by)).toEqual(['mail'])
  })

  it('hear of a voicemail also while the database is away, once', async () => {
    const { clock, hear, given, house } = desk()
    house.away = true
    hear(left, 'c1')
    hear(left, 'c1')
    await clock.settle()
    expect(given.map(([by]) => by)).toEqual(['text', 'mail'])
  })

  it('are told once more where that may help, and what could not be told is in the record', async () => {
    const { clock, hear, given, told, house } = desk({
      notify: { phone: '+1', email: 'a', webhook: 'https://x' } as never,
    })
    house.fail = async by => {
      throw new GatewayError('TOOL_FAILED', `${by} failed`, { retryable: by === 'text' })
    }
    hear(left)
    await clock.settle()
    expect(given.map(([by]) => by)).toEqual(['text', 'mail'])
    await clock.run(retryMs)
    expect(given.map(([by]) => by)).toEqual(['text', 'mail', 'text'])
    expect(told.map(({ fact }) => fact)).toMatchObject([
      { by: 'webhook', ok: false, why: 'nothing is set' },
      { by: 'mail', ok: false, why: 'mail failed' },
      { by: 'text', ok: false, why: 'text failed' },
    ])
  })

  it('are not waited for longer than a notice may take', async () => {
    const { clock, hear, told, house } = desk({ notify: { email: 'a@example.com' } as never })
    house.fail = () => new Promise(() => {})
    hear(left)
    await clock.run(deliverMs)
    expect(told).toMatchObject([{ fact: { ok: false, why: `it took longer than ${deliverMs} ms` } }])
  })

  it('are not flooded', async () => {
    const { clock, hear, given, told } = desk({ notify: { phone: '+15550100201' } as never })
    for (let call = 0; call < perBusinessPerHour + 2; call++) {
      hear(left, `c${call}`)
      await clock.settle()
    }
    expect(given).toHaveLength(perBusinessPerHour)
    expect(told.at(-1)).toMatchObject({ fact: { ok: false, why: 'too many notices in one hour' } })
    clock.advance(3_600_000)
    hear(left, 'later')
    await clock.settle()
    expect(given).toHaveLength(perBusinessPerHour + 1)
  })

  it('hear nothing any more when the gateway stops', async () => {
    const { clock, hear, given, notifying } = desk()
    hear(hungUp)
    await notifying.close()
    hear(left)
    await clock.run(graceMs)
    expect([given.length, clock.pending]).toEqual([0, 0])
  })
})
