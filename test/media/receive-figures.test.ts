import { describe, expect, it } from 'vitest'
import { ReceiveFigures } from '../../src/media/receive-figures.ts'
import type { LineFigures } from '../../src/plane/line.ts'
import { seeded } from '../support/random.ts'

it('has the shape that a line tells', () => {
  const figures: LineFigures['received'] = new ReceiveFigures().counts
  expect(Object.values(figures).every(each => each === 0)).toBe(true)
})

describe('jitter', () => {
  it('is what RFC 3550 computes', () => {
    const figures = new ReceiveFigures()
    figures.arrived(0, 0)
    figures.arrived(160, 36)
    // Late by 16 ms against the one before: 16 / 16.
    expect(figures.counts.jitterMs).toBe(1)
    figures.arrived(320, 40)
    // Early by 16 ms against the one before: 1 + (16 - 1) / 16.
    expect(figures.counts.jitterMs).toBe(1.9375)
  })

  it('is none across the wrap of the timestamp, when packets come evenly', () => {
    const figures = new ReceiveFigures()
    for (let i = 0; i < 20; i++) figures.arrived((2 ** 32 - 1600 + i * 160) >>> 0, i * 20)
    expect(figures.counts.jitterMs).toBe(0)
  })

  it('takes no new beginning of timestamps for jitter', () => {
    const figures = new ReceiveFigures()
    for (let i = 0; i < 20; i++) figures.arrived(i < 10 ? i * 160 : 0x9000_0000 + i * 160, i * 20)
    expect(figures.counts.jitterMs).toBe(0)
  })
})

describe('drift', () => {
  /** Packets of a far clock that is so much fast: what `delayed` is told of them. */
  function receive(
    figures: ReceiveFigures,
    ppm: number,
    seconds: number,
    jitterMs: (n: number) => number,
    from = 0,
  ): void {
    for (let n = 0; n < seconds * 50; n++) {
      const sentMs = from + (n * 20) / (1 + ppm / 1e6)
      const arrivedMs = sentMs + jitterMs(n)
      figures.delayed(arrivedMs, arrivedMs - (from + n * 20))
    }
  }

  const evenJitter = (seed: number) => {
    const random = seeded(seed)
    return () => random() * 5
  }

  it.each([100, 0, -100])('of %i ppm is found within 15 ppm after a minute of 5 ms jitter', ppm => {
    for (let seed = 0; seed < 20; seed++) {
      const figures = new ReceiveFigures()
      receive(figures, ppm, 60, evenJitter(seed))
      expect(Math.abs(figures.counts.driftPpm - ppm)).toBeLessThan(15)
    }
  })

  it('is found through spells of congestion', () => {
    const figures = new ReceiveFigures()
    const random = seeded(9)
    const congested = (n: number) => (Math.floor(n / 250) % 4 === 1 ? 30 : 0) + random() * 5
    receive(figures, 100, 120, congested)
    expect(Math.abs(figures.counts.driftPpm - 100)).toBeLessThan(15)
  })

  it('is not told before there is enough to judge by', () => {
    const figures = new ReceiveFigures()
    receive(figures, 100, 15, evenJitter(1))
    expect(figures.counts.driftPpm).toBe(0)
  })

  it('follows a clock that changes, within its window of two minutes', () => {
    const figures = new ReceiveFigures()
    receive(figures, 100, 130, evenJitter(1))
    receive(figures, -50, 130, evenJitter(2), 130_000)
    expect(Math.abs(figures.counts.driftPpm + 50)).toBeLessThan(15)
  })

  it('is judged anew when delays begin anew, and stands until then', () => {
    const figures = new ReceiveFigures()
    receive(figures, 100, 60, evenJitter(1))
    const before = figures.counts.driftPpm
    figures.delaysRestarted()
    receive(figures, 20, 15, n => 500 + evenJitter(n)(), 60_000)
    expect(figures.counts.driftPpm).toBe(before)
    receive(figures, 20, 60, n => 500 + evenJitter(n)(), 75_000)
    expect(Math.abs(figures.counts.driftPpm - 20)).toBeLessThan(15)
  })
})
