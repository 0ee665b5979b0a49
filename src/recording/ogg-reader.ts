import { open } from 'node:fs/promises'
import { crcOf, FLAGS, HEADER_BYTES, MOST_SEGMENTS } from './ogg.ts'
import { unreadable } from './unreadable.ts'

/** What `ogg.ts` writes: RFC 3533, 6. */
export interface OggPage {
  readonly granule: number
  readonly isLast: boolean
  /** Whole, those that began on a page before among them. */
  readonly packets: readonly Uint8Array[]
}

/** Page by page, so that whoever reads lets others come between. */
export async function* oggPages(path: string): AsyncIterable<OggPage> {
  const file = await open(path, 'r')
  const read = async (bytes: number, at: number) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, at)
    if (bytesRead < bytes) throw unreadable(path, 'ends in the middle')
    return buffer
  }
  try {
    const { size } = await file.stat()
    let begun: Uint8Array[] = []
    for (let at = 0; at < size; ) {
      const header = await read(HEADER_BYTES, at)
      if (header.toString('latin1', 0, 4) !== 'OggS') throw unreadable(path, 'is no Ogg')
      const lacing = await read(header.readUInt8(26), at + HEADER_BYTES)
      const sound = await read(sum(lacing), at + HEADER_BYTES + lacing.length)
      const checksum = header.readUInt32LE(22)
      header.writeUInt32LE(0, 22)
      if (crcOf(Buffer.concat([header, lacing, sound])) !== checksum) throw unreadable(path, 'is damaged')
      at += HEADER_BYTES + lacing.length + sound.length
      const { packets, rest } = packetsOf(lacing, sound, begun)
      begun = rest
      yield { granule: Number(header.readBigInt64LE(6)), isLast: (header.readUInt8(5) & FLAGS.ends) !== 0, packets }
    }
  } finally {
    await file.close()
  }
}

/** One ends with the first segment that is not full. */
function packetsOf(lacing: Uint8Array, sound: Uint8Array, begun: readonly Uint8Array[]) {
  const packets: Uint8Array[] = []
  let rest = [...begun]
  let at = 0
  for (const segment of lacing) {
    rest.push(sound.subarray(at, at + segment))
    at += segment
    if (segment === MOST_SEGMENTS) continue
    packets.push(Buffer.concat(rest))
    rest = []
  }
  return { packets, rest }
}

function sum(bytes: Uint8Array): number {
  return bytes.reduce((total, byte) => total + byte, 0)
}
