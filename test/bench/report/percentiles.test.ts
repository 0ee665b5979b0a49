import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { percentiles } from '../../../bench/report/percentiles.ts'

describe('percentiles', () => {
  it('are by nearest rank, whatever the order', () => {
    const values = Array.from({ length: 200 }, (_, i) => 200 - i)
    expect(percentiles(values)).toEqual({ count: 200, p50: 100, p95: 190, p99: 198, max: 200 })
  })

  it('of few values are values of theirs', () => {
    expect(percentiles([3])).toEqual({ count: 1, p50: 3, p95: 3, p99: 3, max: 3 })
    expect(percentiles([10, 2])).toEqual({ count: 2, p50: 2, p95: 10, p99: 10, max: 10 })
  })

  it('of nothing are not a number, and never 0', () => {
    expect(percentiles([])).toEqual({ count: 0, p50: NaN, p95: NaN, p99: NaN, max: NaN })
  })

  it('are not exceeded by so many values, and every smaller one is', () => {
    const some = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(some, values => {
        const { p50, p95, p99, max } = percentiles(values)
        for (const [share, value] of [
          [0.5, p50],
          [0.95, p95],
          [0.99, p99],
          [1, max],
        ] as const) {
          expect(values.filter(each => each <= value).length).toBeGreaterThanOrEqual(share * values.length - 1e-9)
          expect(values.filter(each => each < value).length).toBeLessThan(share * values.length)
        }
      }),
    )
  })
})
