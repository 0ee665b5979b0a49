import { open } from 'node:fs/promises'
import { z } from 'zod'
import { FRAME_MS, FRAME_SAMPLES, type Law, SILENCE } from '../media/audio.ts'

/**
 * Sun's audio format, as a call's sound stands on the disk while it is written: the header tells its own length and need not
 * know that of the sound (its length is "unknown", all ones), so nothing is to be closed or mended, wherever writing ends.
 */

/** Whose sound it is, in the header itself: also where no database knows it. */
const note = z.strictObject({
  id: z.string(),
  call: z.string(),
  business: z.string(),
  /** Milliseconds since 1970: where its time is zero. */
  beganAtMs: z.number(),
  /** Of a voicemail: what led the caller there. */
  by: z.enum(['agent', 'closed', 'failure', 'reception']).optional(),
})

export type AuNote = Readonly<z.output<typeof note>>

export interface AuForm {
  readonly law: Law
  /** Of two, the caller's is the first. */
  readonly channels: 1 | 2
}

export interface AuFile extends AuForm {
  /** Where the samples begin. */
  readonly dataAt: number
  /** Nothing in a file that somebody else has made. */
  readonly note: AuNote | undefined
}

/** Always as long, so that what follows has its place whatever the note tells. */
export const AU_HEADER_BYTES = 512

const MAGIC = 0x2e736e64
const FIXED_BYTES = 24
const UNKNOWN_BYTES = 0xffff_ffff
const RATE = 8_000
const encodings = { ulaw: 1, alaw: 27 } as const satisfies Record<Law, number>
const BYTES_PER_MS = FRAME_SAMPLES / FRAME_MS

export function auHeader({ law, channels }: AuForm, about: AuNote): Uint8Array {
  const header = Buffer.alloc(AU_HEADER_BYTES)
  const fields = [MAGIC, AU_HEADER_BYTES, UNKNOWN_BYTES, encodings[law], RATE, channels]
  for (const [index, field] of fields.entries()) header.writeUInt32BE(field, index * 4)
  const text = Buffer.from(JSON.stringify(about))
  // The annotation ends with a zero at least.
  if (text.length >= AU_HEADER_BYTES - FIXED_BYTES) throw new RangeError('More is noted than the header has room for.')
  text.copy(header, FIXED_BYTES)
  return header
}

/** Nothing for what is no such file, or holds a sound of another kind than we write. */
export function readAuHeader(bytes: Uint8Array): AuFile | undefined {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (header.length < FIXED_BYTES || header.readUInt32BE(0) !== MAGIC) return undefined
  const dataAt = header.readUInt32BE(4)
  const [encoding, rate, channels] = [12, 16, 20].map(at => header.readUInt32BE(at))
  const law = encoding === encodings.ulaw ? 'ulaw' : encoding === encodings.alaw ? 'alaw' : undefined
  if (!law || rate !== RATE || (channels !== 1 && channels !== 2)) return undefined
  if (dataAt < FIXED_BYTES || dataAt > header.length) return undefined
  return { law, channels, dataAt, note: readNote(header.subarray(FIXED_BYTES, dataAt)) }
}

/** Of a file on the disk, with its length in bytes. */
export async function readAu(path: string): Promise<(AuFile & { readonly bytes: number }) | undefined> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(AU_HEADER_BYTES), 0, AU_HEADER_BYTES, 0)
    const header = readAuHeader(buffer.subarray(0, bytesRead))
    return header && { ...header, bytes: (await file.stat()).size }
  } finally {
    await file.close()
  }
}

type Placed = Pick<AuFile, 'channels' | 'dataAt'>

/** How much sound it holds. */
export function auMs({ channels, dataAt }: Placed, fileBytes: number): number {
  return Math.floor(Math.max(0, fileBytes - dataAt) / channels) / BYTES_PER_MS
}

/** For one that goes on: to the whole sample of each channel. */
export function wholeBytes({ channels, dataAt }: Placed, fileBytes: number): number {
  return fileBytes - (Math.max(0, fileBytes - dataAt) % channels)
}

export function silentBytes({ law, channels }: AuForm, ms: number): Uint8Array {
  return new Uint8Array(ms * BYTES_PER_MS * channels).fill(SILENCE[law])
}

function readNote(annotation: Buffer): AuNote | undefined {
  const end = annotation.indexOf(0)
  try {
    const { success, data } = note.safeParse(JSON.parse(annotation.toString('utf8', 0, end < 0 ? undefined : end)))
    return success ? data : undefined
  } catch {
    return undefined
  }
}
