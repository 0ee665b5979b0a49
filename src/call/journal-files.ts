import { randomUUID } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { open, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isForNextLife } from './carrier-events.ts'
import type { CallEvent } from './events.ts'
import { JOURNAL_START, type JournalPosition, segmentPath } from './journal-reader.ts'

/**
 * Of segments that nobody reads any more only these calls' own lines stay, in the last of them. Cut off anywhere nothing of those
 * is lost: what stands there twice then is once the next time. Tells the bytes that stay.
 */
export async function keepOnly(
  directory: string,
  segments: readonly number[],
  calls: { has(call: string): boolean },
): Promise<number> {
  const kept = new Set<string>()
  for (const segment of segments) {
    const lines = (await readFile(segmentPath(directory, segment), 'utf8')).split('\n')
    for (const line of lines) if (line !== '' && isOf(line, calls)) kept.add(line)
  }
  const last = segmentPath(directory, segments.at(-1)!)
  const file = await open(`${last}.new`, 'w', 0o600)
  try {
    for (const line of kept) await file.writeFile(`${line}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${last}.new`, last)
  await syncDirectory(directory)
  for (const segment of segments.slice(0, -1)) await unlink(segmentPath(directory, segment))
  await syncDirectory(directory)
  return (await stat(last)).size
}

/** What is told afterwards is asked for by nobody, also when its call goes on. */
function isOf(line: string, calls: { has(call: string): boolean }): boolean {
  try {
    const { call, fact } = JSON.parse(line) as CallEvent
    return calls.has(call) && isForNextLife(fact.name)
  } catch {
    return false
  }
}

/** A new name is on the disk only when its folder is. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const NEWLINE = 0x0a

/** How many, from a place on. */
export async function linesFrom(path: string, start: number): Promise<number> {
  let lines = 0
  for await (const piece of createReadStream(path, { start }) as AsyncIterable<Buffer>) {
    for (const byte of piece) if (byte === NEWLINE) lines += 1
  }
  return lines
}

/** The file that tells how far the store had come. */
export const TAKEN = 'taken'

/** Written beside and renamed: there is never half of it. */
export async function identityOf(directory: string): Promise<string> {
  const path = join(directory, 'id')
  const known = await readFile(path, 'utf8').catch(() => '')
  if (known !== '') return known
  const id = randomUUID()
  await writeFile(`${path}.new`, id, { mode: 0o600, flush: true })
  await rename(`${path}.new`, path)
  return id
}

/** Nothing, as far as is known, when it was not kept. */
export async function takenIn(directory: string): Promise<JournalPosition> {
  const kept = await readFile(join(directory, TAKEN), 'utf8').catch(() => '')
  const [, segment, byte] = /^\{"segment":(\d+),"byte":(\d+)\}$/.exec(kept) ?? []
  return segment === undefined ? JOURNAL_START : { segment: Number(segment), byte: Number(byte) }
}
