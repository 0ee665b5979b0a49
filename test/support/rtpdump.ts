/**
 * Reads what rtpdump writes, by its published description alone ("RTP Tools", binary dump format, as Wireshark's
 * wiretap/rtpdump reads it, too): it shares nothing with what writes such files here.
 */
export interface Dump {
  readonly source: string
  readonly startMs: number
  readonly packets: readonly { readonly atMs: number; readonly bytes: Uint8Array }[]
}

export function readRtpdump(file: Uint8Array): Dump {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const lineEnd = file.indexOf(0x0a)
  const [, source] = /^#!rtpplay1\.0 (\d+\.\d+\.\d+\.\d+\/\d+)$/.exec(
    new TextDecoder('latin1').decode(file.subarray(0, lineEnd)),
  ) ?? ['', '']
  if (!source) throw new Error('this is no file of rtpdump')
  const [seconds, microseconds] = [view.getUint32(lineEnd + 1), view.getUint32(lineEnd + 5)]
  if (microseconds >= 1_000_000) throw new Error('so many microseconds are more than a second')
  const address = [...file.subarray(lineEnd + 9, lineEnd + 13)].join('.')
  const port = view.getUint16(lineEnd + 13)
  if (source !== `${address}/${port}`) throw new Error(`the line has ${source}, and the head has ${address}/${port}`)
  const packets: { atMs: number; bytes: Uint8Array }[] = []
  // A writer that was killed leaves half a packet at the end at most.
  for (let at = lineEnd + 17; at + 8 <= file.length; ) {
    const [length, rtpLength] = [view.getUint16(at), view.getUint16(at + 2)]
    if (length < 8 || rtpLength !== length - 8) throw new Error(`a packet of ${length} bytes holds ${rtpLength} of RTP`)
    if (at + length > file.length) break
    packets.push({ atMs: view.getUint32(at + 4), bytes: file.subarray(at + 8, at + length) })
    at += length
  }
  return { source, startMs: seconds * 1_000 + microseconds / 1_000, packets }
}
