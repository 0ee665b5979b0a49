import { createHash } from 'node:crypto'
import type { NoticeKind } from './carrier-events.ts'

/** What makes a text message the same one, however often it is wanted: whoever has to take it away again finds it by that. */
export function noticeTextId(notice: {
  readonly kind: NoticeKind
  readonly call: string
  readonly about: string
}): string {
  const { kind, call, about } = notice
  return ['notice', kind, call, ...(about === '' ? [] : [about])].join('-')
}

/** Of a caller who was only recorded. */
export function answerTextId(recording: string): string {
  return `answer-${createHash('sha256').update(recording).digest('hex').slice(0, 32)}`
}

/** Sent once more, as one that was approved. */
export function templateTextId(id: string): string {
  return `${id}-template`
}
