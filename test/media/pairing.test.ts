import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { FRAME_MS, FRAME_SAMPLES, SILENCE } from '../../src/media/audio.ts'
import { Pairing } from '../../src/media/pairing.ts'
import '../support/properties.ts'
import { seeded } from '../support/random.ts'
import { type Arrival, Incoming } from './incoming.ts'

const NUMBER_AT = 120
const LOUD = 0x10
const BEHIND = limits.recording.alignMs / FRAME_MS

interface Scenario {
  readonly frames: number
  /** Of the caller's clock against ours. */
  readonly ppm: number
  /** The shortest way, and up to so much more. */
  readonly wayMs: number
  readonly jitterMs: number
  readonly seed: number
  readonly loud: boolean
  readonly lost?: (packet: number) => boolean
  readonly lateMs?: (packet: number) => number
  readonly ssrc?: (packet: number) => number
  /** Between one of our frames and the next. */
  readonly skipped?: (place: number) => number
}

interface Pair {
  readonly place: number
  readonly sent: number
  /** The packet that stands in it; nothing for what was made up. */
  readonly received: number | undefined
}

function numbered(number: number, loud: boolean): Uint8Array {
  const frame = new Uint8Array(FRAME_SAMPLES).fill(loud ? LOUD : SILENCE.ulaw)
  new DataView(frame.buffer).setUint32(NUMBER_AT, 0x5a00_0000 | number)
  return frame
}

function numberOf(frame: Uint8Array): number | undefined {
  const read = new DataView(frame.buffer, frame.byteOffset).getUint32(NUMBER_AT)
  return read >>> 24 === 0x5a ? read & 0xff_ffff : undefined
}

/** When it would arrive on a way without queues. */
const ideallyMs = ({ ppm, wayMs }: Scenario, packet: number) => wayMs + packet * FRAME_MS * (1 - ppm / 1e6)

function arrivalsOf(scenario: Scenario): Arrival[] {
  const random = seeded(scenario.seed)
  return Array.from({ length: scenario.frames }, (_, packet) => ({
    atMs: ideallyMs(scenario, packet) + scenario.jitterMs * random() ** 2 + (scenario.lateMs?.(packet) ?? 0),
    payloadType: 0,
    sequence: (65_000 + packet) & 0xffff,
    timestamp: (7_000 + packet * FRAME_SAMPLES) >>> 0,
    ssrc: scenario.ssrc?.(packet) ?? 7,
    audio: numbered(packet, scenario.loud),
  })).filter((_, packet) => !scenario.lost?.(packet))
}

/** Both sides in the order of time, as a line has them; our frames leave at 5, 25, 45 ... */
function paired(scenario: Scenario): Pair[] {
  const pairs: Pair[] = []
  const pairing = new Pairing('ulaw', (received, sent, place) =>
    pairs.push({ place, sent: numberOf(sent) ?? -1, received: numberOf(received) }),
  )
  const { frames } = new Incoming().play(arrivalsOf(scenario), scenario.frames * FRAME_MS)
  let next = 0
  for (let place = 0; place < scenario.frames; place++) {
    const skipped = scenario.skipped?.(place) ?? 0
    place += skipped
    const dueMs = 5 + place * FRAME_MS
    for (; next < frames.length && frames[next]!.atMs < dueMs; next++) {
      const { audio, mediaTimeMs, kind, atMs } = frames[next]!
      pairing.received(audio, mediaTimeMs, kind, atMs)
    }
    pairing.tick(numbered(place, true), dueMs, skipped)
  }
  pairing.end()
  return pairs
}

/** In milliseconds: how far each packet stands from what was sent when it would have arrived. */
function offsets(scenario: Scenario, pairs = paired(scenario)): number[] {
  return pairs.flatMap(({ place, received }) =>
    received === undefined ? [] : [5 + place * FRAME_MS - ideallyMs(scenario, received)],
  )
}

const plain: Scenario = { frames: 500, ppm: 0, wayMs: 3, jitterMs: 0, seed: 1, loud: true }

