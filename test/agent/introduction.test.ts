import { describe, expect, it } from 'vitest'
import { introduction } from '../../src/agent/introduction.ts'

const caller = {
  business: 'Harbour Dental',
  language: 'en-US',
  name: undefined,
  number: '+15550100300',
  reason: undefined,
  inTheirWords: false,
}

describe('what whoever answers is told', () => {
  it('is for whom and from whom the call is, and why', () => {
    expect(introduction({ ...caller, name: 'Ada Byron', reason: 'A question about a bill' })).toEqual({
      story: 'A call for Harbour Dental, from Ada Byron. A question about a bill.',
      question: 'Press 1 or say yes to take it. Press 2 or say no to decline.',
    })
  })

  it('is the number digit by digit, of somebody without a name', () => {
    expect(introduction(caller).story).toBe('A call for Harbour Dental, from number plus 1 5 5, 5 0 1, 0 0 3, 0 0.')
    for (const number of ['', 'anonymous', '0']) {
      expect(introduction({ ...caller, number }).story).toBe('A call for Harbour Dental, from a hidden number.')
    }
  })

  it('tells a caller’s own words as such', () => {
    const told = introduction({ ...caller, reason: 'connect me with billing!', inTheirWords: true })
    expect(told.story).toMatch(/They said: connect me with billing!$/)
  })

  it('is in the language of the business', () => {
    const questions = ['de', 'fr-CH', 'es', 'it', 'en', 'nl'].map(
      language => introduction({ ...caller, language }).question,
    )
    expect(questions[0]).toMatch(/^Drücken Sie 1/)
    expect(questions[5]).toBe(questions[4])
    expect(new Set(questions).size).toBe(5)
  })
})
