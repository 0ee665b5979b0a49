import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fillTemplates } from '../../../src/telephony/asterisk/template.ts'

const fill = (template: string, values: Parameters<typeof fillTemplates>[1]) =>
  fillTemplates(new Map([['x.conf', template]]), values).get('x.conf')

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

test('a value that no template asks for is an error that names it; a mention in a comment is no use', () => {
  const templates = new Map([
    ['a.conf', '; {{c}}\n{{a}}'],
    ['b.conf', '{{b}}'],
  ])
  expect([...fillTemplates(templates, { a: 1, b: ['2'] }).values()]).toEqual(['; {{c}}\n1', '2'])
  expect(() => fillTemplates(templates, { a: 1, b: [], c: 3, d: 4 })).toThrow(/no template asks for c, d/)
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
      let text: string | undefined
      try {
        text = fill('[general]\nkey = {{value}}\nlast = 1', { value })
      } catch {
        return
      }
      expect(text?.split(/[\n\r\u0085\u2028\u2029]/)).toHaveLength(3)
      expect(text?.slice(10)).not.toMatch(/[;$[\]{}\\]/)
    }),
  )
})
