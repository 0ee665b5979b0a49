import { constants } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asError, GatewayError } from '../errors.ts'
import { AU_HEADER_BYTES, type AuNote, auMs, readAu } from './au.ts'

/**
 * Keeps a voicemail as a file. It is whole or not there: written aside, on the disk before it gets its name, and the name on
 * the disk before this settles. Stored twice under the same name it stands there once.
 */
export async function storeVoicemail(directory: string, name: string, audio: Uint8Array): Promise<string> {
  if (!/^[\w.-]{1,200}$/.test(name) || name.startsWith('.')) {
    throw new GatewayError('BUG', 'A voicemail has a name that cannot be a file.')
  }
  const path = join(directory, `${name}.wav`)
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeSynced(`${path}.part`, withLengths(audio))
    await rename(`${path}.part`, path)
    await syncFolder(directory)
    return path
  } catch (error) {
    throw new GatewayError(
      'STATE_UNWRITABLE',
      `A voicemail cannot be written to ${directory} (${asError(error).message}); it stays where it was left until it can be. Free space on the disk of STATE_DIR, or make it writable`,
      { cause: error, retryable: true },
    )
  }
}

/** What the gateway itself has recorded, and may not have told. */
export interface UntoldMessage {
  readonly recording: string
  /** Nothing where hardly a file was begun. */
  readonly note: AuNote | undefined
  readonly ms: number
}

/**
 * All that stand there as they were recorded, whether they were told or not. What cannot be read, or was made by somebody
 * else, is none of them: it stays as it is.
 */
export async function messagesLeft(directory: string): Promise<UntoldMessage[]> {
  const names: readonly string[] = await readdir(directory).catch(() => [])
  const left: UntoldMessage[] = []
  for (const name of names.filter(each => each.endsWith('.au'))) {
    const path = join(directory, name)
    try {
      const { size } = await stat(path)
      const file = await readAu(path)
      if (!file?.note && size > AU_HEADER_BYTES) continue
      left.push({ recording: name.slice(0, -'.au'.length), note: file?.note, ms: file ? auMs(file, size) : 0 })
    } catch {
      // The next start looks again.
    }
  }
  return left
}

/** Nobody has said anything in it. */
export async function dropMessage(directory: string, recording: string): Promise<void> {
  await rm(join(directory, `${recording}.au`), { force: true })
  await syncFolder(directory)
}

const WAV_HEADER_BYTES = 44
const BYTES_PER_SECOND = 16_000

/** Of a WAV file as Asterisk writes it: 8 kHz, 16 bits, one channel. */
export function secondsOfWav(audio: Uint8Array): number {
  return Math.max(0, Math.round((audio.length - WAV_HEADER_BYTES) / BYTES_PER_SECOND))
}

/** An Asterisk that died while it recorded has left lengths of 0, which players take for an empty file. */
function withLengths(audio: Uint8Array): Uint8Array {
  const bytes = Buffer.from(audio)
  const isWav = bytes.length >= WAV_HEADER_BYTES && bytes.toString('latin1', 0, 4) === 'RIFF'
  if (isWav && bytes.readUInt32LE(WAV_HEADER_BYTES - 4) === 0) {
    bytes.writeUInt32LE(bytes.length - 8, 4)
    bytes.writeUInt32LE(bytes.length - WAV_HEADER_BYTES, WAV_HEADER_BYTES - 4)
  }
  return bytes
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function syncFolder(directory: string): Promise<void> {
  const folder = await open(directory, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
