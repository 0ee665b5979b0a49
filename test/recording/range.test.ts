import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { partOf } from '../../src/recording/range.ts'

const etag = '"one"'
const ask = (
  range: string | undefined,
  { bytes = 100, ifRange = undefined as string | undefined, most = 1_000 } = {},
) => partOf({ bytes, etag }, { range, ifRange }, most)

describe('the part of a file that is asked for', () => {
  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-49', 0, 49],
    ['bytes=50-', 50, 99],
    ['bytes=99-', 99, 99],
    ['bytes=90-200', 90, 99],
    ['bytes=-1', 99, 99],
    ['bytes=-500', 0, 99],
    ['BYTES=1-2', 1, 2],
    ['bytes= 1-2 ', 1, 2],
  ])('%s is %i to %i of 100 bytes', (range, first, last) => {
    expect(ask(range)).toEqual({ kind: 'part', first, last })
  })

  it.each(['bytes=100-', 'bytes=100-200', 'bytes=-0', 'bytes=99999999999999999999-'])('%s is nothing', range => {
    expect(ask(range)).toEqual({ kind: 'none' })
  })

  it.each([undefined, '', 'bytes=', 'bytes=-', 'bytes=5-4', 'bytes=0-1,3-4', 'bytes=a-b', 'lines=0-1', 'bytes=0x1-2'])(
    '%s is as if nothing were asked for',
    range => {
      expect(ask(range)).toEqual({ kind: 'whole' })
    },
  )

  it('of an empty file is nothing', () => {
    for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=-5'])
      expect(ask(range, { bytes: 0 })).toEqual({ kind: 'none' })
  })

  it('is the whole file when it is another one than the asker has', () => {
    expect(ask('bytes=1-2', { ifRange: etag })).toMatchObject({ kind: 'part' })
    for (const ifRange of ['"two"', 'W/"one"', 'Mon, 05 Jan 2026 09:00:00 GMT'])
      expect(ask('bytes=1-2', { ifRange })).toEqual({ kind: 'whole' })
  })

  it('is told in pieces that are no longer than they may be', () => {
    expect(ask('bytes=10-', { most: 5 })).toEqual({ kind: 'part', first: 10, last: 14 })
  })

  it('lies within the file, whatever is asked', () => {
    const edge = fc.oneof(
      fc.constant(''),
      fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String),
      fc.string({ maxLength: 4 }),
    )
    const bounds = { bytes: fc.nat(), most: fc.integer({ min: 1, max: 1e9 }) }
    fc.assert(
      fc.property(edge, edge, fc.record(bounds), (from, to, { bytes, most }) => {
        const part = ask(`bytes=${from}-${to}`, { bytes, most })
        if (part.kind !== 'part') return
        expect(part.first).toBeGreaterThanOrEqual(0)
        expect(part.last).toBeGreaterThanOrEqual(part.first)
        expect(part.last).toBeLessThan(bytes)
        expect(part.last - part.first).toBeLessThan(most)
      }),
    )
  })
})
