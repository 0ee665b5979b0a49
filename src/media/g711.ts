import alawmulaw from 'alawmulaw'
import type { Law } from './audio.ts'

/** What each of the 256 codes of a law stands for, in 16 bits. */
export const DECODED: Readonly<Record<Law, Int16Array>> = {
  ulaw: decodings(alawmulaw.mulaw.decodeSample),
  alaw: decodings(alawmulaw.alaw.decodeSample),
}

/** The code of every 16-bit sample, found at `sample & 0xffff`. */
export const ENCODED: Readonly<Record<Law, Uint8Array>> = {
  // The innermost interval is half as wide as its neighbours, for its mirror image stands for zero as well.
  ulaw: encodings(DECODED.ulaw, 0xff, 4),
  alaw: encodings(DECODED.alaw, 0xd5, 16),
}

/** Decodes all bytes into `into`, which has room for as many samples. */
export function decode(law: Law, bytes: Uint8Array, into: Int16Array): void {
  const table = DECODED[law]
  for (let i = 0; i < bytes.length; i++) into[i] = table[bytes[i]!]!
}

/** Encodes all samples into `into`, which has room for as many bytes. */
export function encode(law: Law, samples: Int16Array, into: Uint8Array): void {
  const table = ENCODED[law]
  for (let i = 0; i < samples.length; i++) into[i] = table[samples[i]! & 0xffff]!
}

function decodings(decodeSample: (code: number) => number): Int16Array {
  return Int16Array.from({ length: 256 }, (_, code) => decodeSample(code))
}

/**
 * The library's own encoder puts 127 samples a law on the wrong side of a decision value, so only its decoder is used.
 * G.711, tables 1 and 2: a decoded value is the middle of its interval, so each decision value follows from the one
 * before it. A sample that is itself a decision value belongs to the interval above it, as in ITU-T G.191.
 *
 * `zero` is the code of the innermost positive interval, which ends at `firstDecision`. Further out the low seven bits
 * count down from all ones (ulaw) or up, every other bit inverted (alaw): `zero ^ n` is the n-th of either.
 */
function encodings(decoded: Int16Array, zero: number, firstDecision: number): Uint8Array {
  const table = new Uint8Array(0x1_0000)
  let from = 0
  for (let n = 0; n < 128; n++) {
    const code = zero ^ n
    let to = n === 0 ? firstDecision : 2 * decoded[code]! - from
    // The outermost interval takes all that lies beyond it.
    if (n === 127) to = 0x8000
    for (let sample = from; sample < to; sample++) {
      table[sample] = code
      // The mirror image, -1 - sample: its intervals, too, include their lower end.
      table[0xffff - sample] = code ^ 0x80
    }
    from = to
  }
  return table
}
