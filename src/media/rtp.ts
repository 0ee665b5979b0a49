import { limits } from '../limits.ts'
import type { Law } from './audio.ts'

/** Static payload types: RFC 3551, 6; comfort noise: RFC 3389. */
export const PAYLOAD_TYPE: Readonly<Record<Law, number>> = { ulaw: 0, alaw: 8 }
export const COMFORT_NOISE = 13
/** From here on types are agreed on per call; the only such one on these lines is telephone-event (RFC 4733). */
export const FIRST_DYNAMIC = 96

export const RTP_HEADER_BYTES = 12
const EXTENSION_HEADER_BYTES = 4
const VERSION_2 = 0x80
const PADDING = 0x20
const EXTENSION = 0x10
const MARKER = 0x80

/** A parsed packet: a view on the datagram, made to be used again for the next one. */
export class RtpPacket {
  marker = false
  payloadType = 0
  sequence = 0
  timestamp = 0
  ssrc = 0
  /** The datagram; the payload is its bytes from `start` up to `end`. */
  bytes: Uint8Array = new Uint8Array(0)
  start = 0
  end = 0
}

/** The datagram as an RTP packet in `into`, which is lent until its next use; undefined when it is none (RFC 3550, 5.1 and A.1). */
export function parseRtp(datagram: Uint8Array, into: RtpPacket): RtpPacket | undefined {
  const length = datagram.length
  if (length < RTP_HEADER_BYTES || length > limits.media.packetBytes) return undefined
  const first = datagram[0]!
  if ((first & 0xc0) !== VERSION_2) return undefined

  let start = RTP_HEADER_BYTES + 4 * (first & 0x0f)
  if ((first & EXTENSION) !== 0) {
    if (start + EXTENSION_HEADER_BYTES > length) return undefined
    start += EXTENSION_HEADER_BYTES + 4 * read16(datagram, start + 2)
  }
  // The last byte of padding counts all of it, itself included: never 0, and never more than what follows the header.
  const padding = (first & PADDING) === 0 ? 0 : datagram[length - 1]! || length
  const end = length - padding
  if (start > end) return undefined

  const second = datagram[1]!
  into.marker = (second & MARKER) !== 0
  into.payloadType = second & 0x7f
  into.sequence = read16(datagram, 2)
  into.timestamp = read32(datagram, 4)
  into.ssrc = read32(datagram, 8)
  into.bytes = datagram
  into.start = start
  into.end = end
  return into
}

/** One outgoing stream: random source, first sequence number and first timestamp (RFC 3550, 5.1), then in step with the audio. */
export class RtpWriter {
  readonly ssrc: number
  readonly #payloadType: number
  #sequence: number
  #timestamp: number

  constructor(payloadType: number, random: () => number) {
    this.#payloadType = payloadType
    this.ssrc = Math.floor(random() * 2 ** 32)
    this.#sequence = Math.floor(random() * 2 ** 16)
    this.#timestamp = Math.floor(random() * 2 ** 32)
  }

  /** Of the next packet. */
  get timestamp(): number {
    return this.#timestamp
  }

  /** Writes the packet that carries `audio`, a byte a sample, and tells its length; `marker` begins a talk spurt. */
  write(into: Uint8Array, audio: Uint8Array, marker: boolean): number {
    const length = this.writeAs(this.#payloadType, this.#timestamp, into, audio, marker)
    this.skip(audio.length)
    return length
  }

  /** Of another type and at another time, such as an event (RFC 4733): the audio's time does not run on with it. */
  writeAs(payloadType: number, timestamp: number, into: Uint8Array, payload: Uint8Array, marker: boolean): number {
    into[0] = VERSION_2
    into[1] = marker ? MARKER | payloadType : payloadType
    write16(into, 2, this.#sequence)
    write32(into, 4, timestamp)
    write32(into, 8, this.ssrc)
    into.set(payload, RTP_HEADER_BYTES)
    this.#sequence = (this.#sequence + 1) & 0xffff
    return RTP_HEADER_BYTES + payload.length
  }

  /** Time for which no packet is sent: the timestamp runs on, the sequence number does not. */
  skip(samples: number): void {
    this.#timestamp = (this.#timestamp + samples) >>> 0
  }
}

function read16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

function read32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}

function write32(bytes: Uint8Array, at: number, value: number): void {
  write16(bytes, at, value >>> 16)
  write16(bytes, at + 2, value & 0xffff)
}
