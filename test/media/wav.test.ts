import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { atLineRate } from '../../src/commands/call/sounds.ts'
import { encode } from '../../src/media/g711.ts'
import { toneGenerator, toneLevelDb } from '../../src/media/tone.ts'
import { readWav, writeStereoWav } from '../../src/media/wav.ts'

interface Form {
  readonly coding?: number
  readonly channels?: number
  readonly rate?: number
  readonly bits?: number
  /** Before the data: an odd one, too, is passed over. */
  readonly before?: Buffer
  readonly extensible?: boolean
  readonly dataBytes?: number
}

function chunk(name: string, body: Uint8Array, length = body.length): Buffer {
  const head = Buffer.alloc(8)
  head.write(name, 0, 'latin1')
  head.writeUInt32LE(length, 4)
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)])
}

function wav(data: Uint8Array, form: Form = {}): Buffer {
  const { coding = 1, channels = 1, rate = 8_000, bits = 16, before, extensible = false, dataBytes } = form
  const format = Buffer.alloc(extensible ? 40 : 16)
  format.writeUInt16LE(extensible ? 0xfffe : coding, 0)
  format.writeUInt16LE(channels, 2)
  format.writeUInt32LE(rate, 4)
  format.writeUInt32LE((rate * channels * bits) / 8, 8)
  format.writeUInt16LE((channels * bits) / 8, 12)
  format.writeUInt16LE(bits, 14)
  if (extensible) format.writeUInt16LE(coding, 24)
  const body = [Buffer.from('WAVE'), chunk('fmt ', format), before ?? Buffer.alloc(0), chunk('data', data, dataBytes)]
  return chunk('RIFF', Buffer.concat(body))
}

const bytesOf = (samples: Int16Array) => new Uint8Array(samples.buffer, samples.byteOffset, 2 * samples.length)
const ramp = Int16Array.from({ length: 400 }, (_, i) => (i - 200) * 150)

describe('reading', () => {
  it.each([8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])('takes %i samples a second', rate => {
    expect(readWav(wav(bytesOf(ramp), { rate }))).toEqual({ rate, samples: ramp })
  })

  it('takes mu-law and A-law', () => {
    for (const [coding, law] of [
      [7, 'ulaw'],
      [6, 'alaw'],
    ] as const) {
      const bytes = new Uint8Array(ramp.length)
      encode(law, ramp, bytes)
      const { samples } = readWav(wav(bytes, { coding, bits: 8 }))
      expect(samples).toHaveLength(ramp.length)
      expect(Math.max(...samples.map((sample, i) => Math.abs(sample - ramp[i]!)))).toBeLessThan(700)
    }
  })

  it('takes the middle of two channels', () => {
    const both = Int16Array.from({ length: 2 * ramp.length }, (_, i) => (i % 2 === 0 ? ramp[i >> 1]! : 100))
    expect(readWav(wav(bytesOf(both), { channels: 2 })).samples).toEqual(ramp.map(sample => (sample + 100) >> 1))
  })

  it('passes over what it does not know, and takes the extensible form', () => {
    const before = chunk('LIST', Buffer.from('odd'))
    expect(readWav(wav(bytesOf(ramp), { before, extensible: true })).samples).toEqual(ramp)
  })

  it.each([0xffff_ffff, 900])('takes what is there when the header says %i bytes', dataBytes => {
    expect(readWav(wav(bytesOf(ramp), { dataBytes })).samples).toEqual(ramp)
  })

  it.each<[string, Uint8Array, RegExp]>([
    ['what is no WAV', Buffer.from('ID3 something'), /^is no WAV file$/],
    ['nothing', new Uint8Array(0), /^is no WAV file$/],
    ['silence of no length', wav(new Uint8Array(0)), /without a sound/],
    ['half a sample', wav(new Uint8Array(1)), /without a sound/],
    ['a file without data', wav(bytesOf(ramp)).subarray(0, 36), /without a sound/],
    [
      'a header cut short',
      Buffer.concat([wav(bytesOf(ramp)).subarray(0, 12), chunk('fmt ', Buffer.alloc(4))]),
      /broken header/,
    ],
    [
      'data before its format',
      Buffer.concat([wav(bytesOf(ramp)).subarray(0, 12), chunk('data', bytesOf(ramp))]),
      /too late/,
    ],
    ['8 bits', wav(bytesOf(ramp), { bits: 8 }), /^holds PCM of 8 bits; what can be played is PCM of 16 bits, mu-law/],
    ['24 bits', wav(bytesOf(ramp), { bits: 24 }), /PCM of 24 bits/],
    ['floating point', wav(bytesOf(ramp), { coding: 3, bits: 32 }), /holds coding 3/],
    ['three channels', wav(bytesOf(ramp), { channels: 3 }), /^has 3 channels; it may have one or two$/],
    ['12 kHz', wav(bytesOf(ramp), { rate: 12_000 }), /^has 12000 samples a second; it may have one of 8000, /],
  ])('refuses %s in words', (_, bytes, words) => {
    expect(() => readWav(bytes)).toThrow(words)
  })

  it('never fails otherwise, whatever the bytes', () => {
    const start = wav(bytesOf(ramp)).subarray(0, 44)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(43), (noise, at) => {
        const bytes = Buffer.concat([start.subarray(0, at), noise])
        try {
          expect(readWav(bytes).samples.length).toBeGreaterThan(0)
        } catch (error) {
          expect((error as Error).message).toMatch(/^(is|has|holds) /)
        }
      }),
      { numRuns: 300, seed: 3 },
    )
  })
})

describe('writing', () => {
  it('is read again: each side on its channel, the shorter one followed by silence', () => {
    const file = Buffer.from(writeStereoWav(ramp, ramp.subarray(0, 100), 8_000))
    expect(file.length).toBe(44 + 4 * ramp.length)
    expect(file.readUInt32LE(4)).toBe(file.length - 8)
    expect(file.readUInt32LE(40)).toBe(4 * ramp.length)
    expect([file.readUInt16LE(22), file.readUInt32LE(24), file.readUInt32LE(28)]).toEqual([2, 8_000, 32_000])
    expect(file.readInt16LE(44 + 4 * 50)).toBe(ramp[50])
    expect(file.readInt16LE(46 + 4 * 50)).toBe(ramp[50])
    expect(file.readInt16LE(46 + 4 * 150)).toBe(0)
    const middle = Int16Array.from(ramp, (sample, i) => (i < 100 ? sample : sample >> 1))
    expect(readWav(file)).toEqual({ rate: 8_000, samples: middle })
  })
})

describe("brought to the line's rate", () => {
  it.each([11_025, 16_000, 22_050, 44_100, 48_000])(
    'a tone of %i samples a second stays itself, from its start',
    rate => {
      const silent = rate / 10
      const samples = new Int16Array(rate / 2)
      toneGenerator(rate, 1_000, -12)(samples.subarray(silent))
      const line = atLineRate({ rate, samples })
      expect(line).toHaveLength(4_000)
      expect(toneLevelDb(line.subarray(1_000), 8_000, 1_000)).toBeCloseTo(-12, 0)
      expect(line.findIndex(sample => Math.abs(sample) > 1_000) / 8).toBeCloseTo(100, -0.5)
    },
  )

  it('is left alone where it has it already', () => {
    expect(atLineRate({ rate: 8_000, samples: ramp })).toBe(ramp)
  })
})
