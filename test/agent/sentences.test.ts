import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SentenceSplitter } from '../../src/agent/sentences.ts'

function split(pieces: readonly string[]): string[] {
  const splitter = new SentenceSplitter()
  return [...pieces.flatMap(piece => splitter.push(piece)), ...splitter.rest()]
}

describe('a text that comes in pieces', () => {
  it.each([
    ['sentences', 'It is open. Do come! Will you?', ['It is open. ', 'Do come! ', 'Will you?']],
    [
      'an early first clause, and no later one',
      'Of course I can, now, or later. Yes, I do.',
      ['Of course I can, ', 'now, or later. ', 'Yes, I do.'],
    ],
    ['no clause that is too short', 'Yes, of course. ', ['Yes, of course. ']],
    ['numbers in one piece', 'It costs 3.50 or so. Fine.', ['It costs 3.50 or so. ', 'Fine.']],
    [
      'abbreviations in one piece',
      'Ask Dr. Who or J. Doe, e.g. now. Yes.',
      ['Ask Dr. Who or J. Doe, ', 'e.g. now. ', 'Yes.'],
    ],
    ['quotes with their sentence', 'He said "go." Then left.', ['He said "go." ', 'Then left.']],
    ['directives in one piece', '[tone 440 600ms] [tone 500 100ms]', ['[tone 440 600ms] [tone 500 100ms]']],
    ['scripts without spaces', '你好。再见。', ['你好。', '再见。']],
    ['nothing but spaces', '  ', []],
  ])('gives %s', (_, text, parts) => {
    expect(split([text])).toEqual(parts)
    expect(split([...text])).toEqual(parts)
  })

  it('gives a sentence as soon as it is there', () => {
    const splitter = new SentenceSplitter()
    expect(splitter.push('It is open.')).toEqual([])
    expect(splitter.push(' ')).toEqual(['It is open. '])
  })

  it('cuts what never ends', () => {
    const parts = split(['word '.repeat(200)])
    expect(parts.length).toBeGreaterThan(2)
    expect(Math.max(...parts.map(part => part.length))).toBeLessThanOrEqual(310)
  })

  it('loses nothing, and depends on the text alone', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'Bc', ' ', '. ', ', ', '? ', 'Dr. ', '3.5', '"', '。'),
      maxLength: 200,
    })
    fc.assert(
      fc.property(text, fc.array(fc.nat(400), { maxLength: 10 }), (whole, cuts) => {
        const at = [0, ...cuts.filter(cut => cut < whole.length).sort((a, b) => a - b), whole.length]
        const pieces = at.slice(1).map((end, i) => whole.slice(at[i], end))
        const parts = split(pieces)
        expect(parts).toEqual(split([whole]))
        expect(whole.startsWith(parts.join(''))).toBe(true)
        expect(whole.slice(parts.join('').length).trim()).toBe('')
      }),
      { numRuns: 300 },
    )
  })
})
