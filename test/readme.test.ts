import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { blockIn, realCall, withBlock } from '../scripts/marked-block.ts'

const page = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8')

describe('the real call in README.md', () => {
  const lines = blockIn(page, realCall).split('\n')

  it('is a whole console block that begins with its command', () => {
    expect(lines[0]).toBe('```console')
    expect(lines[1]).toMatch(/^\$ npm run call -- "[^"]+"/)
    expect(lines.at(-1)).toBe('```')
    expect(lines.filter(line => line.startsWith('```'))).toHaveLength(2)
  })

  it('is a transcript in which both speak, then the figures, and nothing else', () => {
    const printed = lines.slice(2, -1)
    const gap = printed.indexOf('')
    for (const line of printed.slice(0, gap))
      expect(line).toMatch(/^([ \d]{2}\d\.\d\d| {6}) {2}(you {3}|agent | {6}) {2}\S/)
    expect(printed[0]).toMatch(/^ {2}0\.00 {10}calling sip:bianca@127\.0\.0\.1:\d+;transport=tcp$/)
    expect(printed.some(line => /\d {2}you {5}"/.test(line))).toBe(true)
    expect(printed.some(line => /\d {2}agent {3}"/.test(line))).toBe(true)
    const names = printed.slice(gap + 1).map(line => line.slice(0, 18).trim())
    const turns = names.filter(name => /^\d+$/.test(name))
    expect(turns.length).toBeGreaterThan(0)
    expect(names.filter(name => !/^\d+$/.test(name))).toEqual([
      'time to answer',
      'to first sound',
      'turns',
      'jitter',
      'loss',
      'the gateway heard',
      'recording',
    ])
  })

  it('names no folder of a machine', () => {
    expect(lines.filter(line => /(^|[\s"])\/\w/.test(line))).toEqual([])
  })
})

describe('a marked block', () => {
  const markers = { begin: '<!-- b -->', end: '<!-- e -->' }
  const empty = 'one\n<!-- b -->\n<!-- e -->\ntwo\n'

  it('is written where there was none, and over what was there', () => {
    const once = withBlock(empty, markers, "$& and $' stay")
    expect(once).toBe("one\n<!-- b -->\n$& and $' stay\n<!-- e -->\ntwo\n")
    expect(withBlock(once, markers, 'x\ny')).toBe('one\n<!-- b -->\nx\ny\n<!-- e -->\ntwo\n')
    expect(blockIn(withBlock(once, markers, 'x\ny'), markers)).toBe('x\ny')
  })

  it.each([
    ['no beginning', '<!-- e -->\n'],
    ['no end', '<!-- b -->\n'],
    ['two beginnings', `<!-- b -->\n${empty}`],
    ['the wrong order', '<!-- e -->\n<!-- b -->\n'],
    ['a marker within a line', 'x <!-- b -->\n<!-- e -->\n'],
  ])('is not found with %s', (_, wrong) => {
    expect(() => withBlock(wrong, markers, 'x')).toThrow(/must stand in the page once|stands before/)
  })
})
