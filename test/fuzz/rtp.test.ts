import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseRtp, RtpPacket } from '../../src/media/rtp.ts'

/** The datagram, and every index that was read outside of it. */
function watched(bytes: Uint8Array): { datagram: Uint8Array; outside: string[] } {
  const outside: string[] = []
  const datagram = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && /^-?\d+$/.test(key) && !(key in target)) outside.push(key)
      return Reflect.get(target, key, target)
    },
  })
  return { datagram, outside }
}

function parsesOrRefuses(bytes: Uint8Array): void {
  const { datagram, outside } = watched(bytes)
  const packet = parseRtp(datagram, new RtpPacket())
  expect(outside).toEqual([])
  if (packet === undefined) return
  expect(packet.start).toBeGreaterThanOrEqual(12)
  expect(packet.end).toBeGreaterThanOrEqual(packet.start)
  expect(packet.end).toBeLessThanOrEqual(bytes.length)
  expect(packet.sequence).toBeLessThan(2 ** 16)
  expect(packet.payloadType).toBeLessThan(128)
  for (const word of [packet.timestamp, packet.ssrc]) {
    expect(word).toBeGreaterThanOrEqual(0)
    expect(word).toBeLessThan(2 ** 32)
  }
}

interface Parts {
  readonly payload: Uint8Array
  readonly contributors: number
  readonly extensionWords: number | undefined
  readonly padding: number
}

const parts: fc.Arbitrary<Parts> = fc.record({
  payload: fc.uint8Array({ maxLength: 300 }),
  contributors: fc.integer({ min: 0, max: 15 }),
  extensionWords: fc.option(fc.integer({ min: 0, max: 20 }), { nil: undefined }),
  padding: fc.integer({ min: 0, max: 255 }),
})

function valid({ payload, contributors, extensionWords, padding }: Parts): Uint8Array {
  const first = 0x80 | (padding ? 0x20 : 0) | (extensionWords === undefined ? 0 : 0x10) | contributors
  const extension = extensionWords === undefined ? [] : [1, 2, 0, extensionWords, ...Array(4 * extensionWords).fill(9)]
  const padded = padding ? [...Array(padding - 1).fill(0), padding] : []
  const rest = [...Array(4 * contributors).fill(7), ...extension, ...payload, ...padded]
  return Uint8Array.from([first, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, ...rest])
}

it('finds the payload of every valid packet', () => {
  fc.assert(
    fc.property(parts, each => {
      const packet = parseRtp(valid(each), new RtpPacket())!
      expect(packet.bytes.slice(packet.start, packet.end)).toEqual(each.payload)
    }),
  )
})

it('parses or refuses any bytes, and reads none outside', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), parsesOrRefuses), { numRuns: 500 })
})

it('parses or refuses any mutation of a valid packet, cut anywhere', () => {
  const mutation = fc.tuple(fc.nat({ max: 40 }), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(parts, fc.array(mutation, { maxLength: 4 }), fc.nat(), (each, mutations, cut) => {
      const bytes = valid(each)
      for (const [at, value] of mutations) if (at < bytes.length) bytes[at] = value
      parsesOrRefuses(bytes.subarray(0, cut % (bytes.length + 1)))
      parsesOrRefuses(bytes)
    }),
    { numRuns: 500 },
  )
})
