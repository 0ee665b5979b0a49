import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Pace } from '../../src/agent/captions.ts'

describe('captions', () => {
  it('give each piece of audio the words that are over with it', () => {
    const captions = new Pace().captions('one two three')
    expect(captions.during(100)).toBe('')
    expect(captions.during(120)).toBe('one')
    expect(captions.during(400)).toBe(' two')
    expect(captions.rest()).toBe(' three')
    expect(captions.rest()).toBe('')
  })

  it('give every word once, in order, never a part of one', () => {
    fc.assert(
      fc.property(
        fc.lorem({ maxCount: 12 }),
        fc.array(fc.integer({ min: 1, max: 500 }), { maxLength: 20 }),
        (text, pieces) => {
          const captions = new Pace().captions(text)
          const words = [...pieces.map(ms => captions.during(ms)), captions.rest()]
          expect(words.join('')).toBe(text)
          for (const part of words.slice(0, -1)) {
            const end = words.slice(0, words.indexOf(part) + 1).join('').length
            if (part !== '' && end < text.length) expect(text[end]).toBe(' ')
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('learn how fast a voice is, within what voices are', () => {
    const text = `${'a'.repeat(49)} b`
    const pace = new Pace()
    for (let i = 0; i < 30; i++) pace.learn(text, text.length * 100)
    expect(pace.captions(text).during(4_800)).toBe('')
    expect(pace.captions(text).during(5_000)).toBe('a'.repeat(49))
    for (let i = 0; i < 30; i++) pace.learn(text, 1)
    expect(pace.captions(text).during(2_150)).toBe('')
    expect(pace.captions(text).during(2_250)).toBe('a'.repeat(49))
    pace.learn('', 1_000)
  })
})
