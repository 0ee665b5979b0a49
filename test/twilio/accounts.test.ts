import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { settled } from '../../src/twilio/accounts.ts'
import type { CarrierTold } from '../../src/twilio/status.ts'

const { attempts: most } = limits.twilio.accounts
const hidden = { callerNumber: '+15550100177', calledNumber: '+15550100200' }
const told = (status: 'completed' | 'inProgress', price?: string): CarrierTold => ({
  ...{ name: 'carrierTold', status, direction: 'inbound', private: hidden },
  ...(price !== undefined && { price, priceUnit: 'USD' }),
})
const lost = { tell: { name: 'carrierLost' }, close: false }
const wait = { close: false }
const live = { over: false, ended: false }
/** By its own channel. */
const ended = { over: false, ended: true }
const over = { over: true, ended: true }

describe('a call of which Twilio has not told all', () => {
  it.each([
    ['is lost when Twilio knows nothing of it, or cannot be asked', live, 1, 'unknown', lost],
    ['is asked about again when Twilio is away', live, 1, 'later', wait],
    ['is lost when that stays so', live, most, 'later', lost],
    ['goes on while Twilio says so', live, 1, told('inProgress'), wait],
    ['is lost when that never ends', live, most, told('inProgress'), lost],
    ['has its end from Twilio', live, 1, told('completed'), { tell: told('completed'), close: false }],
    [
      'has its price with that',
      live,
      1,
      told('completed', '-0.01'),
      { tell: told('completed', '-0.01'), close: false },
    ],
    ['is not lost when its channel has told its end', ended, 1, 'unknown', { close: true }],
    [
      'has its price told when its end is known',
      over,
      2,
      told('completed', '-1'),
      { tell: told('completed', '-1'), close: false },
    ],
    ['has no end told twice while its price is not known', over, 1, told('completed'), wait],
    ['is asked no more when its price never comes', over, most, told('completed'), { close: true }],
    ['is asked no more when nobody can be', over, 1, 'unknown', { close: true }],
  ] as const)('%s', (_, known, attempts, answer, decided) => {
    expect(settled({ ...known, attempts }, answer)).toEqual(decided)
  })
})
