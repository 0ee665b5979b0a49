import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Business, judgeChoice } from '../../src/business.ts'
import { limits } from '../../src/limits.ts'
import { type Attempt, afterAttempt, beforeAttempt, firstWithin } from '../../src/twilio/dialler-decision.ts'

const defaults = {
  file: undefined,
  name: 'Dentist',
  phone: undefined,
  ownerPhone: undefined,
  engine: 'scripted' as const,
}

function business(outbound: object = {}, more: object = {}): Business {
  const choice = {
    name: 'Dentist',
    numbers: ['+15550100200'],
    outbound: { enabled: true, to: ['+1', '+41'], ...outbound },
    ...more,
  }
  const judged = judgeChoice(choice, defaults)
  if ('problems' in judged) throw new Error(judged.problems.join())
  return judged.business
}

const utc = (text: string) => Date.parse(`${text}Z`)
const allDay = { hours: { from: '09:00', to: '20:00' }, days: 'everyDay' as const }
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString().slice(0, 16))

describe('the hours of a callee', () => {
  it.each([
    ['within them: now', '2026-01-05T15:00', ['America/New_York'], '2026-01-05T15:00'],
    ['a minute before they begin', '2026-01-05T13:59', ['America/New_York'], '2026-01-05T14:00'],
    ['at the minute at which they end', '2026-01-06T01:00', ['America/New_York'], '2026-01-06T14:00'],
    [
      'in all zones that a number may be in',
      '2026-01-05T15:00',
      ['America/New_York', 'America/Los_Angeles'],
      '2026-01-05T17:00',
    ],
    [
      'no longer in the first of them',
      '2026-01-06T02:00',
      ['America/New_York', 'America/Los_Angeles'],
      '2026-01-06T17:00',
    ],
    // New York, 8 March 2026: at 2 it is 3. And 1 November: at 2 it is 1 again.
    ['in the summer an hour earlier', '2026-03-09T12:00', ['America/New_York'], '2026-03-09T13:00'],
    ['over the night in which clocks go forward', '2026-03-08T02:00', ['America/New_York'], '2026-03-08T13:00'],
    ['over the night in which they go back', '2026-11-01T02:00', ['America/New_York'], '2026-11-01T14:00'],
    ['on the other side of the world', '2026-04-04T12:00', ['Australia/Sydney'], '2026-04-04T23:00'],
    ['where hours have halves', '2026-01-05T00:00', ['Asia/Kolkata'], '2026-01-05T03:30'],
  ])('are kept: %s', (_, now, zones, then) => {
    expect(iso(firstWithin(utc(now), zones, allDay))).toBe(then)
  })

  it('are of weekdays only, where it is one', () => {
    const weekdays = { ...allDay, days: 'weekdays' as const }
    // A Friday evening in New York; in Sydney it is Saturday.
    expect(iso(firstWithin(utc('2026-01-10T02:00'), ['America/New_York'], weekdays))).toBe('2026-01-12T14:00')
    expect(iso(firstWithin(utc('2026-01-09T22:30'), ['Australia/Sydney'], weekdays))).toBe('2026-01-11T22:00')
  })

  it('that never come together are told', () => {
    const narrow = { hours: { from: '09:00', to: '10:00' }, days: 'everyDay' as const }
    expect(firstWithin(utc('2026-01-05T15:00'), ['America/New_York', 'America/Los_Angeles'], narrow)).toBeUndefined()
  })

  it('are never broken, and not later than they must', () => {
    const zones = ['America/New_York', 'Europe/Zurich', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'America/St_Johns']
    const minute = 60_000
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.integer({ min: utc('2026-01-01T00:00') / minute, max: utc('2027-01-01T00:00') / minute }),
        (zone, at) => {
          const shown = (ms: number) =>
            new Intl.DateTimeFormat('en-GB', { timeZone: zone, timeStyle: 'short' }).format(ms)
          const then = firstWithin(at * minute, [zone], allDay)!
          expect(shown(then) >= '09:00' && shown(then) < '20:00').toBe(true)
          if (then > at * minute) {
            expect(shown(then)).toBe('09:00')
            expect(then - at * minute).toBeLessThanOrEqual(14 * 60 * minute)
          }
        },
      ),
      { numRuns: 200 },
    )
  })
})

