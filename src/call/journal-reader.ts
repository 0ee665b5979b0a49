import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallEvent } from './events.ts'

/** A place in the journal: everything before it has been written. Segments are numbered from 1. */
export interface JournalPosition {
  readonly segment: number
  readonly byte: number
}

export const JOURNAL_START: JournalPosition = { segment: 1, byte: 0 }

export function isEarlier(one: JournalPosition, other: JournalPosition): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.byte < other.byte)
}

export function isSame(one: JournalPosition, other: JournalPosition): boolean {
  return one.segment === other.segment && one.byte === other.byte
}

export interface JournalPiece {
  readonly events: readonly CallEvent[]
  /** Where the next piece begins. */
  readonly next: JournalPosition
  /** Segments that are gone: what stood in them was shed before it was read. */
  readonly missed: number
}

const NEWLINE = 0x0a
const PIECE_BYTES = 256 * 1024

/** The numbers of all segments, oldest first. */
export async function segmentsOf(directory: string): Promise<number[]> {
  const names = await readdir(directory)
  return names
    .filter(name => /^[0-9]{10}\.jsonl$/.test(name))
    .map(name => Number.parseInt(name, 10))
    .sort((a, b) => a - b)
}

export function segmentPath(directory: string, segment: number): string {
  return join(directory, `${String(segment).padStart(10, '0')}.jsonl`)
}

/** Every event in order, oldest first; a torn last line, left by a crash in mid-write, is passed over. */
export async function* readJournal(directory: string): AsyncIterable<CallEvent> {
  let at = JOURNAL_START
  while (true) {
    const { events, next } = await readPiece(directory, at)
    yield* events
    if (isSame(next, at)) return
    at = next
  }
}

/** Some whole lines from a place on; nothing, and the same place, when there is no more. */
export async function readPiece(
  directory: string,
  from: JournalPosition,
  until: JournalPosition = { segment: Number.POSITIVE_INFINITY, byte: Number.POSITIVE_INFINITY },
): Promise<JournalPiece> {
  const segments = await segmentsOf(directory)
  const segment = segments.find(each => each >= from.segment)
  if (segment === undefined || segment > until.segment) return { events: [], next: from, missed: 0 }
  const byte = segment === from.segment ? from.byte : 0
  const missed = from.byte > 0 || from.segment > 1 ? segment - from.segment : 0
  const lines = await linesFrom(
    segmentPath(directory, segment),
    byte,
    segment === until.segment ? until.byte : undefined,
  )
  const next = { segment, byte: byte + lines.length }
  if (lines.length === 0) {
    // A segment that is followed by another is written no more.
    const following = segments.find(each => each > segment)
    return { events: [], next: following === undefined ? next : { segment: following, byte: 0 }, missed }
  }
  return { events: eventsOf(lines), next, missed }
}

async function linesFrom(path: string, byte: number, until = Number.POSITIVE_INFINITY): Promise<Buffer> {
  const file = await open(path)
  try {
    for (let bytes = PIECE_BYTES; ; bytes *= 2) {
      const piece = Buffer.alloc(Math.min(bytes, Math.max(0, until - byte)))
      const { bytesRead } = await file.read(piece, 0, piece.length, byte)
      const whole = piece.subarray(0, piece.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1)
      // A line longer than the piece is read with a larger one.
      if (whole.length > 0 || bytesRead < piece.length || piece.length < bytes) return whole
    }
  } finally {
    await file.close()
  }
}

function eventsOf(lines: Buffer): CallEvent[] {
  return lines.toString('utf8').split('\n').flatMap(parseLine)
}

function parseLine(line: string): CallEvent[] {
  if (line === '') return []
  try {
    return [JSON.parse(line) as CallEvent]
  } catch {
    return []
  }
}
