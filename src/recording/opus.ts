import { createRequire } from 'node:module'

/** One sound's. */
export interface OpusEncoder {
  /** Of one frame: 16-bit samples, interleaved. */
  encode(pcm: Buffer): Uint8Array
  close(): void
}

export type OpusEncoderName = 'compiled' | 'WebAssembly'

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
export function bestEncoder(): OpusEncoderName {
  return compiled() ? 'compiled' : 'WebAssembly'
}

export function openEncoder(name: OpusEncoderName, { rate, channels, bitRate }: OpusForm): OpusEncoder {
  if (name === 'compiled') {
    const { OpusEncoder } = compiled()!
    const encoder = new OpusEncoder(rate, channels)
    encoder.setBitrate(bitRate)
    return { encode: pcm => encoder.encode(pcm), close: () => {} }
  }
  const OpusScript = require('opusscript') as typeof import('opusscript')
  const encoder = new OpusScript(rate, channels, OpusScript.Application.AUDIO)
  encoder.setBitrate(bitRate)
  return {
    encode: pcm => encoder.encode(pcm, pcm.length / BYTES_PER_SAMPLE / channels),
    close: () => encoder.delete(),
  }
}

function compiled(): typeof import('@discordjs/opus') | undefined {
  try {
    return require('@discordjs/opus') as typeof import('@discordjs/opus')
  } catch {
    return undefined
  }
}
