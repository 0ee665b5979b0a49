import { describe, expect, it } from 'vitest'
import { Sender } from '../../src/caller/sender.ts'
import { limits } from '../../src/limits.ts'
import { DECODED, ENCODED } from '../../src/media/g711.ts'
import { parseRtp, RtpPacket } from '../../src/media/rtp.ts'
import { sequenceDistance, timestampDistance } from '../../src/media/sequence.ts'
import { Wheel } from '../../src/media/wheel.ts'
import { seeded } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

interface Sent {
  readonly atMs: number
  readonly packet: RtpPacket
  readonly payload: number[]
}

class Phone {
  readonly clock = new VirtualClock()
  readonly wheel = new Wheel(this.clock)
  readonly sent: Sent[] = []
  readonly sender: Sender

  constructor(ptimeMs = 20) {
    this.sender = new Sender({ clock: this.clock, wheel: this.wheel, random: seeded(5) }, ptimeMs, bytes => {
      const packet = parseRtp(bytes, new RtpPacket())!
      this.sent.push({ atMs: this.clock.now(), packet, payload: [...bytes.subarray(packet.start, packet.end)] })
    })
    // Between two turns of the wheel, so that any 20 ms from now on hold one tick.
    this.clock.advance(1)
    this.sender.start({ law: 'ulaw', payloadType: 0, digitsPayloadType: 101 })
  }

  run(ms: number): Sent[] {
    const before = this.sent.length
    this.clock.advance(ms)
    return this.sent.slice(before)
  }

  /** How far the sequence and the timestamp went from the first packet of these to each. */
  static steps(sent: readonly Sent[]): [number, number][] {
    const first = sent[0]!.packet
    return sent.map(({ packet }) => [
      sequenceDistance(packet.sequence, first.sequence),
      timestampDistance(packet.timestamp, first.timestamp),
    ])
  }
}

const ramp = (samples: number) => Int16Array.from({ length: samples }, (_, i) => (i - 300) * 50)
const asHeard = (samples: Int16Array) => [...samples].map(sample => DECODED.ulaw[ENCODED.ulaw[sample & 0xffff]!]!)
const sound = (sent: readonly Sent[]) => sent.flatMap(({ payload }) => payload.map(code => DECODED.ulaw[code]!))

describe('the sender', () => {
  it('sends silence every 20 ms, the first packet marked, from random beginnings', () => {
    const sent = new Phone().run(100)
    expect(sent).toHaveLength(5)
    expect(sent.map(({ atMs }) => atMs - sent[0]!.atMs)).toEqual([0, 20, 40, 60, 80])
    expect(sent.map(({ packet }) => packet.marker)).toEqual([true, false, false, false, false])
    expect(Phone.steps(sent)).toEqual([0, 1, 2, 3, 4].map(n => [n, n * 160]))
    expect(new Set(sent.flatMap(({ payload }) => payload))).toEqual(new Set([0xff]))
    const { ssrc, sequence, timestamp } = sent[0]!.packet
    expect([ssrc, sequence, timestamp].every(value => value > 0)).toBe(true)
  })

  it('says one thing after the other without a seam, and tells when the last sample has left', async () => {
    const phone = new Phone()
    const told: string[] = []
    void phone.sender.outgoing.say(ramp(250)).then(played => told.push(`first ${played}`))
    void phone.sender.outgoing.say(ramp(100)).then(played => told.push(`second ${played}`))
    const heard: number[] = []
    for (const expected of [[], ['first sent'], ['first sent', 'second sent']]) {
      heard.push(...sound(phone.run(20)))
      await phone.clock.settle()
      expect(told).toEqual(expected)
    }
    expect(heard).toEqual([...asHeard(ramp(250)), ...asHeard(ramp(100)), ...new Array(130).fill(0)])
  })

  it('sends nothing at all while silenced, and then goes on with a marker and the time that has passed', () => {
    const phone = new Phone()
    const before = phone.run(40)
    void phone.sender.outgoing.say(ramp(160))
    phone.sender.silence(true)
    expect(phone.run(200)).toEqual([])
    phone.sender.silence(false)
    const after = phone.run(40)
    expect(after.map(({ packet }) => packet.marker)).toEqual([true, false])
    expect(Phone.steps([before[1]!, after[0]!])[1]).toEqual([1, 11 * 160])
    expect(sound(after.slice(0, 1))).toEqual(asHeard(ramp(160)))
  })

  it('makes longer packets', () => {
    const sent = new Phone(60).run(240)
    expect(sent.map(({ payload }) => payload.length)).toEqual([480, 480, 480, 480])
    expect(Phone.steps(sent)).toEqual([0, 1, 2, 3].map(n => [n, n * 480]))
    expect(sent[1]!.atMs - sent[0]!.atMs).toBe(60)
  })

  it('changes the law with a source of its own', () => {
    const phone = new Phone()
    const [before] = phone.run(20)
    phone.sender.start({ law: 'alaw', payloadType: 8, digitsPayloadType: 101 })
    const [after] = phone.run(20)
    expect(after!.packet).toMatchObject({ payloadType: 8, marker: true })
    expect(after!.packet.ssrc).not.toBe(before!.packet.ssrc)
    expect(after!.payload[0]).toBe(0xd5)
    expect(phone.wheel.memberCount).toBe(1)
  })

  it('tells how late it was, and what a stall swallowed', () => {
    const phone = new Phone()
    const { clock } = phone
    phone.run(100)
    expect(phone.sender.figures().lateMs).toMatchObject({ count: 5, max: 0 })
    // The process does nothing for a second: all its timers are late.
    const now = clock.now.bind(clock)
    const stalledAt = now()
    clock.now = () => Math.max(now(), stalledAt + 1_000)
    const late = phone.run(20)
    clock.now = now
    const { skippedFrames, lateMs } = phone.sender.figures()
    expect(skippedFrames).toBeGreaterThan(0)
    expect(lateMs.max).toBeGreaterThan(0)
    const timestamps = Phone.steps([phone.sent[4]!, late.at(-1)!])[1]!
    expect(timestamps[1]).toBe(160 * (skippedFrames + late.length))
  })

  it('refuses to queue more than the bound', async () => {
    const { outgoing } = new Phone().sender
    void outgoing.say(new Int16Array(limits.media.unplayedMs * 8))
    await expect(outgoing.say(new Int16Array(1))).rejects.toThrow('120000 ms')
  })

  it('cuts everything at its end and leaves the wheel', async () => {
    const phone = new Phone()
    const playing = phone.sender.outgoing.say(ramp(8_000))
    const pressing = phone.sender.outgoing.press('12')
    phone.run(40)
    phone.sender.stop()
    expect(await playing).toBe('cut')
    expect(await pressing).toBe('cut')
    expect(await phone.sender.outgoing.say(ramp(8))).toBe('cut')
    expect(phone.run(100)).toEqual([])
    expect(phone.wheel.memberCount).toBe(0)
  })
})

