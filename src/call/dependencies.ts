import type { Business } from '../business.ts'
import type { Clock } from '../clock.ts'
import type { Plane } from '../plane/line.ts'
import type { Scope } from '../scope.ts'
import type { CallEvent } from './events.ts'
import type { Handler, KnowCaller, Recorder } from './ports.ts'
import type { TransferMeans } from './transfers.ts'

/** What one call is made with. */
export interface CallDependencies {
  readonly clock: Clock
  readonly plane: Plane
  readonly business: Business
  /** The call that its channel is a part of, by the name of its record; `again`: not its first channel. */
  readonly part?: { readonly partOf: string; readonly again?: true; readonly outbound?: true } | undefined
  /** What the call asked for and does not get, in words. */
  readonly doubts: readonly { readonly code: string; readonly detail: string }[]
  readonly handler: Handler
  readonly knowCaller: KnowCaller
  readonly recorder?: Recorder | undefined
  /** What happened to it before this channel was ours, as far as is known. */
  readonly earlier?: readonly CallEvent[] | undefined
  readonly transfers: TransferMeans
  /** The call's lifetime; it closes when the call has ended. */
  readonly scope: Scope
  readonly observe: (event: CallEvent) => void
}
