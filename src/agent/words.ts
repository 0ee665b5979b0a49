import { limits } from '../limits.ts'

/** What a caller has said in a turn so far: finished segments, the one that may still change, and keys. */
export interface Words {
  readonly settled: string
  readonly partial: string
  readonly keys: string
  /** The latest segment is finished, so the caller probably is as well. */
  readonly final: boolean
  /** Media time at which the latest segment began. */
  readonly startMs: number
}

export const NO_WORDS: Words = {
  settled: '',
  partial: '',
  keys: '',
  final: false,
  startMs: Number.NEGATIVE_INFINITY,
}

export function withWords(words: Words, text: string, final: boolean, startMs: number): Words {
  const bounded = text.slice(0, Math.max(0, limits.agent.utteranceChars - words.settled.length))
  const settled = final ? joined(words.settled, bounded) : words.settled
  return { ...words, settled, partial: final ? '' : bounded, final, startMs }
}

export function withKey(words: Words, key: string): Words {
  return words.keys.length < limits.agent.keys ? { ...words, keys: words.keys + key } : words
}

export function textOf({ settled, partial }: Words): string {
  return joined(settled, partial)
}

/** As it stands in the record: what was said, and what was pressed. */
export function recordOf(text: string, keys: string): string {
  return joined(text, keys === '' ? '' : `[pressed ${keys}]`)
}

export function isEmpty(words: Words): boolean {
  return words.settled === '' && words.partial === '' && words.keys === ''
}

function joined(before: string, after: string): string {
  return before === '' || after === '' ? before + after : `${before} ${after}`
}
