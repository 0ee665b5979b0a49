import { describe, expect, it } from 'vitest'
import { levelDb, toneShare } from '../../src/caller/tones.ts'
import { word } from '../../src/caller/voice.ts'
import { toneLevelDb } from '../../src/media/tone.ts'
import { seeded } from '../support/random.ts'

const spoken = (change: Partial<Parameters<typeof word>[0]> = {}) =>
  word({ f0: 150, markerHz: 1_500, ms: 600, level: -20, random: seeded(1), ...change })

/** The pitch between 110 and 220 Hz, and how alike the sound is to itself one period later: 1 for a perfect period. */
function periodicity(samples: Int16Array): { hz: number; likeness: number } {
  let best = { hz: 0, likeness: 0 }
  for (let lag = 36; lag < 73; lag++) {
    let product = 0
    let before = 0
    let after = 0
    for (let i = lag; i < samples.length; i++) {
      product += samples[i]! * samples[i - lag]!
      before += samples[i - lag]! ** 2
      after += samples[i]! ** 2
    }
    const likeness = product / Math.sqrt(before * after)
    if (likeness > best.likeness) best = { hz: 8_000 / lag, likeness }
  }
  return best
}

describe('a made-up word', () => {
  it('is as long and as loud as asked', () => {
    for (const ms of [400, 600, 800]) {
      for (const level of [-36, -20, -12]) {
        const samples = spoken({ ms, level })
        expect(samples).toHaveLength(ms * 8)
        expect(levelDb(samples)).toBeCloseTo(level, 0)
      }
    }
  })

  it('carries its marker 10 dB below the voice, and no other tone', () => {
    for (const markerHz of [600, 1_000, 1_500, 2_100]) {
      const samples = spoken({ markerHz, ms: 800 })
      expect(toneLevelDb(samples, 8_000, markerHz) - levelDb(samples)).toBeGreaterThan(-13)
      expect(toneLevelDb(samples, 8_000, markerHz) - levelDb(samples)).toBeLessThan(-8)
    }
    const unmarked = [600, 1_000, 2_100].map(hz => toneLevelDb(spoken({ ms: 800 }), 8_000, hz))
    expect(Math.max(...unmarked)).toBeLessThan(toneLevelDb(spoken({ ms: 800 }), 8_000, 1_500) - 6)
  })

  it('has a voice’s falling pitch, and swells and sinks by syllables', () => {
    const samples = spoken({ f0: 160 })
    const early = periodicity(samples.subarray(800, 1_200))
    const late = periodicity(samples.subarray(3_600, 4_000))
    expect(early.likeness).toBeGreaterThan(0.7)
    expect(late.likeness).toBeGreaterThan(0.7)
    expect(early.hz).toBeGreaterThan(late.hz + 15)
    const levels = Array.from({ length: 30 }, (_, n) => levelDb(samples.subarray(n * 160, n * 160 + 160)))
    const peaks = levels.filter((level, n) => level > (levels[n - 1] ?? -99) && level >= (levels[n + 1] ?? -99))
    expect(peaks.length).toBeGreaterThanOrEqual(3)
    expect(Math.max(...levels) - Math.min(...levels.slice(2, -3))).toBeGreaterThan(4)
  })

  it('is not a tone: no frequency holds most of it', () => {
    const samples = spoken()
    for (let hz = 100; hz < 3_500; hz += 20) expect(toneShare(samples, hz)).toBeLessThan(0.5)
  })

  it('is the same for the same seed and another for another', () => {
    expect(spoken()).toEqual(spoken())
    expect(spoken({ random: seeded(2) })).not.toEqual(spoken())
  })
})
