import { createRequire } from 'node:module'

/** One sound's. */
export interface OpusEncoder {
  /** Of one frame: 16-bit samples, interleaved. */
  encode(pcm: Buffer): Uint8Array
  close(): void
}

export type OpusCodec = 'compiled' | 'WebAssembly'

export interface OpusDecoder {
  /** 16-bit samples, interleaved. */
  decode(packet: Uint8Array): Buffer
  close(): void
}

interface OpusForm {
  readonly rate: 8_000
  readonly channels: 1 | 2
  readonly bitRate: number
}

/** What libopus puts before a sound that it encodes for listening, at 48 kHz: 2.5 ms, and 4 ms to look ahead. */
export const LOOKAHEAD = 312

const BYTES_PER_SAMPLE = 2
const require = createRequire(import.meta.url)

/** The compiled one where `npm run opus` has made it: the same library, three times as fast. */
export function bestCodec(): OpusCodec {
  return compiled() ? 'compiled' : 'WebAssembly'
}

export function openEncoder(name: OpusCodec, { rate, channels, bitRate }: OpusForm): OpusEncoder {
  if (name === 'compiled') {
    const { OpusEncoder } = compiled()!
    const encoder = new OpusEncoder(rate, channels)
    encoder.setBitrate(bitRate)
    return { encode: pcm => encoder.encode(pcm), close: () => {} }
  }
  const OpusScript = webAssembly()
  const encoder = new OpusScript(rate, channels, OpusScript.Application.AUDIO)
  encoder.setBitrate(bitRate)
  return {
    encode: pcm => encoder.encode(pcm, pcm.length / BYTES_PER_SAMPLE / channels),
    close: () => encoder.delete(),
  }
}

export function openDecoder(name: OpusCodec, { rate, channels }: Omit<OpusForm, 'bitRate'>): OpusDecoder {
  if (name === 'compiled') {
    const { OpusEncoder } = compiled()!
    const decoder = new OpusEncoder(rate, channels)
    return { decode: packet => decoder.decode(Buffer.from(packet)), close: () => {} }
  }
  const OpusScript = webAssembly()
  const decoder = new OpusScript(rate, channels, OpusScript.Application.AUDIO)
  return { decode: packet => decoder.decode(Buffer.from(packet)), close: () => decoder.delete() }
}

function webAssembly(): typeof import('opusscript') {
  return require('opusscript') as typeof import('opusscript')
}

function compiled(): typeof import('@discordjs/opus') | undefined {
  try {
    return require('@discordjs/opus') as typeof import('@discordjs/opus')
  } catch {
    return undefined
  }
}
