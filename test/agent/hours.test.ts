import { describe, expect, it } from 'vitest'
import { openingAt } from '../../src/agent/hours.ts'

const office = {
  timeZone: 'America/New_York',
  hours: {
    monday: [
      { from: '13:00', to: '17:00' },
      { from: '09:00', to: '12:00' },
    ],
    friday: [{ from: '09:00', to: '15:00' }],
  },
}
const bar = { timeZone: 'Europe/Zurich', hours: { saturday: [{ from: '18:00', to: '02:00' }] } }

describe('a moment at a business', () => {
  it.each([
    // New York is five hours behind in January, and four in July.
    [
      'in the morning',
      Date.UTC(2026, 0, 5, 14, 30),
      { weekday: 'monday', time: '09:30', open: true, closesAt: '12:00' },
    ],
    ['in summer', Date.UTC(2026, 6, 6, 13, 30), { weekday: 'monday', time: '09:30', open: true }],
    ['at the first minute', Date.UTC(2026, 0, 5, 14, 0), { time: '09:00', open: true }],
    ['at the last', Date.UTC(2026, 0, 5, 17, 0), { time: '12:00', open: false, opensNext: { time: '13:00' } }],
    [
      'before it opens',
      Date.UTC(2026, 0, 5, 5, 0),
      { date: '2026-01-05', time: '00:00', opensNext: { time: '09:00' } },
    ],
    [
      'when it is another day in London',
      Date.UTC(2026, 0, 6, 3, 0),
      { date: '2026-01-05', weekday: 'monday', time: '22:00', opensNext: { weekday: 'friday', date: '2026-01-09' } },
    ],
    [
      'on the last day of the week',
      Date.UTC(2026, 0, 9, 21, 0),
      { opensNext: { weekday: 'monday', date: '2026-01-12' } },
    ],
  ])('%s', (_, wallMs, moment) => {
    expect(openingAt(wallMs, office)).toMatchObject({ timeZone: 'America/New_York', ...moment })
  })

  it.each([
    ['in the evening', Date.UTC(2026, 0, 10, 22), { weekday: 'saturday', open: true, closesAt: '02:00' }],
    [
      'after midnight',
      Date.UTC(2026, 0, 11, 0, 30),
      { weekday: 'sunday', time: '01:30', open: true, closesAt: '02:00' },
    ],
    ['after closing', Date.UTC(2026, 0, 11, 1, 0), { open: false, opensNext: { date: '2026-01-17', time: '18:00' } }],
  ])('that is open over midnight, %s', (_, wallMs, moment) => {
    expect(openingAt(wallMs, bar)).toMatchObject(moment)
  })

  it('says nothing of hours that nobody has told', () => {
    expect(openingAt(Date.UTC(2026, 0, 5), { timeZone: 'UTC', hours: {} })).toEqual({
      date: '2026-01-05',
      weekday: 'monday',
      time: '00:00',
      timeZone: 'UTC',
    })
  })
})
