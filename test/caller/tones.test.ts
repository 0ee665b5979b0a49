import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describe as inWords } from '../../src/caller/listening.ts'
import { levelDb, segments, toneShare, traceDb } from '../../src/caller/tones.ts'
import { DECODED, ENCODED } from '../../src/media/g711.ts'
import { toneGenerator } from '../../src/media/tone.ts'
import { seeded } from '../support/random.ts'

const grid = [300, 440, 550, 700, 850, 1_000, 1_200, 1_500, 2_000]

const tone = (hz: number, ms: number, level = -12) => toneGenerator(8_000, hz, level)(new Int16Array(ms * 8))
const silence = (ms: number) => new Int16Array(ms * 8)
const sequence = (...parts: Int16Array[]) => Int16Array.from(parts.flatMap(part => [...part]))
const onTheLine = (samples: Int16Array) => samples.map(sample => DECODED.ulaw[ENCODED.ulaw[sample & 0xffff]!]!)

/** As "440 at 0-600". */
const summary = (samples: Int16Array) =>
  segments(samples, grid).map(({ sound, hz, fromMs, toMs }) => `${sound === 'tone' ? hz : sound} at ${fromMs}-${toMs}`)

describe('segments', () => {
  it('tells tones and silence from their first millisecond to their last', () => {
    const heard = sequence(tone(440, 600), silence(200), tone(700, 300), tone(1_000, 100))
    expect(summary(heard)).toEqual(['440 at 0-600', 'silence at 600-800', '700 at 800-1100', '1000 at 1100-1200'])
    expect(segments(heard, grid)[0]!.levelDb).toBeCloseTo(-12, 1)
  })

  it('finds every edge within 2 ms, on the line as in the studio', () => {
    const part = fc.record({
      hz: fc.constantFrom(0, ...grid),
      ms: fc.integer({ min: 60, max: 300 }),
      level: fc.integer({ min: -30, max: -3 }),
    })
    const different = fc
      .array(part, { minLength: 1, maxLength: 5 })
      .map(parts => parts.filter(({ hz }, at) => hz !== parts[at - 1]?.hz))
    fc.assert(
      fc.property(different, parts => {
        const heard = parts.map(({ hz, ms, level }) => (hz === 0 ? silence(ms) : tone(hz, ms, level)))
        const found = segments(onTheLine(sequence(...heard)), grid)
        expect(found.map(({ hz }) => hz)).toEqual(parts.map(({ hz }) => hz))
        // Between tones of different levels the edge is drawn nearer to the softer one.
        const between = (at: number) => (parts[at]!.hz !== 0 && parts[at + 1]?.hz ? 8 : 2)
        let endMs = 0
        for (const [at, { ms }] of parts.entries()) {
          endMs += ms
          expect(Math.abs(found[at]!.toMs - endMs)).toBeLessThanOrEqual(between(at))
        }
      }),
      { numRuns: 40 },
    )
  })

  it('does not see a tone for a moment where two of them meet and their waves happen to add up', () => {
    const heard = onTheLine(sequence(tone(440, 251, -17), tone(300, 60, -13)))
    expect(segments(heard, grid).map(({ hz }) => hz)).toEqual([440, 300])
  })

  it('shows a lost frame, a click and a tone that stumbles', () => {
    const lost = sequence(tone(440, 100), silence(20), tone(440, 100))
    expect(summary(lost)).toEqual(['440 at 0-100', 'silence at 100-120', '440 at 120-220'])

    const click = silence(200)
    click[800] = 20_000
    expect(segments(click, grid).map(({ sound }) => sound)).toEqual(['silence', 'other', 'silence'])

    const upsideDown = sequence(
      tone(440, 100),
      tone(440, 100).map(sample => -sample),
    )
    expect(segments(upsideDown, grid).map(({ sound }) => sound)).toEqual(['tone', 'other', 'tone'])
  })

  it('does not take noise, or a tone that is not asked for, for a tone', () => {
    const random = seeded(4)
    const noise = silence(200).map(() => (random() - 0.5) * 8_000)
    expect(summary(noise)).toEqual(['other at 0-200'])
    expect(summary(tone(620, 200))).toEqual(['other at 0-200'])
  })

  it('has nothing to say of nothing', () => {
    expect(segments(silence(0), grid)).toEqual([])
  })
})

describe('a trace', () => {
  it('of another call is found in a single frame, wherever it lies', () => {
    for (const atMs of [0, 90, 200, 310, 450, 555, 780]) {
      const heard = tone(440, 800)
      heard.set(tone(1_000, 20), atMs * 8)
      expect(traceDb(heard, 1_000), `at ${atMs} ms`).toBeGreaterThan(-45)
    }
  })

  it('is not found where there is none, for all the edges of other tones', () => {
    const heard = onTheLine(sequence(tone(440, 333), silence(120), tone(700, 455), silence(60)))
    for (const hz of [1_000, 1_200, 1_500, 2_000]) expect(traceDb(heard, hz)).toBeLessThan(-45)
    expect(traceDb(heard, 440)).toBeGreaterThan(-20)
  })
})

it('measures level and share', () => {
  expect(levelDb(tone(440, 500, -20))).toBeCloseTo(-20, 1)
  expect(levelDb(silence(10))).toBe(Number.NEGATIVE_INFINITY)
  expect(toneShare(tone(500, 20), 500)).toBeCloseTo(1, 2)
  expect(toneShare(tone(500, 20), 800)).toBeLessThan(0.02)
  expect(toneShare(silence(20), 500)).toBe(0)
})

it('is told in words', () => {
  expect(inWords(sequence(tone(500, 200), silence(100), tone(700, 60)))).toBe(
    '0-200 ms about 500 Hz at -12 dB, 200-300 ms silence, 300-360 ms about 700 Hz at -12 dB',
  )
  expect(inWords(tone(440, 200))).toMatch(/^\d-\d+ ms about 450 Hz at -12 dB$/)
  const many = sequence(...Array.from({ length: 10 }, () => sequence(tone(440, 60), silence(60))))
  expect(inWords(many)).toMatch(/silence, and 8 more sounds$/)
  expect(inWords(silence(0))).toBe('nothing at all')
})