describe('keypad digits (RFC 4733)', () => {
  it('are events with one timestamp, one marker, a growing duration and three ends, while time runs on', async () => {
    const phone = new Phone()
    const [before] = phone.run(20)
    const pressed = phone.sender.outgoing.press('#')
    const key = phone.run(140)
    const [after] = phone.run(20)
    expect(key.map(({ packet }) => packet.payloadType)).toEqual(new Array(7).fill(101))
    expect(key.map(({ packet }) => packet.marker)).toEqual([true, ...new Array(6).fill(false)])
    expect(Phone.steps(key)).toEqual([0, 1, 2, 3, 4, 5, 6].map(n => [n, 0]))
    const durations = [160, 320, 480, 640, 800, 800, 800]
    expect(key.map(({ payload }) => payload)).toEqual(
      durations.map((duration, at) => [11, (at >= 4 ? 0x80 : 0) | 10, duration >> 8, duration & 0xff]),
    )
    expect(Phone.steps([before!, key[0]!, after!])).toEqual([
      [0, 0],
      [1, 160],
      [8, 8 * 160],
    ])
    expect(after!.packet).toMatchObject({ payloadType: 0, ssrc: before!.packet.ssrc })
    phone.run(80)
    expect(await pressed).toBe('sent')
  })

  it('come one after the other, apart, and in their turn between words', () => {
    const phone = new Phone()
    const { outgoing } = phone.sender
    void outgoing.say(ramp(320))
    void outgoing.press('1D')
    void outgoing.say(ramp(320))
    const kinds = phone.run(600).map(({ packet, payload }) => {
      if (packet.payloadType === 101) return payload[0]
      return payload.every(code => code === 0xff) ? 'silence' : 'speech'
    })
    const of = (count: number, what: string | number) => new Array(count).fill(what)
    expect(kinds).toEqual([
      ...of(2, 'speech'),
      ...of(7, 1),
      ...of(4, 'silence'),
      ...of(7, 15),
      ...of(4, 'silence'),
      ...of(2, 'speech'),
      ...of(4, 'silence'),
    ])
    expect(phone.sender.figures().keyPackets).toBe(14)
  })

  it('fit longer packets', () => {
    const phone = new Phone(60)
    void phone.sender.outgoing.press('5')
    const key = phone.run(240)
    expect(key.map(({ payload }) => [payload[1]! >> 7, (payload[2]! << 8) | payload[3]!])).toEqual([
      [0, 480],
      [1, 800],
      [1, 800],
      [1, 800],
    ])
  })

  it('are refused where they are none, before any is sent', async () => {
    const phone = new Phone()
    await expect(phone.sender.outgoing.press('12x')).rejects.toThrow(TypeError)
    await expect(phone.sender.outgoing.press('1'.repeat(limits.caller.digits + 1))).rejects.toThrow(RangeError)
    expect(phone.run(40).map(({ packet }) => packet.payloadType)).toEqual([0, 0])
  })
})
