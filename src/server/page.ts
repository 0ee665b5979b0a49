import { z } from 'zod'
import { limits } from '../limits.ts'
import { Refusal } from './problem.ts'
import { storableText } from './schemas.ts'

/** A place in a list that is told newest first: a moment, and whose moment it was. */
export interface Place {
  readonly atMs: number
  readonly id: string
}

/** PostgreSQL knows no time before 4713 BC. */
const MOST_MS = 2e14
const cursor = z.tuple([z.int().min(-MOST_MS).max(MOST_MS), storableText(limits.http.paramChars)])

/** Of no meaning to whoever holds it, so that it may change. */
export function cursorOf({ atMs, id }: Place): string {
  return Buffer.from(JSON.stringify([atMs, id])).toString('base64url')
}

export function placeOf(text: string | undefined): Place | undefined {
  if (text === undefined) return undefined
  const read = cursor.safeParse(parsed(text))
  if (!read.success) throw new Refusal(400, 'The cursor is none that was given out here: begin again without one.')
  const [atMs, id] = read.data
  return { atMs, id }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString())
  } catch {
    return undefined
  }
}

/** Whether the one comes before the other: the newer first, and of the same moment the later id. */
export function isBefore(one: Place, other: Place): boolean {
  return one.atMs > other.atMs || (one.atMs === other.atMs && one.id > other.id)
}

/** One page of what was asked for with one more than belongs on it, by which it is known whether there are more. */
export function pageOf<Item>(items: readonly Item[], limit: number, place: (item: Item) => Place) {
  const page = items.slice(0, limit)
  const last = page.at(-1)
  return { page, next: items.length > limit && last !== undefined ? cursorOf(place(last)) : null }
}

/** Of a row that the database counts. */
export function isRowId(id: string): boolean {
  return /^[0-9]{1,18}$/.test(id)
}