describe('both sides of a call on one clock', () => {
  it('have every place once, in order, and each frame that was sent at its own', () => {
    const pairs = paired({ ...plain, jitterMs: 50, ppm: 90 })
    expect(pairs.map(({ place }) => place)).toEqual(pairs.map((_, index) => index))
    expect(pairs.every(({ place, sent }) => place === sent)).toBe(true)
    expect(pairs).toHaveLength(plain.frames)
  })

  it('are within a frame of each other whatever the clocks and the network, for a minute', () => {
    const clocks = fc.record({
      ppm: fc.integer({ min: -100, max: 100 }),
      wayMs: fc.integer({ min: 0, max: 150 }),
      jitterMs: fc.constantFrom(0, 5, 40),
      seed: fc.nat(),
      loud: fc.boolean(),
    })
    fc.assert(
      fc.property(clocks, clock => {
        const far = offsets({ ...clock, frames: 3_000 }).slice(25)
        expect(Math.max(...far.map(Math.abs))).toBeLessThanOrEqual(FRAME_MS)
        expect(far.length).toBeGreaterThan(2_900)
      }),
      { numRuns: 12 },
    )
  })

  it('lose or repeat no more than drift makes them', () => {
    for (const ppm of [-1_000, 1_000]) {
      for (const loud of [false, true]) {
        const scenario = { ...plain, frames: 3_000, ppm, loud }
        const pairs = paired(scenario)
        expect(Math.max(...offsets(scenario, pairs).map(Math.abs))).toBeLessThanOrEqual(FRAME_MS)
        const numbers = pairs.flatMap(({ received }) => received ?? [])
        const steps = numbers.slice(1).map((number, index) => number - numbers[index]!)
        // 60 ms in a minute.
        expect(steps.filter(step => step !== 1).length).toBeLessThanOrEqual(4)
        expect(steps.every(step => step >= 0 && step <= 2)).toBe(true)
      }
    }
  })

  it('stay together over lost packets, a network that stood still, another sender and frames that we left out', () => {
    const scenarios: Scenario[] = [
      { ...plain, lost: packet => packet % 7 === 3 },
      { ...plain, lost: packet => packet > 100 && packet < 220 },
      { ...plain, lateMs: packet => (packet > 200 && packet <= 210 ? (210 - packet) * FRAME_MS : 0) },
      { ...plain, ssrc: packet => (packet < 250 ? 7 : 8) },
      { ...plain, skipped: place => (place === 200 ? 10 : 0) },
      { ...plain, skipped: place => (place === 200 ? 100 : 0) },
    ]
    for (const scenario of scenarios) {
      const far = offsets(scenario)
      expect(Math.max(...far.map(Math.abs))).toBeLessThanOrEqual(FRAME_MS)
      expect(far.length).toBeGreaterThan(250)
    }
  })

  it('have all that came within the time that is awaited', () => {
    const lateMs = (packet: number) => (packet > 200 && packet <= 203 ? (203 - packet) * FRAME_MS : 0)
    const numbers = paired({ ...plain, lateMs }).flatMap(({ received }) => received ?? [])
    expect(new Set(numbers).size).toBeGreaterThanOrEqual(plain.frames - 1)
  })

  it('follow a way that has become longer for good, without a leap where somebody speaks', () => {
    const scenario = { ...plain, frames: 1_500, lateMs: (packet: number) => (packet > 300 ? 60 : 0) }
    const far = offsets(scenario)
    expect(far.slice(1_200).every(ms => Math.abs(ms - 60) <= FRAME_MS)).toBe(true)
    const steps = far.slice(1).map((ms, index) => Math.abs(ms - far[index]!))
    expect(Math.max(...steps)).toBeLessThanOrEqual(FRAME_MS)
  })

  it('have silence where nothing was received yet, and pairs that wait no longer than they must', () => {
    const places: number[] = []
    const pairing = new Pairing('alaw', (received, _, place) => {
      places.push(place)
      expect(received.every(byte => byte === SILENCE.alaw)).toBe(true)
    })
    for (let place = 0; place < 20; place++) pairing.tick(numbered(place, true), place * FRAME_MS, 0)
    expect(places).toHaveLength(20 - BEHIND)
    pairing.end()
    expect(places).toHaveLength(20)
  })
})
