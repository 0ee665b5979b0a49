import { GRANULE_RATE } from './ogg.ts'
import { oggPages } from './ogg-reader.ts'
import { type OpusCodec, openDecoder } from './opus.ts'
import { unreadable } from './unreadable.ts'

const RATE = 8_000
/** Head and comments: each stands on a page of its own. */
const HEADER_PAGES = 2
const STEP = GRANULE_RATE / RATE

interface OpusHead {
  readonly channels: 1 | 2
  readonly preSkip: number
}

/** What `convert.ts` has made of a sound, back to samples: as many as there were. */
export async function openOpus(path: string, codec: OpusCodec) {
  for await (const { packets } of oggPages(path)) {
    const head = readHead(path, packets[0])
    return { channels: head.channels, pieces: piecesOf(path, head, codec) }
  }
  throw unreadable(path, 'is empty')
}

async function* piecesOf(path: string, { channels, preSkip }: OpusHead, codec: OpusCodec): AsyncIterable<Int16Array> {
  const decoder = openDecoder(codec, { rate: RATE, channels })
  let decoded = 0
  let headers = 0
  try {
    for await (const { packets, granule, isLast } of oggPages(path)) {
      if (headers++ < HEADER_PAGES) continue
      const bytes = Buffer.concat(packets.map(packet => decoder.decode(packet)))
      const samples = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1)
      const length = samples.length / channels
      // RFC 7845, 4: before the sound and after its end there is what is not to be heard.
      const from = Math.min(length, Math.max(0, preSkip / STEP - decoded))
      const to = isLast ? granule / STEP - decoded : length
      decoded += length
      yield samples.subarray(from * channels, to * channels)
    }
  } finally {
    decoder.close()
  }
}

/** RFC 7845, 5.1. */
function readHead(path: string, packet: Uint8Array = new Uint8Array()): OpusHead {
  const head = Buffer.from(packet)
  if (head.toString('latin1', 0, 8) !== 'OpusHead') throw unreadable(path, 'is no Opus')
  const channels = head.readUInt8(9)
  if (channels !== 1 && channels !== 2) throw unreadable(path, `has ${channels} channels`)
  return { channels, preSkip: head.readUInt16LE(10) }
}
