import { describe, expect, it } from 'vitest'
import { digitPayloads } from '../../src/caller/digits.ts'
import { type ReceivedFrame, Receiver } from '../../src/caller/receiver.ts'
import { limits } from '../../src/limits.ts'
import { FRAME_SAMPLES, type Law } from '../../src/media/audio.ts'
import { ENCODED } from '../../src/media/g711.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const callee = { address: '192.0.2.1', port: 4_000 }

interface Packet {
  sequence?: number
  /** In frames of 20 ms. */
  frame: number
  level?: number
  ssrc?: number
  payloadType?: number
  marker?: boolean
}

class Ear {
  readonly clock = new VirtualClock()
  readonly frames: ReceivedFrame[] = []
  readonly receiver = new Receiver(
    this.clock,
    {
      laws: new Map<number, Law>([
        [0, 'ulaw'],
        [8, 'alaw'],
      ]),
      digits: 101,
    },
    frame => this.frames.push({ ...frame, samples: frame.samples.slice() }),
  )

  hear({ frame, sequence = frame, level = 1_000, ssrc = 7, payloadType = 0, marker = false }: Packet): void {
    const bytes = Buffer.alloc(12 + FRAME_SAMPLES, ENCODED[payloadType === 8 ? 'alaw' : 'ulaw'][level]!)
    bytes[0] = 0x80
    bytes[1] = (marker ? 0x80 : 0) | payloadType
    bytes.writeUInt16BE(sequence & 0xffff, 2)
    bytes.writeUInt32BE((frame * FRAME_SAMPLES) >>> 0, 4)
    bytes.writeUInt32BE(ssrc, 8)
    this.receiver.received(bytes, callee)
  }

  /** One packet every 20 ms, these frames of the sender's time. */
  hearAll(frames: readonly number[]): void {
    for (const frame of frames) {
      this.hear({ frame })
      this.clock.advance(20)
    }
  }

  get figures() {
    return this.receiver.figures()
  }
}

/** Whether there was sound in each 20 ms of the recording. */
function sounds(ear: Ear): string {
  const samples = ear.receiver.recording.heard()
  const frames = Array.from({ length: samples.length / 160 }, (_, n) => samples.subarray(n * 160, n * 160 + 160))
  return frames
    .map(frame => (frame.every(sample => sample > 900) ? '#' : frame.every(s => s === 0) ? '.' : '?'))
    .join('')
}

describe('the recording', () => {
  it('lies on the sender’s clock: what was lost is silence of its length, and listed', () => {
    const ear = new Ear()
    ear.hearAll([100, 101, 103, 104, 107])
    expect(sounds(ear)).toBe('##.##..#')
    expect(ear.receiver.recording.gaps()).toEqual([
      { fromMs: 40, toMs: 60 },
      { fromMs: 100, toMs: 140 },
    ])
    expect(ear.figures).toMatchObject({ packets: 5, lost: 3, reordered: 0, duplicated: 0, jumps: 0 })
  })

  it('puts what comes late where it belongs', () => {
    const ear = new Ear()
    ear.hearAll([0, 1, 3, 2, 4])
    expect(sounds(ear)).toBe('#####')
    expect(ear.frames.map(({ positionMs }) => positionMs)).toEqual([0, 20, 60, 40, 80])
    expect(ear.figures).toMatchObject({ packets: 5, lost: 0, reordered: 1 })
  })

  it('goes on over the wrap of sequence and timestamp', () => {
    const ear = new Ear()
    const lastFrame = 2 ** 32 / FRAME_SAMPLES
    for (let n = -3; n < 3; n++) {
      ear.hear({ frame: lastFrame + n, sequence: 0x1_0000 + n })
      ear.clock.advance(20)
    }
    expect(sounds(ear)).toBe('######')
    expect(ear.figures).toMatchObject({ packets: 6, lost: 0, reordered: 0, jumps: 0 })
    expect(ear.figures.jitterMs).toBeLessThan(0.001)
  })

  it('shows a pause in which the sender’s timestamps ran on, and one in which they stood still', () => {
    const running = new Ear()
    running.hearAll([0, 1])
    running.clock.advance(60)
    running.hearAll([5])
    expect(sounds(running)).toBe('##...#')

    const still = new Ear()
    still.hearAll([0, 1])
    still.clock.advance(5_000)
    still.hearAll([2])
    expect(still.receiver.recording.lengthMs).toBe(5_060)
    expect(still.figures.jumps).toBe(1)
  })

  it('lets another source, or timestamps from nowhere, begin where they arrive', () => {
    const ear = new Ear()
    ear.hearAll([0, 2])
    ear.clock.advance(20)
    ear.hear({ frame: 30, sequence: 900, ssrc: 8 })
    ear.clock.advance(20)
    ear.hear({ frame: 31, sequence: 901, ssrc: 8 })
    ear.clock.advance(20)
    ear.hear({ frame: 90_000, sequence: 902, ssrc: 8 })
    expect(sounds(ear)).toBe('#.####')
    expect(ear.figures).toMatchObject({ packets: 5, lost: 1, jumps: 2 })
    expect(ear.figures.jitterMs).toBeLessThan(100)
  })

  it('drops what lies before its beginning and beyond its bound, and counts it all the same', () => {
    const ear = new Ear()
    ear.hearAll([1, 0])
    expect(ear.frames.map(({ positionMs }) => positionMs)).toEqual([0, undefined])
    ear.clock.advance(limits.caller.recordedMs)
    ear.hear({ frame: 2 + limits.caller.recordedMs / 20 })
    expect(ear.frames).toHaveLength(3)
    expect(ear.receiver.recording.lengthMs).toBe(20)
    expect(ear.figures).toMatchObject({ packets: 3, reordered: 1, lost: limits.caller.recordedMs / 20 })
  })

  it('gives any part of what was heard, as a copy', () => {
    const ear = new Ear()
    ear.hearAll([0, 1, 3])
    const { recording } = ear.receiver
    expect(recording.heard(30, 50)).toHaveLength(160)
    recording.heard().fill(9)
    expect(recording.heard()[0]).not.toBe(9)
    expect(recording.heard(70, 500)).toHaveLength(80)
  })
})

