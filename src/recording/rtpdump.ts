/**
 * The form in which packets stand in a file for whoever looks for a fault: that of rtptools' rtpdump, which Wireshark reads
 * (https://www.cs.columbia.edu/irt/software/rtptools/, "binary dump"; big-endian). No length stands anywhere but before each
 * packet, so the file is whole wherever writing ends.
 */

const PACKET_HEAD_BYTES = 8
/** The length of the head itself counts, and has 16 bits. */
const LONGEST_PACKET = 0xffff - PACKET_HEAD_BYTES

export interface DumpSource {
  readonly address: string
  readonly port: number
}

export function rtpdumpHeader({ address, port }: DumpSource, beganAtMs: number): Uint8Array {
  const line = Buffer.from(`#!rtpplay1.0 ${address}/${port}\n`, 'latin1')
  const head = Buffer.alloc(16)
  head.writeUInt32BE(Math.floor(beganAtMs / 1_000), 0)
  head.writeUInt32BE(Math.floor(beganAtMs % 1_000) * 1_000, 4)
  for (const [index, part] of address.split('.').entries()) head.writeUInt8(Number(part), 8 + index)
  head.writeUInt16BE(port, 12)
  return Buffer.concat([line, head])
}

/** So long after the beginning. A packet is longer than a line ever takes one: cut, as if the wire had cut it. */
export function rtpdumpPacket(datagram: Uint8Array, atMs: number): Uint8Array {
  const bytes = datagram.subarray(0, LONGEST_PACKET)
  const packet = Buffer.alloc(PACKET_HEAD_BYTES + bytes.length)
  packet.writeUInt16BE(packet.length, 0)
  packet.writeUInt16BE(bytes.length, 2)
  packet.writeUInt32BE(Math.floor(atMs), 4)
  packet.set(bytes, PACKET_HEAD_BYTES)
  return packet
}
