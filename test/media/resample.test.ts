import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Resampler } from '../../src/media/resample.ts'
import { toneGenerator, toneLevelDb } from '../../src/media/tone.ts'
import { seeded } from '../support/random.ts'

const rates = [8000, 16000, 24000, 48000]
const pairs = rates.flatMap(from => rates.filter(to => to !== from).map(to => [from, to] as const))
/** The lower rate's passband, in Hz. */
const passbandHz = (from: number, to: number) => 0.41 * Math.min(from, to)

/** What the resampler makes of a tone, without the first 50 ms in which it settles. */
function resampledTone(from: number, to: number, hz: number, levelDb = -3): Int16Array {
  const output = new Resampler(from, to).process(toneGenerator(from, hz, levelDb)(new Int16Array(from / 5)))
  return output.slice(to / 20)
}

function noise(length: number, seed: number): Int16Array {
  const random = seeded(seed)
  return Int16Array.from({ length }, () => (random() - 0.5) * 65_534)
}

describe.each(pairs)('resampling %i to %i Hz', (from, to) => {
  it('keeps a tone and its level within 0.1 dB and makes no image of it', () => {
    for (const share of [0.02, 0.13, 0.3, 0.57, 0.81, 1]) {
      const hz = passbandHz(from, to) * share
      const output = resampledTone(from, to, hz)
      expect(Math.abs(toneLevelDb(output, to, hz) + 3)).toBeLessThan(0.1)
      for (let multiple = from; multiple - hz < to / 2; multiple += from) {
        expect(toneLevelDb(output, to, multiple - hz)).toBeLessThan(-63)
        if (multiple + hz < to / 2) expect(toneLevelDb(output, to, multiple + hz)).toBeLessThan(-63)
      }
    }
  })

  if (to < from) {
    it('suppresses by 60 dB what the lower rate cannot hold', () => {
      for (const share of [1.01, 1.2, 1.6, 1.99]) {
        const output = resampledTone(from, to, (to / 2) * share, 0)
        expect(Math.max(...output.map(Math.abs))).toBeLessThan(32_768 / 1000)
      }
    })
  }

  it('keeps a constant exactly and clips rather than wraps', () => {
    const constant = new Resampler(from, to).process(new Int16Array(from / 10).fill(12_345))
    expect(new Set(constant.subarray(to / 20))).toEqual(new Set([12_345]))
    const square = Int16Array.from({ length: from / 10 }, (_, i) => ((i * 400) % from < from / 2 ? 32_767 : -32_768))
    const output = new Resampler(from, to).process(square)
    expect(Math.max(...output)).toBe(32_767)
    expect(Math.min(...output)).toBe(-32_768)
  })

  it('is late by as much as it says', () => {
    const hz = passbandHz(from, to) / 8
    const resampler = new Resampler(from, to)
    const output = resampler.process(toneGenerator(from, hz, -3)(new Int16Array(from / 5)))
    const amplitude = 32_768 * 10 ** (-3 / 20)
    for (let n = to / 20; n < to / 5; n += 7) {
      const expected = amplitude * Math.sin(2 * Math.PI * hz * (n / to - resampler.delayMs / 1000))
      expect(Math.abs(output[n]! - expected)).toBeLessThan(40)
    }
  })

  it('gives the same samples however the input is cut, as many as the time they stand for', () => {
    const input = noise(from / 10, from + to)
    const whole = new Resampler(from, to).process(input).slice()
    expect(whole.length).toBe(to / 10)
    fc.assert(
      fc.property(fc.array(fc.nat(input.length), { maxLength: 12 }), cuts => {
        const resampler = new Resampler(from, to)
        const borders = [0, ...cuts.sort((a, b) => a - b), input.length]
        const pieces = borders.slice(1).map((end, i) => resampler.process(input.subarray(borders[i], end)).slice())
        expect(Buffer.concat(pieces.map(bytesOf)).equals(bytesOf(whole))).toBe(true)
      }),
      { numRuns: 15 },
    )
  })

  it('gives what it holds when flushed, and then begins anew', () => {
    const resampler = new Resampler(from, to)
    const block = new Int16Array(from / 100).fill(10_000)
    const sum = (samples: Int16Array) => samples.reduce((total, sample) => total + sample, 0)
    const first = resampler.process(block).slice()
    const tail = resampler.flush().slice()
    expect((sum(first) + sum(tail)) / ((10_000 * to) / 100)).toBeCloseTo(1, 3)
    expect(Math.abs(tail.at(-1)!)).toBeLessThan(10)
    expect([...resampler.process(block)]).toEqual([...first])
  })
})

function bytesOf(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
}