describe('the receiver', () => {
  it('takes both laws at their level', () => {
    const ear = new Ear()
    ear.hear({ frame: 0 })
    ear.hear({ frame: 1, payloadType: 8 })
    expect(ear.frames.map(({ law }) => law)).toEqual(['ulaw', 'alaw'])
    for (const { samples } of ear.frames) expect(Math.abs(samples[0]! - 1_000)).toBeLessThan(40)
  })

  it('drops repeated packets, strangers and what is no voice, and counts each', () => {
    const ear = new Ear()
    ear.receiver.pin(callee)
    ear.hearAll([0, 1, 1, 2, 0])
    ear.hear({ frame: 3, payloadType: 13 })
    ear.receiver.received(Buffer.from('garbage'), callee)
    ear.receiver.received(Buffer.alloc(172, 0x80), { ...callee, port: 4_001 })
    ear.receiver.received(Buffer.alloc(172, 0x80), { ...callee, address: '192.0.2.2' })
    expect(ear.frames).toHaveLength(3)
    expect(ear.figures).toMatchObject({ packets: 3, duplicated: 2, strangers: 2, invalid: 2, lost: 0 })
  })

  it('hears each key once that the callee presses, whatever is lost of it, and no sound in it', () => {
    const ear = new Ear()
    let sequence = 0
    const press = (digit: string, frame: number, lost: readonly number[] = []) => {
      for (const [n, payload] of digitPayloads(digit, 20).entries()) {
        const header = Buffer.alloc(12)
        header.writeUInt16BE(0x8000 | 101)
        header.writeUInt16BE(sequence++, 2)
        header.writeUInt32BE(frame * FRAME_SAMPLES, 4)
        header.writeUInt32BE(7, 8)
        if (!lost.includes(n)) ear.receiver.received(Buffer.concat([header, payload]), callee)
      }
    }
    ear.hear({ frame: 0, sequence: sequence++ })
    press('1', 1)
    press('1', 10, [0, 6])
    ear.hear({ frame: 20, sequence: sequence++ })
    press('#', 21)
    expect(ear.figures).toMatchObject({ digits: '11#', packets: 2, lost: 2, invalid: 0 })
    for (let n = 0; n < limits.caller.digits; n++) press('A', 40 + n)
    expect(ear.figures.digits).toHaveLength(limits.caller.digits)
  })

  it('measures spacing and jitter, and notes markers and the first packet', () => {
    const ear = new Ear()
    ear.clock.advance(500)
    for (const [frame, waitMs] of [20, 24, 16, 20].entries()) {
      ear.hear({ frame, marker: frame % 2 === 0 })
      ear.clock.advance(waitMs)
    }
    const { spacingMs, markersMs, firstAtMs, jitterMs } = ear.figures
    expect([...spacingMs.values]).toEqual([20, 24, 16])
    expect(spacingMs).toMatchObject({ count: 3, p50: 20, p99: 24, max: 24 })
    expect(markersMs).toEqual([0, 40])
    expect(firstAtMs).toBe(500)
    // J += (|D| - J) / 16 with D = 0, 4 and 4.
    expect(jitterMs).toBeCloseTo(0.25 + (4 - 0.25) / 16, 9)
  })
})
