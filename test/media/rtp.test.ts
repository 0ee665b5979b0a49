import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { parseRtp, RtpPacket, RtpWriter } from '../../src/media/rtp.ts'
import { seeded } from '../support/random.ts'

const header = [0x80, 0x00, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 0xca, 0xfe, 0xba, 0xbe]

function parse(...bytes: number[]): RtpPacket | undefined {
  return parseRtp(Uint8Array.from(bytes), new RtpPacket())
}

function payload(packet: RtpPacket | undefined): number[] | undefined {
  return packet && [...packet.bytes.subarray(packet.start, packet.end)]
}

describe('parseRtp', () => {
  it('reads every field of the header', () => {
    expect(parse(...header, 1, 2, 3)).toMatchObject({
      marker: false,
      payloadType: 0,
      sequence: 0x1234,
      timestamp: 0xdeadbeef,
      ssrc: 0xcafebabe,
      start: 12,
      end: 15,
    })
  })

  it('tells marker and payload type apart', () => {
    expect(parse(0x80, 0x80 | 101, ...header.slice(2))).toMatchObject({ marker: true, payloadType: 101 })
  })

  it('passes over contributing sources, extension and padding', () => {
    const contributors = [1, 1, 1, 1, 2, 2, 2, 2]
    const extension = [0xbe, 0xde, 0, 2, 3, 3, 3, 3, 4, 4, 4, 4]
    const packet = parse(0xb2, ...header.slice(1), ...contributors, ...extension, 5, 6, 7, 0, 0, 3)
    expect(payload(packet)).toEqual([5, 6, 7])
  })

  it('takes a packet that carries nothing', () => {
    expect(payload(parse(...header))).toEqual([])
    expect(payload(parse(0xa0, ...header.slice(1), 0, 2))).toEqual([])
  })

  it.each([
    ['nothing', []],
    ['a header cut short', header.slice(0, 11)],
    ['version 1', [0x40, ...header.slice(1), 1]],
    ['version 3', [0xc0, ...header.slice(1), 1]],
    ['contributing sources cut short', [0x82, ...header.slice(1), 1, 1, 1, 1, 2, 2, 2]],
    ['an extension header cut short', [0x90, ...header.slice(1), 0xbe, 0xde, 0]],
    ['an extension cut short', [0x90, ...header.slice(1), 0xbe, 0xde, 0, 1, 3, 3, 3]],
    ['an extension longer than any packet', [0x90, ...header.slice(1), 0xbe, 0xde, 0xff, 0xff, 1]],
    ['padding of no bytes', [0xa0, ...header.slice(1), 1, 2, 0]],
    ['padding beyond the payload', [0xa0, ...header.slice(1), 1, 2, 4]],
    ['padding announced by the header’s own last byte', [0xa0, ...header.slice(1, 11), 1]],
  ])('refuses %s', (_, bytes) => {
    expect(parse(...bytes)).toBeUndefined()
  })

  it('refuses more than the limit', () => {
    const most = new Uint8Array(limits.media.packetBytes).fill(1)
    most[0] = 0x80
    expect(parseRtp(most, new RtpPacket())).toBeDefined()
    expect(parseRtp(Uint8Array.from([...most, 1]), new RtpPacket())).toBeUndefined()
  })
})

describe('RtpWriter', () => {
  const audio = Uint8Array.from({ length: 160 }, (_, i) => i)
  const into = new Uint8Array(200)

  it('writes what the parser reads', () => {
    const writer = new RtpWriter(8, seeded(1))
    const length = writer.write(into, audio, true)
    const packet = parseRtp(into.subarray(0, length), new RtpPacket())
    expect(packet).toMatchObject({ marker: true, payloadType: 8, ssrc: writer.ssrc })
    expect(payload(packet)).toEqual([...audio])
  })

  it('begins at random and counts on across both wraps', () => {
    const writer = new RtpWriter(0, () => 1 - 2 ** -40)
    const seen = Array.from({ length: 3 }, () => {
      const length = writer.write(into, audio, false)
      const { sequence, timestamp, marker } = parseRtp(into.subarray(0, length), new RtpPacket())!
      return { sequence, timestamp, marker }
    })
    expect(seen).toEqual([
      { sequence: 0xffff, timestamp: 0xffffffff, marker: false },
      { sequence: 0, timestamp: 159, marker: false },
      { sequence: 1, timestamp: 319, marker: false },
    ])
    expect(writer.ssrc).toBe(0xffffffff)
  })

  it('lets the timestamp run through time without packets', () => {
    const writer = new RtpWriter(0, () => 0)
    writer.write(into, audio, false)
    writer.skip(1600)
    const length = writer.write(into, audio, true)
    expect(parseRtp(into.subarray(0, length), new RtpPacket())).toMatchObject({ sequence: 1, timestamp: 1760 })
  })
})
