import { describe, expect, it } from 'vitest'
import { decode } from '../../src/media/g711.ts'
import { Ring, ringingToneOf } from '../../src/media/ringing.ts'
import { toneLevelDb } from '../../src/media/tone.ts'

const place = (timeZone: string, language = 'en-US') => ringingToneOf({ timeZone, language })

function heard(law: 'ulaw' | 'alaw', pieces: readonly Uint8Array[]): Int16Array {
  const bytes = Uint8Array.from(pieces.flatMap(piece => [...piece]))
  const samples = new Int16Array(bytes.length)
  decode(law, bytes, samples)
  return samples
}

describe('ringing', () => {
  it('is as it is where the business is, or where its language is spoken', () => {
    expect(place('America/New_York')).toEqual({ hz: [440, 480], cadenceMs: [2_000, 4_000] })
    expect(place('America/Indiana/Indianapolis')).toEqual(place('America/New_York'))
    expect(place('Europe/London').cadenceMs).toEqual([400, 200, 400, 2_000])
    expect(place('Europe/Zurich')).toEqual({ hz: [425], cadenceMs: [1_000, 4_000] })
    expect(place('America/Sao_Paulo')).toEqual(place('Europe/Zurich'))
    expect(place('Australia/Sydney').hz).toEqual([400, 425])
    expect(place('UTC', 'en-US').hz).toEqual([440, 480])
    expect(place('UTC', 'en-GB').hz).toEqual([400, 450])
    expect(place('UTC', 'de').hz).toEqual([425])
  })

  it.each(['ulaw', 'alaw'] as const)('has its tones at their level, in pieces of any length: %s', law => {
    const ring = new Ring(law, place('America/Chicago'))
    const samples = heard(
      law,
      [300, ...Array(17).fill(100)].map(ms => ring.next(ms)),
    )
    expect(samples.length).toBe(2_000 * 8)
    const tone = samples.subarray(800, 8_800)
    // 7219 of 32768, as Asterisk plays each of them.
    for (const hz of [440, 480]) expect(toneLevelDb(tone, 8_000, hz)).toBeCloseTo(-13.1, 0)
    expect(toneLevelDb(tone, 8_000, 600)).toBeLessThan(-40)
  })

  it('begins and ends without a click, wherever it is stopped', () => {
    for (let stopMs = 20; stopMs < 500; stopMs += 7) {
      const ring = new Ring('ulaw', place('America/Chicago'))
      const samples = heard('ulaw', [ring.next(stopMs), ring.end()])
      expect(samples.length).toBe((stopMs + 5) * 8)
      expect(Math.abs(samples[0]!)).toBeLessThan(300)
      expect(Math.abs(samples.at(-1)!)).toBeLessThan(600)
      // No step is larger than the tones themselves make: 2 pi 480 Hz / 8 kHz of the loudest.
      const steps = samples.map((sample, i) => Math.abs(sample - (samples[i - 1] ?? 0)))
      expect(Math.max(...steps)).toBeLessThan(2 * 7_219 * ((2 * Math.PI * 480) / 8_000) + 700)
    }
  })
})
