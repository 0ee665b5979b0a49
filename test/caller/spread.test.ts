import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Spread } from '../../src/caller/spread.ts'

it('gives values that really occurred, at their rank', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 700 }), values => {
      const spread = new Spread(1_000)
      for (const value of values) spread.add(value)
      const figures = spread.figures()
      const sorted = values.toSorted((a, b) => a - b)
      expect([...figures.values]).toEqual(values)
      expect(figures).toMatchObject({
        count: values.length,
        p50: sorted[Math.ceil(values.length * 0.5) - 1],
        p95: sorted[Math.ceil(values.length * 0.95) - 1],
        p99: sorted[Math.ceil(values.length * 0.99) - 1],
        max: sorted.at(-1),
      })
    }),
  )
})

it('keeps no more than its bound, but counts all and knows the greatest', () => {
  const spread = new Spread(300)
  for (let value = 0; value < 1_000; value++) spread.add(value)
  expect(spread.figures()).toMatchObject({ count: 1_000, max: 999, p50: 149 })
  expect(spread.figures().values).toHaveLength(300)
})

it('is all zero without values', () => {
  expect(new Spread(10).figures()).toMatchObject({ count: 0, p50: 0, p99: 0, max: 0 })
})
