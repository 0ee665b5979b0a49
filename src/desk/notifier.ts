import type { Business } from '../business.ts'
import type { NoticeKind } from '../call/carrier-events.ts'

export type NoticeWay = 'text' | 'mail' | 'webhook'

/** What somebody of the business is to hear. */
export interface Notice {
  readonly kind: NoticeKind
  /** Which of several of its kind in one call; nothing where there is one. */
  readonly about: string
  readonly call: string
  readonly business: string
  readonly atMs: number
  readonly callerNumber: string | undefined
  /** For a person. */
  readonly words: string
}

/** A way to tell it. What fails with a retryable error was not told, and may be tried once more. */
export interface Notifier {
  readonly by: NoticeWay
  deliver(notice: Notice, business: Business, signal: AbortSignal): Promise<void>
}
