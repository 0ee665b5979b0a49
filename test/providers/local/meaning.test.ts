import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readBusiness } from '../../../src/business.ts'
import { rulesFor } from '../../../src/providers/local/grammar.ts'
import { Grammar, jsgfText } from '../../../src/providers/local/jsgf.ts'
import { Understanding } from '../../../src/providers/local/meaning.ts'
import { readCorpus } from '../../corpus/sentences.ts'

const file = join(import.meta.dirname, '../../corpus/business.yaml')
const business = readBusiness({ file, name: '', phone: undefined, ownerPhone: undefined, engine: 'local' })
const understanding = new Understanding(business)

describe('the meaning of words', () => {
  it.each(readCorpus().tuning.map(sentence => [sentence.text, sentence] as const))(
    '%s',
    (text, { text: _, ...truth }) => {
      expect(understanding.understand(text)).toEqual(truth)
    },
  )

  it.each([...readCorpus().outsideTuning, '', 'appointment for the moon', 'tomorrow tomorrow'])('is none: %s', text => {
    expect(understanding.understand(text)).toBeUndefined()
  })

  it('knows the names of this business and of no other', () => {
    const bakery = new Understanding({ services: [{ name: 'Wedding cake', minutes: 60 }], destinations: [] })
    expect(bakery.understand('how long does a wedding cake take')).toMatchObject({ service: 'Wedding cake' })
    expect(bakery.understand('how much is a cleaning')).toBeUndefined()
    const nothing = new Understanding({ services: [], destinations: [] })
    expect(nothing.understand('what are your opening hours')).toEqual({ intent: 'hours' })
  })
})

describe('a grammar', () => {
  it('covers words by alternatives, options and repetition, and tells which rule covered what', () => {
    const grammar = new Grammar({ top: '[please] <thing> (and <thing>)* | <NULL>', thing: '(big | small) cat | dog' })
    expect(grammar.match('top', 'please big cat and dog'.split(' '))).toContainEqual({ rule: 'thing', words: ['dog'] })
    expect(grammar.match('top', [])).toEqual([{ rule: 'top', words: [] }])
    expect(grammar.match('top', 'big dog'.split(' '))).toBeUndefined()
    expect([...grammar.vocabulary].sort()).toEqual(['and', 'big', 'cat', 'dog', 'please', 'small'])
  })

  it('is written as the recognizer reads it, with the names of the business in it', () => {
    const text = jsgfText(rulesFor(business), 'sentence')
    expect(text).toMatch(/^#JSGF V1\.0;\ngrammar parley;\n/)
    expect(text).toContain('<service> = check up | cleaning | whitening | root canal;')
    expect(text).toContain('<person> = reception | billing | doctor miller;')
    expect(text.match(/^public <sentence>/gm)).toHaveLength(1)
  })

  it.each([
    ['neither services nor people', [], []],
    ['no people', business.services, []],
    ['no services', [], business.destinations],
  ])('of a business with %s listens for nothing in their place', (_, services, destinations) => {
    const text = jsgfText(rulesFor({ services, destinations }), 'sentence')
    const defined = [...text.matchAll(/^(?:public )?<(\w+)> =/gm)].map(([, name]) => name)
    const used = new Set([...text.matchAll(/<(\w+)>/g)].map(([, name]) => name))
    expect([...used].filter(name => name !== 'NULL').sort()).toEqual(defined.sort())
    const { vocabulary } = new Grammar(rulesFor({ services, destinations }))
    const whole = new Grammar(rulesFor(business)).vocabulary
    expect([...vocabulary].filter(word => !whole.has(word))).toEqual([])
    const understanding = new Understanding({ services, destinations })
    const understood = (words: string) => understanding.understand(words)?.intent
    expect(understood('please give a message')).toBe('message')
    expect(understood("i'd like to speak to someone")).toBe('transfer')
    expect(understood('i would like an appointment tomorrow at three')).toBe('appointment')
    expect(understood('what are your prices')).toBe('price')
    expect(understood('please tell somethingthathasnoname something')).toBeUndefined()
  })

  it('that is written wrong says where', () => {
    expect(() => new Grammar({ top: 'a (b | c' })).toThrow('The grammar "a (b | c" lacks ")".')
    expect(() => new Grammar({ top: '<other>' }).match('top', ['a'])).toThrow('no rule <other>')
  })
})
