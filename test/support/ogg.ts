/** Ogg Opus as it is read by the specifications (RFC 3533, RFC 7845), sharing nothing with whoever writes it. */

export interface OggPage {
  readonly flags: number
  readonly granule: number
  readonly sequence: number
  readonly packets: number
  /** Its checksum is right. */
  readonly sound: boolean
}

export function readOgg(file: Buffer): {
  readonly head: { readonly channels: number; readonly preSkip: number; readonly rate: number }
  readonly pages: readonly OggPage[]
} {
  const pages: OggPage[] = []
  let first: Buffer | undefined
  for (let at = 0; at < file.length; ) {
    if (file.toString('latin1', at, at + 4) !== 'OggS' || file[at + 4] !== 0) throw new Error(`no page at ${at}`)
    const segments = file[at + 26]!
    const lacing = file.subarray(at + 27, at + 27 + segments)
    const end = at + 27 + segments + lacing.reduce((sum, each) => sum + each, 0)
    const page = Buffer.from(file.subarray(at, end))
    const told = page.readUInt32LE(22)
    page.writeUInt32LE(0, 22)
    first ??= page.subarray(27 + segments)
    pages.push({
      flags: page[5]!,
      granule: Number(page.readBigUInt64LE(6)),
      sequence: page.readUInt32LE(18),
      packets: lacing.filter(each => each < 255).length,
      sound: remainder(page) === told,
    })
    at = end
  }
  if (first?.toString('latin1', 0, 8) !== 'OpusHead') throw new Error('it is no Opus')
  return { head: { channels: first[9]!, preSkip: first.readUInt16LE(10), rate: first.readUInt32LE(12) }, pages }
}

/** Bit by bit, as the polynomial is written. */
function remainder(bytes: Uint8Array): number {
  let rest = 0
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      const top = (rest >>> 31) ^ ((byte >> bit) & 1)
      rest = ((rest << 1) ^ (top ? 0x04c11db7 : 0)) >>> 0
    }
  }
  return rest
}
