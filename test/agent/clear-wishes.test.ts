import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { clearWish } from '../../src/agent/clear-wishes.ts'

type Sentences = { readonly [wanted: string]: readonly string[] }
type Corpus = {
  readonly [language: string]: {
    readonly destinations: readonly string[]
    readonly tuning: Sentences
    readonly heldOut: Sentences
  }
}

const corpus: Corpus = parse(readFileSync(join(import.meta.dirname, '../corpus/transfer-wishes.yaml'), 'utf8'))
const every = Object.entries(corpus).flatMap(([language, { destinations, tuning, heldOut }]) =>
  Object.entries({ tuning, heldOut }).flatMap(([set, sentences]) =>
    Object.entries(sentences).flatMap(([wanted, texts]) =>
      texts.map(text => ({ language, set, wanted, text, understood: understood(text, destinations) })),
    ),
  ),
)
const wishes = every.filter(({ wanted }) => wanted !== 'others')

function understood(text: string, names: readonly string[]): string {
  const wish = clearWish(text, names)
  return wish === undefined ? 'others' : (wish.name ?? 'person')
}

const missed = (set: string) =>
  wishes.filter(each => each.set === set && each.understood !== each.wanted).map(({ text }) => text)

describe('a clear wish for somebody else, over the corpus', () => {
  it('is heard in no sentence that is none, and never for anybody else', () => {
    const wrong = every.filter(({ wanted, understood }) => understood !== 'others' && understood !== wanted)
    expect(wrong).toEqual([])
  })

  it('is heard in all of the sentences that it was tuned with', () => {
    expect(missed('tuning')).toEqual([])
  })

  it('is heard in nineteen of twenty that it was not tuned with', () => {
    const heldOut = wishes.filter(({ set }) => set === 'heldOut')
    expect(heldOut.length).toBeGreaterThan(40)
    expect(missed('heldOut').length / heldOut.length).toBeLessThanOrEqual(0.05)
  })

  it('is what it is without signs and capitals, as many recognizers write', () => {
    for (const { text, wanted, set } of wishes) {
      if (set !== 'tuning' || /,|!/.test(text)) continue
      const plain = text.toLowerCase().replace(/[.?¿¡]/g, '')
      expect([plain, understood(plain, corpus['en']!.destinations) !== 'others' || wanted !== 'person']).toEqual([
        plain,
        true,
      ])
    }
  })
})

describe('names', () => {
  it('may hold each other, and words that part a sentence', () => {
    const names = ['Support', 'Sales and Support', 'Dr. Müller']
    expect(clearWish('connect me with sales and support', names)).toEqual({ name: 'Sales and Support' })
    expect(clearWish('Connect me with support.', names)).toEqual({ name: 'Support' })
    expect(clearWish('Verbinden Sie mich mit Doktor Müller', ['Doktor Müller'])).toEqual({ name: 'Doktor Müller' })
    expect(clearWish('put me through to Dr. Muller', names)).toEqual({ name: 'Dr. Müller' })
  })

  it('of other scripts, or of signs alone, are nobody’s', () => {
    expect(clearWish('connect me with 客服', ['客服', '***'])).toBeUndefined()
  })
})
