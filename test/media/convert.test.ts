import { describe, expect, it } from 'vitest'
import type { AudioFormat, AudioSink, FrameKind } from '../../src/media/audio.ts'
import { converterTo } from '../../src/media/convert.ts'
import { decode, encode } from '../../src/media/g711.ts'
import { toneGenerator, toneLevelDb } from '../../src/media/tone.ts'

class Collector implements AudioSink {
  readonly format: AudioFormat
  readonly frames: { frame: Uint8Array | Int16Array; atMs: number; kind: FrameKind }[] = []

  constructor(format: AudioFormat) {
    this.format = format
  }

  write(frame: Uint8Array | Int16Array, atMs: number, kind: FrameKind): void {
    this.frames.push({ frame: frame.slice(), atMs, kind })
  }

  linear(): Int16Array {
    const all = this.frames.flatMap(({ frame }) => [...frame])
    if (this.format.encoding === 'pcm16') return Int16Array.from(all)
    const samples = new Int16Array(all.length)
    decode(this.format.encoding, Uint8Array.from(all), samples)
    return samples
  }
}

const formats: AudioFormat[] = [
  { encoding: 'ulaw', rate: 8000 },
  { encoding: 'alaw', rate: 8000 },
  { encoding: 'pcm16', rate: 8000 },
  { encoding: 'pcm16', rate: 16_000 },
  { encoding: 'pcm16', rate: 24_000 },
]
const name = (format: AudioFormat) => `${format.encoding}/${format.rate}`
const pairs = formats.flatMap(from =>
  formats.filter(to => to !== from).map(to => [name(from), name(to), from, to] as const),
)

/** Twenty frames of a tone in a format. */
function frames(format: AudioFormat): (Uint8Array | Int16Array)[] {
  const next = toneGenerator(format.rate, 700, -12)
  return Array.from({ length: 20 }, () => {
    const samples = next(new Int16Array(format.rate / 50))
    if (format.encoding === 'pcm16') return samples
    const bytes = new Uint8Array(samples.length)
    encode(format.encoding, samples, bytes)
    return bytes
  })
}

describe('converters', () => {
  it.each(pairs)('from %s to %s keep the sound, its frames, times and kinds', (_from, _to, from, to) => {
    const sink = new Collector(to)
    const converter = converterTo(sink, from)
    expect(converter.format).toEqual(from)
    frames(from).forEach((frame, i) => {
      converter.write(frame, 1000 + i * 20, i === 3 ? 'concealed' : 'heard')
    })

    expect(sink.frames.map(({ frame }) => frame.length)).toEqual(Array(20).fill(to.rate / 50))
    expect(sink.frames.map(({ kind }) => kind)).toEqual(
      Array.from({ length: 20 }, (_, i) => (i === 3 ? 'concealed' : 'heard')),
    )
    expect(sink.frames[0]!.frame).toBeInstanceOf(to.encoding === 'pcm16' ? Int16Array : Uint8Array)

    const samples = sink.linear()
    const settled = samples.subarray(to.rate / 50)
    expect(toneLevelDb(settled, to.rate, 700)).toBeCloseTo(-12, 0)
    // The tone's phase at the media time that is told for a sample is the one it was made with.
    const [first] = sink.frames
    let error = 0
    for (let i = to.rate / 50; i < samples.length; i++) {
      const expected =
        32_768 * 10 ** (-12 / 20) * Math.sin(2 * Math.PI * 700 * ((first!.atMs - 1000) / 1000 + i / to.rate))
      error = Math.max(error, Math.abs(samples[i]! - expected))
    }
    expect(error).toBeLessThan(400)
  })

  it('are not put between equal formats', () => {
    for (const format of formats) {
      const sink = new Collector(format)
      expect(converterTo(sink, { ...format })).toBe(sink)
    }
  })

  it('take frames of any length', () => {
    const sink = new Collector({ encoding: 'pcm16', rate: 8000 })
    const converter = converterTo(sink, { encoding: 'pcm16', rate: 24_000 })
    for (const length of [1, 1, 1, 0, 5, 480]) converter.write(new Int16Array(length), 0, 'heard')
    expect(sink.frames.every(({ frame }) => frame.length > 0)).toBe(true)
    expect(sink.linear().length).toBe(163)
  })
})
