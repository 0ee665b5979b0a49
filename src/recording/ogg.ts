/**
 * Opus in Ogg: RFC 3533 (pages), RFC 7845 (what stands in them). Given packets, in order; gives pages when they are full.
 */

export interface OggForm {
  /** Of the stream: any, but the same for the same sound. */
  readonly serial: number
  readonly channels: 1 | 2
  readonly inputRate: number
  /** Samples at 48 kHz that the encoder puts before the sound. */
  readonly preSkip: number
  readonly comments: Readonly<Record<string, string>>
}

/** Time is told in samples at 48 kHz, whatever was encoded. */
export const GRANULE_RATE = 48_000
const VENDOR = 'Parley'
export const HEADER_BYTES = 27
/** Of a page; and the most bytes of one. */
export const MOST_SEGMENTS = 255
export const FLAGS = { begins: 2, ends: 4 }

export class OggWriter {
  readonly #serial: number
  readonly #pagePackets: number
  #sequence = 0
  #packets: Uint8Array[] = []
  #segments = 0
  #samples = 0

  constructor({ serial }: Pick<OggForm, 'serial'>, pagePackets: number) {
    this.#serial = serial
    this.#pagePackets = pagePackets
  }

  /** Each of the two headers on a page of its own. */
  begin(form: OggForm): Uint8Array {
    return Buffer.concat([this.#page([head(form)], 0, FLAGS.begins), this.#page([tags(form)], 0, 0)])
  }

  /** Nothing while the page is not full. The last one is kept for the end, which stands on a page with sound. */
  packet(bytes: Uint8Array, samples: number): Uint8Array | undefined {
    const segments = segmentsOf(bytes)
    const full = this.#packets.length === this.#pagePackets || this.#segments + segments > MOST_SEGMENTS
    const page = full ? this.#page(this.#packets, this.#samples, 0) : undefined
    if (full) this.#clear()
    this.#packets.push(bytes)
    this.#segments += segments
    this.#samples += samples
    return page
  }

  /** `lastSample`, before-skipped ones included: what the last packet holds beyond it is not to be heard. */
  end(lastSample: number): Uint8Array {
    const page = this.#page(this.#packets, lastSample, FLAGS.ends)
    this.#clear()
    return page
  }

  #clear(): void {
    this.#packets = []
    this.#segments = 0
  }

  #page(packets: readonly Uint8Array[], granule: number, flags: number): Uint8Array {
    const lacing = packets.flatMap(({ length }) => [
      ...new Array<number>(Math.floor(length / MOST_SEGMENTS)).fill(MOST_SEGMENTS),
      length % MOST_SEGMENTS,
    ])
    const header = Buffer.alloc(HEADER_BYTES)
    header.write('OggS', 0, 'latin1')
    header.writeUInt8(flags, 5)
    header.writeBigUInt64LE(BigInt(granule), 6)
    header.writeUInt32LE(this.#serial >>> 0, 14)
    header.writeUInt32LE(this.#sequence++, 18)
    header.writeUInt8(lacing.length, 26)
    const page = Buffer.concat([header, Uint8Array.from(lacing), ...packets])
    page.writeUInt32LE(crcOf(page), 22)
    return page
  }
}

function segmentsOf({ length }: Uint8Array): number {
  return Math.floor(length / MOST_SEGMENTS) + 1
}

/** RFC 7845, 5.1. */
function head({ channels, preSkip, inputRate }: OggForm): Uint8Array {
  const bytes = Buffer.alloc(19)
  bytes.write('OpusHead', 0, 'latin1')
  bytes.writeUInt8(1, 8)
  bytes.writeUInt8(channels, 9)
  bytes.writeUInt16LE(preSkip, 10)
  bytes.writeUInt32LE(inputRate, 12)
  return bytes
}

/** RFC 7845, 5.2. */
function tags({ comments }: OggForm): Uint8Array {
  const lengthOf = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(value)
    return bytes
  }
  const all = Object.entries(comments).map(([name, value]) => Buffer.from(`${name}=${value}`))
  const told = all.flatMap(comment => [lengthOf(comment.length), comment])
  const parts = [lengthOf(VENDOR.length), Buffer.from(VENDOR), lengthOf(all.length), ...told]
  return Buffer.concat([Buffer.from('OpusTags', 'latin1'), ...parts])
}

/** RFC 3533, 6: as it comes from the polynomial, neither reflected nor inverted. */
const POLYNOMIAL = 0x04c11db7
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let rest = index << 24
  for (let bit = 0; bit < 8; bit++) rest = rest & 0x8000_0000 ? (rest << 1) ^ POLYNOMIAL : rest << 1
  return rest >>> 0
})

export function crcOf(page: Uint8Array): number {
  let crc = 0
  for (const byte of page) crc = ((crc << 8) ^ CRC_TABLE[(crc >>> 24) ^ byte]!) >>> 0
  return crc
}
