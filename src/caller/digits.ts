/** Keypad digits as RTP events (RFC 4733): one packet after the other while the key is down, all with the timestamp of its going down. */

import { limits } from '../limits.ts'
import type { RtpPacket } from '../media/rtp.ts'

const EVENTS = '0123456789*#ABCD'
const KEY_DOWN_MS = 100
const SAMPLES_PER_MS = 8
const PAYLOAD_BYTES = 4
const END_BIT = 0x80
/** -10 dBm0, a telephone's usual level (RFC 4733 section 2.3.4). */
const VOLUME = 10
/** Section 2.5.1.4: the last packet goes out three times, for it tells how long the key was down. */
const END_PACKETS = 3

/** The payloads of one key, in the order of sending, one every `packetMs`; the first gets the marker. */
export function digitPayloads(digit: string, packetMs: number): Uint8Array[] {
  const event = EVENTS.indexOf(digit.toUpperCase())
  if (event === -1 || digit.length !== 1) throw new TypeError('a keypad digit is one of 0-9, *, #, A-D')
  const payloads: Uint8Array[] = []
  for (let ms = packetMs; ms < KEY_DOWN_MS; ms += packetMs) payloads.push(payload(event, 0, ms))
  for (let copy = 0; copy < END_PACKETS; copy++) payloads.push(payload(event, END_BIT, KEY_DOWN_MS))
  return payloads
}

/** Puts keys together from the packets that come of them: however many of one there are, and whichever are lost, it is one key. */
export class HeardDigits {
  #digits = ''
  #lastKey = ''

  get digits(): string {
    return this.#digits
  }

  /** False for what is no keypad digit. */
  hear({ bytes, start, end, ssrc, timestamp }: RtpPacket): boolean {
    const digit = EVENTS[bytes[start] ?? EVENTS.length]
    if (end - start < PAYLOAD_BYTES || digit === undefined) return false
    // Section 2.5.1.2: all packets of one key have its timestamp.
    const key = `${ssrc} ${timestamp}`
    if (key === this.#lastKey) return true
    this.#lastKey = key
    if (this.#digits.length < limits.caller.digits) this.#digits += digit
    return true
  }
}

function payload(event: number, end: number, durationMs: number): Uint8Array {
  const duration = durationMs * SAMPLES_PER_MS
  return Uint8Array.of(event, end | VOLUME, duration >> 8, duration & 0xff)
}
