import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fillTemplate } from '../../../src/telephony/asterisk/template.ts'

const fill = (template: string, values: Parameters<typeof fillTemplate>[1]) =>
  fillTemplate(template, values, 'x.conf').text

test('values are filled in; comments and the variables of the dialplan are left as they are', () => {
  const template = '; {{name}} and {{other}}\nexten => {{name}},1,Set(A=${EXTEN}$[1 + {{n}}])\n'
  expect(fill(template, { name: 'bianca', n: 2 })).toBe(
    '; {{name}} and {{other}}\nexten => bianca,1,Set(A=${EXTEN}$[1 + 2])\n',
  )
})

test('a list writes its line once for each element, and an empty one leaves it out', () => {
  const template = 'a\npermit = {{networks}} {{n}}\nb'
  expect(fill(template, { networks: ['10.0.0.0/8', '192.0.2.1'], n: 1 })).toBe(
    'a\npermit = 10.0.0.0/8 1\npermit = 192.0.2.1 1\nb',
  )
  expect(fill(template, { networks: [], n: 1 })).toBe('a\nb')
})

test('the names that were used are told', () => {
  expect(fillTemplate('; {{c}}\n{{a}} {{b}}', { a: '1', b: ['2'], c: '3' }, 'x.conf').used).toEqual(new Set(['a', 'b']))
})

test('a value that is missing or empty is an error that names it', () => {
  expect(() => fill('password = {{password}}', {})).toThrow(/"password", which is not given/)
  expect(() => fill('password = {{password}}', { password: '' })).toThrow(/"password" is empty/)
  expect(() => fill('permit = {{networks}}', { networks: [''] })).toThrow(/"networks" is empty/)
})

test('what could begin a line, a comment, a section or an expression is refused, and the value is not told', () => {
  for (const evil of [
    'a\nb',
    'a\rb',
    'a;b',
    'a[b',
    'a]b',
    '#include',
    '${X}',
    '$[1]',
    'a,b',
    'a(b',
    'a)b',
    '"a',
    "'a",
    'a\\b',
    'a|b',
    'a>b',
    '\0',
    ' a',
    'a ',
  ]) {
    expect(() => fill('password = {{password}}', { password: evil })).toThrow(/holds characters/)
    try {
      fill('password = {{password}}', { password: `secret${evil}x` })
    } catch (error) {
      expect(String(error)).not.toContain('secret')
    }
  }
})

test('whatever is filled in, the file keeps its lines', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), value => {
      let text = ''
      try {
        text = fill('[general]\nkey = {{value}}\nlast = 1', { value })
      } catch {
        return
      }
      expect(text.split(/[\n\r\u0085\u2028\u2029]/)).toHaveLength(3)
      expect(text.slice(10)).not.toMatch(/[;$[\]{}\\]/)
    }),
  )
})
