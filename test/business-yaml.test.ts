import { describe, expect, it } from 'vitest'
import { NotYaml, readYaml } from '../src/business-yaml.ts'
import { limits } from '../src/limits.ts'

const lines = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => line(n)).join('\n')

describe('what is written as YAML', () => {
  it('is read, aliases too', () => {
    expect(readYaml('name: Desk\nopen: &day [9, 17]\nalso: *day\n')).toEqual({
      name: 'Desk',
      open: [9, 17],
      also: [9, 17],
    })
  })

  it('has each key of a map once, at any depth', () => {
    expect(() => readYaml('a: 1\nb: { c: 1, d: 2, c: 3 }\n')).toThrow(
      new NotYaml('Map keys must be unique: c stands there twice.'),
    )
    expect(readYaml('a: { c: 1 }\nb: { c: 1 }\n')).toEqual({ a: { c: 1 }, b: { c: 1 } })
  })

  // Each of these took most of a minute, and the calls with it: beyond the time of a test.
  it('is read in a time that grows with its length, however many keys it has', () => {
    expect(Object.keys(readYaml(lines(40_000, n => `k${n}: 1`)) as object)).toHaveLength(40_000)
  })

  it('may have some aliases, and not one for each line', () => {
    const text = (count: number) => lines(count, n => `- &a${n} x\n- *a${n}`)
    expect(readYaml(text(limits.yaml.aliases))).toHaveLength(2 * limits.yaml.aliases)
    expect(() => readYaml(text(20_000))).toThrow(/more than 100 aliases/)
  })

  it.each([
    '[',
    '['.repeat(5_000),
    'a: &r [*s]',
    lines(9, n => `a${n}: &a${n} [${`*a${n - 1},`.repeat(9)}]`).replaceAll('*a-1', 'x'),
  ])('is refused in words: %#', text => {
    expect(() => readYaml(text)).toThrow(NotYaml)
  })
})
