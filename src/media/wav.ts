import type { Law } from './audio.ts'
import { decode } from './g711.ts'

/** One channel of 16-bit samples. */
export interface Sound {
  readonly rate: number
  readonly samples: Int16Array
}

const RIFF_HEADER_BYTES = 12
const CHUNK_HEADER_BYTES = 8
const FORMAT_BYTES = 16
const HEADER_BYTES = 44
/** Who writes into a pipe cannot know the length, and writes one of the largest. */
const UNKNOWN_BYTES = 0x7f00_0000
const EXTENSIBLE = 0xfffe
/** Where the extensible form of the format chunk says what the plain form says in its first field. */
const SUBFORMAT_AT = 24
const LINEAR = 1
const laws: ReadonlyMap<number, Law> = new Map([
  [6, 'alaw'],
  [7, 'ulaw'],
])
const rates = [8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]

interface Format {
  readonly channels: number
  readonly rate: number
  readonly bytesPerSample: number
  /** Undefined where the samples are linear. */
  readonly law: Law | undefined
}

/** Reads PCM of 16 bits, mu-law and A-law; of two channels it gives the middle. Anything else is told in words. */
export function readWav(bytes: Uint8Array): Sound {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.toString('latin1', 0, 4) !== 'RIFF' || view.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('is no WAV file')
  }
  let format: Format | undefined
  for (const { name, body } of chunksOf(view)) {
    if (name === 'fmt ') format = readFormat(body)
    if (name !== 'data') continue
    if (!format) throw new Error('is a WAV file that tells its format too late')
    const samples = mixed(decoded(body, format), format.channels)
    if (samples.length === 0) break
    return { rate: format.rate, samples }
  }
  throw new Error('is a WAV file without a sound in it')
}

/** Of a file that ends before its header says: how much of it is there. Nothing for one that is whole, or that never knew its length. */
export function lacksOf(bytes: Uint8Array): { readonly hasMs: number; readonly saysMs: number } | undefined {
  const chunks = [...chunksOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))]
  const [header, data] = ['fmt ', 'data'].map(wanted => chunks.find(({ name }) => name === wanted))
  if (!header || !data || data.body.length >= data.saysBytes || data.saysBytes >= UNKNOWN_BYTES) return undefined
  const { channels, rate, bytesPerSample } = readFormat(header.body)
  const msOf = (length: number) => Math.round((1_000 * length) / (rate * channels * bytesPerSample))
  return { hasMs: msOf(data.body.length), saysMs: msOf(data.saysBytes) }
}

/** A chunk that ends before it should, as a recorder that was killed leaves it, is as long as what is there. */
function* chunksOf(view: Buffer): Generator<{ name: string; body: Buffer; saysBytes: number }> {
  for (let at = RIFF_HEADER_BYTES; at + CHUNK_HEADER_BYTES <= view.length; ) {
    const name = view.toString('latin1', at, at + 4)
    const length = view.readUInt32LE(at + 4)
    const from = at + CHUNK_HEADER_BYTES
    yield { name, body: view.subarray(from, Math.min(view.length, from + length)), saysBytes: length }
    at = from + length + (length % 2)
  }
}

function readFormat(body: Buffer): Format {
  if (body.length < FORMAT_BYTES) throw new Error('is a WAV file with a broken header')
  const tag = body.readUInt16LE(0)
  const isExtensible = tag === EXTENSIBLE && body.length >= SUBFORMAT_AT + 2
  const coding = isExtensible ? body.readUInt16LE(SUBFORMAT_AT) : tag
  const channels = body.readUInt16LE(2)
  const rate = body.readUInt32LE(4)
  const bits = body.readUInt16LE(14)
  const law = laws.get(coding)
  if (law === undefined && (coding !== LINEAR || bits !== 16)) {
    const what = coding === LINEAR ? `PCM of ${bits} bits` : `coding ${coding}`
    throw new Error(`holds ${what}; what can be played is PCM of 16 bits, mu-law and A-law`)
  }
  if (channels !== 1 && channels !== 2) throw new Error(`has ${channels} channels; it may have one or two`)
  if (!rates.includes(rate)) throw new Error(`has ${rate} samples a second; it may have one of ${rates.join(', ')}`)
  return { channels, rate, bytesPerSample: law === undefined ? 2 : 1, law }
}

function decoded(body: Buffer, { channels, bytesPerSample, law }: Format): Int16Array {
  const count = Math.floor(body.length / bytesPerSample / channels) * channels
  const samples = new Int16Array(count)
  if (law !== undefined) decode(law, body.subarray(0, count), samples)
  else for (let i = 0; i < count; i++) samples[i] = body.readInt16LE(2 * i)
  return samples
}

function mixed(samples: Int16Array, channels: number): Int16Array {
  if (channels === 1) return samples
  return Int16Array.from({ length: samples.length / 2 }, (_, i) => (samples[2 * i]! + samples[2 * i + 1]!) >> 1)
}

/** A file of two channels, as long as the longer of them. */
export function writeStereoWav(left: Int16Array, right: Int16Array, rate: number): Uint8Array {
  return writeWav([left, right], rate)
}

/** A channel for each of them, as long as the longest. */
export function writeWav(channels: readonly Int16Array[], rate: number): Uint8Array {
  const frames = Math.max(...channels.map(({ length }) => length))
  const frameBytes = 2 * channels.length
  const file = Buffer.alloc(HEADER_BYTES + frameBytes * frames)
  file.write('RIFF', 0, 'latin1')
  file.writeUInt32LE(file.length - CHUNK_HEADER_BYTES, 4)
  file.write('WAVEfmt ', 8, 'latin1')
  file.writeUInt32LE(FORMAT_BYTES, 16)
  file.writeUInt16LE(LINEAR, 20)
  file.writeUInt16LE(channels.length, 22)
  file.writeUInt32LE(rate, 24)
  file.writeUInt32LE(frameBytes * rate, 28)
  file.writeUInt16LE(frameBytes, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36, 'latin1')
  file.writeUInt32LE(frameBytes * frames, 40)
  for (let i = 0; i < frames; i++) {
    for (const [place, samples] of channels.entries())
      file.writeInt16LE(samples[i] ?? 0, HEADER_BYTES + frameBytes * i + 2 * place)
  }
  return file
}
