import { open, readFile } from 'node:fs/promises'
import { asError } from '../errors.ts'
import type { Law } from '../media/audio.ts'
import { DECODED } from '../media/g711.ts'
import { readWav } from '../media/wav.ts'
import { type AuFile, readAu } from './au.ts'
import { bestCodec } from './opus.ts'
import { openOpus } from './opus-source.ts'
import { unreadable } from './unreadable.ts'

/** A sound on the disk, 8 kHz, read from its beginning to where it ended when it was opened. */
export interface SoundSource {
  readonly channels: 1 | 2
  /** Interleaved, in 16 bits; lent until the next. */
  readonly pieces: AsyncIterable<Int16Array>
}

const RATE = 8_000
const PIECE_BYTES = 64 * 1024

export async function openSource(path: string): Promise<SoundSource> {
  if (path.endsWith('.wav')) return ofWav(path)
  if (path.endsWith('.opus')) return openOpus(path, bestCodec())
  const header = await readAu(path)
  if (!header) throw unreadable(path, 'is no file that was written here')
  return { channels: header.channels, pieces: piecesOf(path, header) }
}

async function* piecesOf(path: string, { dataAt, law, bytes }: AuFile & { bytes: number }): AsyncIterable<Int16Array> {
  const file = await open(path, 'r')
  const piece = Buffer.alloc(PIECE_BYTES)
  const samples = new Int16Array(PIECE_BYTES)
  try {
    for (let at = dataAt; at < bytes; ) {
      const { bytesRead } = await file.read(piece, 0, Math.min(PIECE_BYTES, bytes - at), at)
      if (bytesRead === 0) return
      at += bytesRead
      decodeInto(samples, piece, bytesRead, law)
      yield samples.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

function decodeInto(samples: Int16Array, bytes: Uint8Array, count: number, law: Law): void {
  const table = DECODED[law]
  for (let i = 0; i < count; i++) samples[i] = table[bytes[i]!]!
}

/** Of a voicemail that somebody else has recorded: minutes. */
async function ofWav(path: string): Promise<SoundSource> {
  const bytes = await readFile(path)
  try {
    const { rate, samples } = readWav(bytes)
    if (rate !== RATE) throw new Error(`has ${rate} samples a second`)
    return { channels: 1, pieces: oneOf(samples) }
  } catch (error) {
    throw unreadable(path, asError(error).message)
  }
}

async function* oneOf(samples: Int16Array): AsyncIterable<Int16Array> {
  yield samples
}
