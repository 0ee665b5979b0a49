import { expect, it } from 'vitest'
import { zonesOf } from '../../src/twilio/callee-zones.ts'

it('tells the zones of a country, of an area of North America, and of a number that belongs nowhere none', () => {
  expect(zonesOf('+41445550100')).toEqual(['Europe/Zurich'])
  expect(zonesOf('+12125550100')).toEqual(['America/New_York'])
  expect(zonesOf('+18505550100')).toEqual(['America/New_York', 'America/Chicago'])
  expect(zonesOf('+18085550100')).toEqual(['Pacific/Honolulu'])
  expect(zonesOf('+77015550100')).toEqual(['Asia/Almaty'])
  expect(zonesOf('+74955550100')).toContain('Europe/Moscow')
  expect(zonesOf('+35315550100')).toEqual(['Europe/Dublin'])
  // An area that has come since, anywhere between the coasts.
  expect(zonesOf('+12115550100')).toEqual([
    ...['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles'],
  ])
  for (const number of ['+18005550100', '+15550100177', '+88255501000', '+8705550100'])
    expect([number, zonesOf(number)]).toEqual([number, undefined])
})

it('names zones that there are', () => {
  const zones = new Set<string>()
  for (let code = 1; code < 1_000; code++) {
    for (const number of [`+${code}`, `+1${String(code).padStart(3, '0')}`]) {
      for (const zone of zonesOf(`${number}5550100`) ?? []) zones.add(zone)
    }
  }
  expect(zones.size).toBeGreaterThan(120)
  for (const timeZone of zones) expect(() => new Intl.DateTimeFormat('en', { timeZone })).not.toThrow()
})
