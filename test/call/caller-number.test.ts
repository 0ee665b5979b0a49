import { describe, expect, it } from 'vitest'
import { tellsWhoCalls, withheldNumbers } from '../../src/call/caller-number.ts'

describe('the number of a caller', () => {
  it.each(['+15550100300', '15550100300', '2000', '112'])('tells who calls: %s', number => {
    expect(tellsWhoCalls(number)).toBe(true)
  })

  it.each(['', 'anonymous', 'Anonymous', 'Restricted', 'unavailable', 'bianca', '+', '12', '+1 555', '1;2'])(
    'tells nobody: %j',
    number => {
      expect(tellsWhoCalls(number)).toBe(false)
    },
  )

  it('is withheld, too, when a trunk spells so on the keypad', () => {
    // Anonymous, blocked, restricted, unavailable, unknown.
    for (const number of ['+266696687', '+2562533', '+7378742833', '+86282452253', '+8656696']) {
      expect(withheldNumbers).toContain(number)
      expect(tellsWhoCalls(number)).toBe(false)
    }
  })
})
