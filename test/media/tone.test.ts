import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toneGenerator, toneLevelDb } from '../../src/media/tone.ts'

describe('tones', () => {
  it('are measured at the level they were made with, at any frequency and rate', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(8000, 16000, 24000, 48000),
        fc.double({ min: 0.02, max: 0.48, noNaN: true }),
        fc.double({ min: -50, max: 0, noNaN: true }),
        (rate, share, levelDb) => {
          const samples = toneGenerator(rate, rate * share, levelDb)(new Int16Array(2000))
          expect(toneLevelDb(samples, rate, rate * share)).toBeCloseTo(levelDb, 1)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('are told apart', () => {
    const samples = toneGenerator(8000, 1000, -10)(new Int16Array(1600))
    expect(toneLevelDb(samples, 8000, 1020)).toBeLessThan(-40)
    expect(toneLevelDb(samples, 8000, 1050)).toBeLessThan(-70)
    expect(toneLevelDb(samples, 8000, 440)).toBeLessThan(-70)
  })

  it('go on in phase from buffer to buffer', () => {
    const whole = toneGenerator(8000, 437, -6)(new Int16Array(960))
    const next = toneGenerator(8000, 437, -6)
    const pieces = [160, 1, 0, 319, 480].flatMap(length => [...next(new Int16Array(length))])
    expect(pieces).toEqual([...whole])
  })

  it('stay within full scale', () => {
    const samples = toneGenerator(8000, 500, 6)(new Int16Array(160))
    expect(Math.max(...samples)).toBe(32767)
    expect(Math.min(...samples)).toBe(-32768)
  })

  it('are not found in silence', () => {
    expect(toneLevelDb(new Int16Array(160), 8000, 1000)).toBe(Number.NEGATIVE_INFINITY)
  })
})
