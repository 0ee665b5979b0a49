import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sequenceDistance, timestampDistance, unwrapSequence, unwrapTimestamp } from '../../src/media/sequence.ts'

const kinds = [
  { name: 'sequence numbers', bits: 16, distance: sequenceDistance, unwrap: unwrapSequence },
  { name: 'timestamps', bits: 32, distance: timestampDistance, unwrap: unwrapTimestamp },
]

for (const { name, bits, distance, unwrap } of kinds) {
  const size = 2 ** bits
  const wrapped = (value: number) => ((value % size) + size) % size
  const short = fc.integer({ min: -size / 2, max: size / 2 - 1 })
  // Half of all cases lie at a wrap.
  const near = fc.oneof(
    fc.integer({ min: size, max: 2 ** 45 }),
    fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: -200, max: 200 })).map(([n, off]) => n * size + off),
  )

  it(`${name}: the distance is the step taken, across the wrap too`, () => {
    const holds = (from: number, step: number) => distance(wrapped(from + step), wrapped(from)) === step
    fc.assert(fc.property(near, short, holds))
  })

  it(`${name}: unwrapped, they are the number that was wrapped`, () => {
    const holds = (from: number, step: number) => unwrap(wrapped(from + step), from) === from + step
    fc.assert(fc.property(near, short, holds))
  })

  it(`${name}: the wrap itself`, () => {
    expect(distance(0, size - 1)).toBe(1)
    expect(distance(size - 1, 0)).toBe(-1)
    expect(unwrap(3, size - 2)).toBe(size + 3)
    expect(unwrap(size - 2, size + 3)).toBe(size - 2)
  })
}
