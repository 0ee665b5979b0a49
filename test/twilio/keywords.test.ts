import fc from 'fast-check'
import { expect, it } from 'vitest'
import { carriersKeyword, keywordIn } from '../../src/twilio/keywords.ts'

it.each([
  ['STOP', 'stop'],
  [' stop. ', 'stop'],
  ['Stopall', 'stop'],
  ['unsubscribe', 'stop'],
  ['Cancel!', 'stop'],
  ['END', 'stop'],
  ['quit', 'stop'],
  ['START', 'start'],
  ['unstop', 'start'],
  ['Yes', 'yes'],
  ['help', 'help'],
  ['INFO', 'help'],
  ['Please stop', undefined],
  ['stop it', undefined],
  ['Yes, at nine', undefined],
  ['', undefined],
  ['__proto__', undefined],
  ['constructor', undefined],
])('understands %j as %s', (text, keyword) => expect(keywordIn(text)).toBe(keyword))

it('takes what Twilio has understood, in any language of its own', () => {
  expect(['STOP', 'START', 'HELP', 'YES', '', undefined].map(carriersKeyword)).toEqual([
    ...['stop', 'start', 'help', undefined, undefined, undefined],
  ])
})

it('finds no keyword in longer words, and throws at nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      expect(keywordIn(`stop ${text} x`)).toBeUndefined()
      expect([undefined, 'stop', 'start', 'yes', 'help']).toContain(keywordIn(text))
    }),
  )
})
