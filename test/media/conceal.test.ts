import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FRAME_SAMPLES, type Law, SILENCE } from '../../src/media/audio.ts'
import { Concealer } from '../../src/media/conceal.ts'
import { decode, encode } from '../../src/media/g711.ts'
import { seeded } from '../support/random.ts'

type Sound = (n: number) => number
const tone =
  (hertz: number, level = 8000): Sound =>
  n =>
    level * Math.sin((2 * Math.PI * hertz * n) / 8000)
/** A buzz as voices have it: eight harmonics. */
const voice =
  (hertz: number): Sound =>
  n =>
    [1, 2, 3, 4, 5, 6, 7, 8].reduce((sum, k) => sum + tone(hertz * k, 4000 / k)(n), 0)

/** Frames of a sound: h heard, L lost. Gives all that is played, as samples. */
function play(law: Law, sound: Sound, pattern: string): Int16Array {
  const concealer = new Concealer(law)
  const played = new Int16Array(pattern.length * FRAME_SAMPLES)
  const frame = new Uint8Array(FRAME_SAMPLES)
  ;[...pattern].forEach((each, i) => {
    if (each === 'h') {
      const samples = Int16Array.from({ length: FRAME_SAMPLES }, (_, n) => Math.round(sound(i * FRAME_SAMPLES + n)))
      encode(law, samples, frame)
      concealer.rejoin(frame, 0, FRAME_SAMPLES)
    } else concealer.conceal(frame, 0, FRAME_SAMPLES)
    concealer.sent(frame)
    decode(law, frame, played.subarray(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES))
  })
  return played
}

function largestStep(samples: Int16Array): number {
  return samples.reduce((most, sample, n) => (n === 0 ? 0 : Math.max(most, Math.abs(sample - samples[n - 1]!))), 0)
}

function peak(samples: Int16Array): number {
  return samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
}

function likeness(a: Int16Array, b: Int16Array): number {
  const product = (x: Int16Array, y: Int16Array) => x.reduce((sum, sample, n) => sum + sample * y[n]!, 0)
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b))
}

const HEARD = 'hhhhh'
const hole = (from: number, frames: number) => [from * FRAME_SAMPLES, (from + frames) * FRAME_SAMPLES] as const

describe.each(['ulaw', 'alaw'] as const)('%s', law => {
  it.each([90, 200, 400, 440, 1000, 1234])('a tone of %i Hz has no click at either end of a hole', hertz => {
    const whole = play(law, tone(hertz), `${HEARD}hh${HEARD}`)
    for (const pattern of [`${HEARD}Lh${HEARD}`, `${HEARD}LL${HEARD}`])
      expect(largestStep(play(law, tone(hertz), pattern))).toBeLessThan(1.5 * largestStep(whole))
  })

  it.each([15, 30])('a sound of %i Hz, too slow to be repeated, has no click at either end either', hertz => {
    // The step from one value of the law to the next is 512 at this level.
    expect(largestStep(play(law, tone(hertz), `${HEARD}L${HEARD}`))).toBeLessThan(800)
  })

  it.each([67, 70, 80, 100, 125, 160, 200, 333])('a voice of %i Hz goes on at its pitch', hertz => {
    const whole = play(law, voice(hertz), `${HEARD}h${HEARD}`)
    const concealed = play(law, voice(hertz), `${HEARD}L${HEARD}`)
    expect(likeness(concealed.subarray(...hole(5, 1)), whole.subarray(...hole(5, 1)))).toBeGreaterThan(0.95)
  })

  it('fades from 10 ms on and is silent after 60 ms', () => {
    const played = play(law, tone(200), `${HEARD}LLLLLL`)
    const level = (fromMs: number, toMs: number) => peak(played.subarray(800 + fromMs * 8, 800 + toMs * 8))
    expect(level(0, 10)).toBeGreaterThan(7700)
    for (const [ms, most] of [
      [10, 8000],
      [20, 6500],
      [30, 4900],
      [40, 3300],
      [50, 1700],
    ] as const) {
      expect(level(ms, ms + 10)).toBeLessThan(most)
      expect(level(ms, ms + 10)).toBeGreaterThan(0.8 * (most - 1600))
    }
    const silence = new Uint8Array([SILENCE[law]])
    const zero = new Int16Array(1)
    decode(law, silence, zero)
    expect(new Set(played.subarray(...hole(8, 3)))).toEqual(new Set(zero))
  })

  it('never grows louder than what was heard, however much is lost of whatever sound', () => {
    const sounds = fc.record({
      seed: fc.nat(),
      level: fc.integer({ min: 1, max: 32_767 }),
      hertz: fc.double({ min: 20, max: 4000, noNaN: true }),
      noise: fc.double({ min: 0, max: 1, noNaN: true }),
    })
    const pattern = fc.array(fc.constantFrom('h', 'L'), { minLength: 4, maxLength: 20 })
    fc.assert(
      fc.property(sounds, pattern, ({ seed, level, hertz, noise }, frames) => {
        const random = seeded(seed)
        const mixed: Sound = n => level * (noise * (2 * random() - 1) + (1 - noise) * tone(hertz, 1)(n))
        const played = play(law, mixed, `h${frames.join('')}`)
        const heard = frames.flatMap((each, i) => (each === 'h' ? [...played.subarray(...hole(i + 1, 1))] : []))
        const loudest = peak(Int16Array.from([...played.subarray(0, FRAME_SAMPLES), ...heard]))
        expect(peak(played)).toBeLessThanOrEqual(loudest)
      }),
      { numRuns: 60 },
    )
  })

  it('makes silence of silence', () => {
    expect(peak(play(law, () => 0, 'LhhhLLhL'))).toBeLessThanOrEqual(8)
  })
})

it('goes on from part of a frame to the next', () => {
  const pieces = new Concealer('ulaw')
  const whole = new Concealer('ulaw')
  const random = seeded(1)
  const heard = Uint8Array.from({ length: FRAME_SAMPLES }, () => Math.floor(random() * 256))
  for (const concealer of [pieces, whole]) for (let i = 0; i < 3; i++) concealer.sent(heard)
  const one = new Uint8Array(FRAME_SAMPLES)
  const other = new Uint8Array(FRAME_SAMPLES)
  whole.conceal(one, 0, FRAME_SAMPLES)
  for (const [from, to] of [
    [0, 1],
    [1, 80],
    [80, 160],
  ] as const)
    pieces.conceal(other, from, to)
  expect(other).toEqual(one)
})

it('takes what was heard of the frame at hand into account', () => {
  const concealer = new Concealer('ulaw')
  const frame = new Uint8Array(FRAME_SAMPLES)
  encode(
    'ulaw',
    Int16Array.from({ length: FRAME_SAMPLES }, (_, n) => tone(400)(n)),
    frame,
  )
  concealer.conceal(frame, 120, FRAME_SAMPLES)
  const played = new Int16Array(FRAME_SAMPLES)
  decode('ulaw', frame, played)
  expect(largestStep(played)).toBeLessThan(3000)
  expect(peak(played.subarray(120))).toBeGreaterThan(7000)
})

it('blends nothing after silence that was meant', () => {
  const concealer = new Concealer('ulaw')
  const frame = new Uint8Array(FRAME_SAMPLES)
  concealer.conceal(frame, 0, 80)
  concealer.rest()
  frame.fill(0x12, 80)
  concealer.rejoin(frame, 80, FRAME_SAMPLES)
  expect(new Set(frame.subarray(80))).toEqual(new Set([0x12]))
})
