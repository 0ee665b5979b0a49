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

it('knows every country: of none of them it goes by the hours of the business', () => {
  // https://www.itu.int/rec/T-REC-E.164, those that are given to a country.
  const given = [
    '20 211 212 213 216 218 22x 23x 24x 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 27',
    '290 291 297 298 299 30 31 32 33 34 35x 36 370 371 372 373 374 375 376 377 378 380 381 382 383 385 386 387 389 39',
    '40 41 420 421 423 43 44 45 46 47 48 49 50x 51 52 53 54 55 56 57 58 59x 60 61 62 63 64 65 66 670 672 673 674 675 676',
    '677 678 679 680 681 682 683 685 686 687 688 689 690 691 692 7 76 77 81 82 84 850 852 853 855 856 86 880 886 90 91 92',
    '93 94 95 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 98 992 993 994 995 996 998',
  ].flatMap(line => line.split(' '))
  const codes = given.flatMap(code =>
    code.endsWith('x') ? Array.from({ length: 10 }, (_, last) => code.replace('x', String(last))) : [code],
  )
  expect(codes.filter(code => zonesOf(`+${code}5550100`) === undefined)).toEqual([])
  expect(zonesOf('+76015550100')).toEqual(['Asia/Almaty'])
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
