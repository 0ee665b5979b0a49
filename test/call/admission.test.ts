import { describe, expect, it } from 'vitest'
import { Admission } from '../../src/call/admission.ts'

const none = () => 0
const defaultRange = { start: 10_000, end: 10_100 }

describe('admission', () => {
  it('carries 45 calls in the default range, and never the last tenth of the pairs', () => {
    const admission = new Admission(defaultRange, undefined, none)
    expect(admission.maxCalls).toBe(45)
    const seats = Array.from({ length: 45 }, () => admission.admit())
    expect(seats.every(seat => seat !== undefined)).toBe(true)
    expect(admission.admit()).toBeUndefined()
    expect(admission.figures).toEqual({ calls: 45, maxCalls: 45, pairs: 45, pairsUsed: 45, refused: 1 })
  })

  it('counts pairs, not calls: callers in the fallback take the room of calls', () => {
    let inFallback = 5
    const admission = new Admission(defaultRange, undefined, () => inFallback)
    const seats = Array.from({ length: 45 }, () => admission.admit()).filter(seat => seat !== undefined)
    expect(seats).toHaveLength(40)
    inFallback = 0
    expect(admission.admit()).toBeDefined()
  })

  it('takes a seat back once', () => {
    const admission = new Admission(defaultRange, 1, none)
    const seat = admission.admit()
    expect(admission.admit()).toBeUndefined()
    seat?.release()
    seat?.release()
    expect(admission.figures).toMatchObject({ calls: 0, pairsUsed: 0 })
  })

  it('gives a transfer a pair of its own, also when no call more is taken, and none where there is none', () => {
    const admission = new Admission({ start: 10_000, end: 10_009 }, 1, none)
    admission.admit()
    expect(admission.full).toBe(true)
    const seats = Array.from({ length: 5 }, () => admission.admitTransfer())
    expect(seats.map(seat => seat !== undefined)).toEqual([true, true, true, false, false])
    expect(admission.figures).toMatchObject({ calls: 1, pairs: 4, pairsUsed: 4 })
    seats[0]!.release()
    seats[0]!.release()
    expect(admission.admitTransfer()).toBeDefined()
  })

  it('counts calls that are up already, even beyond the limit', () => {
    const admission = new Admission(defaultRange, 1, none)
    admission.readmit()
    admission.readmit()
    expect(admission.full).toBe(true)
    expect(admission.figures.calls).toBe(2)
  })

  it('starts at the first even port', () => {
    expect(new Admission({ start: 10_001, end: 10_020 }, undefined, none).pairs).toBe(8)
  })
})