describe('before an attempt', () => {
  const now = utc('2026-01-05T15:00')
  const asked = { number: '+15550100177', forbidden: false }

  it('calls from the number of the business, or the one it has chosen', () => {
    expect(beforeAttempt(asked, business(), now)).toEqual({ kind: 'dial', from: '+15550100200' })
    const callerId = '+15550100299'
    expect(beforeAttempt(asked, business({ callerId }), now)).toEqual({ kind: 'dial', from: callerId })
  })

  it('calls nobody who must not be called, and for no business that calls no more', () => {
    expect(beforeAttempt({ ...asked, forbidden: true }, business(), now)).toEqual({ kind: 'never', why: 'doNotCall' })
    const stopped = [
      undefined,
      business({ enabled: false }),
      business({ to: ['+1416', '+15551'] }),
      business({}, { active: false }),
      business({}, { numbers: [] }),
    ]
    for (const each of stopped) expect(beforeAttempt(asked, each, now)).toEqual({ kind: 'never', why: 'stopped' })
  })

  it('waits for the callee’s morning, and of a number without a place for the business’s', () => {
    const zurich = { ...asked, number: '+41445550100' }
    const late = utc('2026-01-05T21:00')
    expect(beforeAttempt(zurich, business(), late)).toEqual({ kind: 'later', atMs: utc('2026-01-06T08:00') })
    const here = business({}, { timeZone: 'America/New_York' })
    expect(beforeAttempt(asked, here, utc('2026-01-05T13:00'))).toEqual({
      kind: 'later',
      atMs: utc('2026-01-05T14:00'),
    })
    expect(
      beforeAttempt({ ...asked, number: '+12115550100' }, business({ hours: { from: '09:00', to: '10:00' } }), now),
    ).toEqual({
      ...{ kind: 'never', why: 'hours' },
    })
  })
})

describe('after an attempt', () => {
  const begunAtMs = utc('2026-01-05T15:00')
  const rules = business().outbound
  const nothing = { status: null, answeredBy: null, notMade: undefined, withoutAgent: false }
  const attempt: Attempt = { attempts: 1, begunAtMs, ...nothing }
  const then = begunAtMs + 60_000
  const again = then + rules.retryMinutes * 60_000

  it.each([
    ['a person', { status: 'completed', answeredBy: 'human' }, { kind: 'over', outcome: 'answered' }],
    ['whoever is not known', { status: 'completed', answeredBy: null }, { kind: 'over', outcome: 'answered' }],
    [
      'a person whom no agent had',
      { status: 'completed', answeredBy: 'human', withoutAgent: true },
      { kind: 'again', outcome: 'failed', atMs: again },
    ],
    [
      'a machine that no agent had',
      { status: 'completed', answeredBy: 'machine', withoutAgent: true },
      { kind: 'again', outcome: 'machine', atMs: again },
    ],
    ['a fax', { status: 'completed', answeredBy: 'fax' }, { kind: 'over', outcome: 'fax' }],
    ['a machine', { status: 'completed', answeredBy: 'machine' }, { kind: 'again', outcome: 'machine', atMs: again }],
    ['busy', { status: 'busy' }, { kind: 'again', outcome: 'busy', atMs: again }],
    ['no answer', { status: 'noAnswer' }, { kind: 'again', outcome: 'noAnswer', atMs: again }],
    ['failed', { status: 'failed' }, { kind: 'again', outcome: 'failed', atMs: again }],
    ['canceled', { status: 'canceled' }, { kind: 'over', outcome: 'canceled' }],
    ['refused by the carrier', { notMade: 'refused' }, { kind: 'over', outcome: 'refused' }],
    ['a carrier that was away', { notMade: 'unreachable' }, { kind: 'again', outcome: 'unreachable', atMs: again }],
    ['ringing', { status: 'ringing' }, { kind: 'open' }],
    [
      'not known to be made, and it rings all the same',
      { status: 'ringing', notMade: 'unreachable' },
      { kind: 'open' },
    ],
    ['nothing yet', {}, { kind: 'open' }],
  ] as const)('%s', (_, also, wanted) => {
    expect(afterAttempt({ ...attempt, ...also }, rules, then)).toEqual(wanted)
  })

  it('leaves a machine its message, and is done', () => {
    const told = business({ voicemail: 'Please call us back.' }).outbound
    const machine = { ...attempt, status: 'completed', answeredBy: 'machineEnded' } as const
    expect(afterAttempt(machine, told, then)).toEqual({ kind: 'over', outcome: 'messageLeft' })
    expect(afterAttempt(machine, rules, then)).toMatchObject({ kind: 'again', outcome: 'machine' })
  })

  it('is the last when there have been as many as the business wants, or it wants no more', () => {
    const last = { ...attempt, attempts: rules.attempts, status: 'busy' } as const
    expect(afterAttempt(last, rules, then)).toEqual({ kind: 'over', outcome: 'busy' })
    expect(afterAttempt({ ...attempt, status: 'busy' }, undefined, then)).toEqual({ kind: 'over', outcome: 'busy' })
  })

  it('of which nobody tells is lost in time, later the further it has come', () => {
    const { unsureMs } = limits.twilio.outbound
    const lost = begunAtMs + unsureMs + rules.ringSeconds * 1_000
    for (const status of [null, 'ringing'] as const) {
      expect(afterAttempt({ ...attempt, status }, rules, lost - 1)).toEqual({ kind: 'open' })
      const given = afterAttempt({ ...attempt, status }, rules, lost)
      expect(given).toMatchObject({ kind: 'again', outcome: 'unreachable', lost: true })
    }
    const talking = { ...attempt, status: 'inProgress' } as const
    expect(afterAttempt(talking, rules, lost)).toEqual({ kind: 'open' })
    expect(afterAttempt(talking, rules, lost + limits.call.durationMs)).toMatchObject({ lost: true })
  })
})
