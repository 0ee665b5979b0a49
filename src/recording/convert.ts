import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { limits } from '../limits.ts'
import { GRANULE_RATE, OggWriter } from './ogg.ts'
import { LOOKAHEAD, type OpusCodec, openEncoder } from './opus.ts'
import { openSource } from './sound-source.ts'

const RATE = 8_000
const STEP = GRANULE_RATE / RATE
const FRAME_SAMPLES = (RATE * limits.recording.convert.frameMs) / 1_000
/** A second's: so far a player may have to read before it can begin where it was told to. */
const PAGE_PACKETS = 1_000 / limits.recording.convert.frameMs

export interface Conversion {
  readonly source: string
  readonly target: string
  readonly encoder: OpusCodec
}

/**
 * Makes Ogg Opus of a sound, piece by piece. It is whole or not there: written aside, on the disk before it gets its name, and
 * the name on the disk before this settles. Tells its bytes.
 */
export async function convertSound({ source, target, encoder }: Conversion): Promise<number> {
  const part = `${target}.part`
  const file = await open(part, 'w', 0o600)
  let bytes = 0
  try {
    for await (const page of oggPages(source, encoder)) {
      await file.writeFile(page)
      bytes += page.length
    }
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(part, target)
  await syncFolder(dirname(target))
  return bytes
}

async function* oggPages(path: string, name: OpusCodec): AsyncIterable<Uint8Array> {
  const { channels, pieces } = await openSource(path)
  const encoder = openEncoder(name, { rate: RATE, channels, bitRate: limits.recording.convert.bitRate })
  const serial = createHash('sha256').update(path).digest().readUInt32LE(0)
  const ogg = new OggWriter({ serial }, PAGE_PACKETS)
  const frame = Buffer.alloc(FRAME_SAMPLES * channels * 2)
  const granules = FRAME_SAMPLES * STEP
  let filled = 0
  let samples = 0
  let encoded = 0
  const encodeFrame = () => {
    filled = 0
    encoded += granules
    return ogg.packet(encoder.encode(frame), granules)
  }
  try {
    yield ogg.begin({ serial, channels, inputRate: RATE, preSkip: LOOKAHEAD, comments: {} })
    for await (const piece of pieces) {
      for (const sample of piece) {
        frame.writeInt16LE(sample, filled)
        filled += 2
        if (filled < frame.length) continue
        const page = encodeFrame()
        if (page) yield page
      }
      samples += piece.length / channels
    }
    // What is still within the encoder comes out after the last of the sound.
    const last = LOOKAHEAD + Math.floor(samples) * STEP
    while (encoded < last) {
      frame.fill(0, filled)
      const page = encodeFrame()
      if (page) yield page
    }
    yield ogg.end(last)
  } finally {
    encoder.close()
  }
}

/** A new name is on the disk only when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
