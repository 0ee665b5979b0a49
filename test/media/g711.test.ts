import { describe, expect, it } from 'vitest'
import { SILENCE } from '../../src/media/audio.ts'
import { DECODED, decode, ENCODED, encode } from '../../src/media/g711.ts'

/** ITU-T G.711 by its segments, as G.191 computes it: negative samples are complemented, so ties go up on both sides. */
function referenceUlaw(sample: number): number {
  const magnitude = Math.min(((sample < 0 ? ~sample : sample) >> 2) + 33, 8191)
  const segment = Math.floor(Math.log2(magnitude)) - 5
  const step = (magnitude >> (segment + 1)) & 15
  return ~((sample < 0 ? 0x80 : 0) | (segment << 4) | step) & 0xff
}

function referenceAlaw(sample: number): number {
  const magnitude = (sample < 0 ? ~sample : sample) >> 4
  const segment = magnitude < 32 ? magnitude >> 4 : Math.floor(Math.log2(magnitude)) - 3
  const step = segment === 0 ? magnitude : (magnitude >> (segment - 1)) & 15
  return ((sample < 0 ? 0 : 0x80) | (segment << 4) | step) ^ 0x55
}

function referenceUlawDecoded(code: number): number {
  const inverted = ~code & 0xff
  const segment = (inverted >> 4) & 7
  const magnitude = ((2 * (inverted & 15) + 33) << segment) - 33
  return 4 * (inverted & 0x80 ? -magnitude : magnitude)
}

function referenceAlawDecoded(code: number): number {
  const inverted = code ^ 0x55
  const segment = (inverted >> 4) & 7
  const step = inverted & 15
  const magnitude = segment === 0 ? 2 * step + 1 : (2 * step + 33) << (segment - 1)
  return 8 * (inverted & 0x80 ? magnitude : -magnitude)
}

const references = {
  ulaw: { encoded: referenceUlaw, decoded: referenceUlawDecoded },
  alaw: { encoded: referenceAlaw, decoded: referenceAlawDecoded },
}

const everySample = Int16Array.from({ length: 0x1_0000 }, (_, i) => i - 0x8000)
const everyCode = Uint8Array.from({ length: 256 }, (_, i) => i)

describe.each(['ulaw', 'alaw'] as const)('%s', law => {
  it('encodes all 65,536 samples as the ITU does', () => {
    const encoded = new Uint8Array(everySample.length)
    encode(law, everySample, encoded)
    expect(encoded).toEqual(Uint8Array.from(everySample, references[law].encoded))
  })

  it('decodes all 256 codes as the ITU does', () => {
    const decoded = new Int16Array(256)
    decode(law, everyCode, decoded)
    expect(decoded).toEqual(Int16Array.from(everyCode, references[law].decoded))
  })

  it('gives every code back that was decoded, mu-law’s second zero excepted', () => {
    const again = Array.from(everyCode, code => ENCODED[law][DECODED[law][code]! & 0xffff]!)
    const changed = Array.from(everyCode).filter(code => again[code] !== code)
    expect(changed).toEqual(law === 'ulaw' ? [0x7f] : [])
  })

  it('encodes silence as the byte that stands for it', () => {
    expect(ENCODED[law][0]).toBe(SILENCE[law])
  })
})

// G.711, tables 1a and 2a: code, as transmitted, and decision value (13 and 14 bits, here in 16).
it.each([
  ['alaw', 0xd5, 0],
  ['alaw', 0xc5, 32 * 8],
  ['alaw', 0xf5, 64 * 8],
  ['alaw', 0xaa, 3968 * 8],
  ['alaw', 0x2a, -4096 * 8],
  ['ulaw', 0xff, 0],
  ['ulaw', 0xef, 31 * 4],
  ['ulaw', 0xdf, 95 * 4],
  ['ulaw', 0x80, 7903 * 4],
  ['ulaw', 0x00, -8192 * 4],
] as const)('%s: %i is where the ITU’s table puts it', (law, code, sample) => {
  expect(ENCODED[law][sample & 0xffff]).toBe(code)
})
