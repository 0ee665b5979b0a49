import { describe, expect, it } from 'vitest'
import { Backlog } from '../../src/call/backlog.ts'

const at = (segment: number, byte: number) => ({ segment, byte })

describe('what waits for the store', () => {
  it('is counted over the segments, from the place up to which it has taken them', () => {
    const backlog = new Backlog(1_000, at(2, 40))
    for (const [segment, bytes] of [
      [1, 100],
      [2, 100],
      [3, 50],
    ] as const)
      backlog.wrote(at(segment, bytes), 0)
    expect([1, 2, 3].map(segment => backlog.bytesIn(segment))).toEqual([0, 60, 50])
    expect([backlog.bytes, backlog.share]).toEqual([110, 0.11])
    backlog.dropped(2)
    expect(backlog.bytes).toBe(50)
    backlog.took(at(1, 0))
    expect(backlog.bytes).toBe(150)
  })

  it('has waited since it was written, and since the store last saw the end when it has come so far', () => {
    const backlog = new Backlog(1_000, at(1, 0))
    expect(backlog.waitingMs(5)).toBe(0)
    backlog.wrote(at(1, 10), 10)
    backlog.looked(at(1, 10), 20)
    backlog.wrote(at(1, 30), 30)
    expect(backlog.waitingMs(40)).toBe(30)
    backlog.took(at(1, 5))
    expect(backlog.waitingMs(40)).toBe(30)
    backlog.took(at(1, 10))
    expect(backlog.waitingMs(40)).toBe(20)
    backlog.took(at(1, 30))
    expect([backlog.bytes, backlog.waitingMs(50)]).toEqual([0, 0])
    backlog.wrote(at(2, 10), 60)
    expect(backlog.waitingMs(70)).toBe(10)
  })
})
