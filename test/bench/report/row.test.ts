import { describe, expect, it } from 'vitest'
import { type Check, figure, goalText, measuredText, verdictOf } from '../../../bench/report/row.ts'

const check = (value: number, more: Partial<Check> = {}): Check => ({
  name: 'p99',
  value,
  most: 3,
  unit: 'ms',
  ...more,
})
const verdict = (...checks: Check[]) => verdictOf({ checks })

describe('the verdict', () => {
  it('is met up to the goal, and missed beyond', () => {
    expect(verdict(check(3))).toBe('met')
    expect(verdict(check(3.001))).toBe('MISSED')
  })

  it('is missed at the goal where it must stay below', () => {
    expect(verdict(check(2.999, { below: true }))).toBe('met')
    expect(verdict(check(3, { below: true }))).toBe('MISSED')
  })

  it('is missed by one figure of many', () => {
    expect(verdict(check(1), check(2), check(4))).toBe('MISSED')
    expect(verdict(check(1), check(2))).toBe('met')
  })

  it('is missed when nothing was measured', () => {
    expect(verdict(check(Number.NaN))).toBe('MISSED')
    expect(verdict(check(Number.NaN, { below: true }))).toBe('MISSED')
  })

  it('is none without a goal', () => {
    expect(verdict()).toBe('no goal')
  })
})

describe('words', () => {
  it('tell the goal', () => {
    expect(goalText(check(1))).toBe('p99 ≤ 3 ms')
    expect(goalText(check(1, { below: true, name: 'heap', most: 2, unit: 'MB' }))).toBe('heap < 2 MB')
    expect(goalText({ name: 'frames missing', value: 7, most: 0 })).toBe('frames missing: none')
  })

  it('tell what was measured', () => {
    expect(measuredText(check(1.234))).toBe('p99 1.23 ms')
    expect(measuredText({ name: 'frames missing', value: 7, most: 0 })).toBe('frames missing 7')
    expect(measuredText(check(Number.NaN))).toBe('p99 not measured')
  })

  it('give a figure as many digits as tell something', () => {
    expect([0.123_4, 9.996, 12.345, 1_234_567, -0.5, 0, Number.NaN].map(figure)).toEqual([
      '0.12',
      '10.00',
      '12.3',
      '1,234,567',
      '-0.50',
      '0',
      '-',
    ])
  })
})
