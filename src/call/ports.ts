import type { Business } from '../business.ts'
import type { Law } from '../media/audio.ts'
import type { Line } from '../plane/line.ts'
import type { Scope } from '../scope.ts'
import type { CallFact, MediaPorts } from './events.ts'

export type { Heard, Line, LineEvent, LineFigures, SpokenChunk, UtteranceId } from '../plane/line.ts'

/** What the far end told us about the call when it offered it. */
export interface CallFacts {
  /** The user part that was dialled. */
  readonly calledUser: string
  readonly requestUri: string
  /** Of the request URI, percent-decoded: callSid, patientId, anything else. */
  readonly parameters: Readonly<Record<string, string>>
  /** The X- headers of the INVITE; names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly callerNumber: string
  readonly law: Law
}

export type LegEvent =
  /** Told as it is released. */
  | { readonly kind: 'digit'; readonly digit: string; readonly heldMs: number }
  | { readonly kind: 'held' }
  | { readonly kind: 'unheld' }
  /** Its way to the line was cut. What follows is another, or nothing: then the caller is better off with the fallback. */
  | { readonly kind: 'mediaLost'; readonly detail: string }
  | { readonly kind: 'mediaReplaced'; readonly connection: Connection }
  | { readonly kind: 'mediaFailed'; readonly detail: string }
  /** The far end is gone, or the channel is no longer ours. Nothing follows. */
  | { readonly kind: 'gone'; readonly how: Departure; readonly cause: string }

export type Departure =
  | 'hungUp'
  /** No sound came for too long, and no word of a hang-up. */
  | 'vanished'
  /** Given to the dialplan's fallback by the leg itself. */
  | 'handedBack'
  /** Another gateway serves the caller now. */
  | 'takenOver'
  /** The PBX died, or has led the caller elsewhere without our asking. */
  | 'lost'

export type HangupCause = 'normal' | 'busy' | 'congestion' | 'noAnswer' | 'rejected'

/** A caller's channel, as telephony provides it. */
export interface Leg {
  readonly id: string
  readonly facts: CallFacts
  /** Ours from an earlier life of the gateway: already answered. */
  readonly takenOver: boolean
  /** Joins the line to the channel; settles when audio can flow both ways. */
  connect(line: Line): Promise<Connection>
  answer(): Promise<void>
  /** Keys of ours for the caller's side: 0-9, *, #, A-D, and w for half a second. Nothing else reaches it until this settles. */
  sendDigits(digits: string): Promise<void>
  /** Leaves the caller to the dialplan's fallback. */
  handBack(reason: string): Promise<void>
  hangup(cause: HangupCause): Promise<void>
  /** One listener; events from before it came are delivered to it first. */
  onEvent(listener: (event: LegEvent) => void): void
  /** Removes whatever this leg has made: media channel, bridge, lease. Never rejects; may be called at any time. */
  close(): Promise<void>
}

export interface Connection {
  readonly channel: string
  readonly bridge: string
  readonly ports: MediaPorts
}

export interface Telephony {
  /** True while a call that came in now would be answered. */
  readonly ready: boolean
  /** Channels of the PBX that are in no call of ours, such as callers in its fallback: they hold RTP ports, too. */
  readonly outsiders: number
  onOffered(listener: (leg: Leg) => void): void
  /** Every channel and bridge that the PBX has, for the operator. */
  inspect(): Promise<Inspection>
}

export interface Inspection {
  readonly channels: readonly ChannelView[]
  readonly bridges: readonly BridgeView[]
}

interface ChannelView {
  readonly id: string
  readonly name: string
  readonly state: string
  /** The call it belongs to, or nothing: an orphan. */
  readonly call: string | undefined
}

interface BridgeView {
  readonly id: string
  readonly technology: string
  readonly channels: readonly string[]
  readonly call: string | undefined
}

/** What is known of a caller before they have said a word. Whoever wrote it: it is data, and no instruction. */
export interface CallerContext {
  readonly name?: string
  readonly earlier?: EarlierCalls
  /** What the business's own look-up told, besides a name. */
  readonly records: Readonly<Record<string, string>>
}

/** Of the same number with the same business. */
export interface EarlierCalls {
  /** What they were called when they last told, or the records did. */
  readonly name: string | null
  /** At the bound there may be more. */
  readonly count: number
  /** Newest first. */
  readonly latest: readonly { readonly atMs: number; readonly outcome: string | null }[]
  /** Left in them, and seen by nobody yet. */
  readonly open: readonly { readonly kind: string; readonly atMs: number; readonly text: string | null }[]
}

/** What is to be known of a caller: settles in bounded time, and never rejects. */
export type KnowCaller = (
  call: Pick<LiveCall, 'id' | 'facts' | 'business' | 'emit'>,
  signal: AbortSignal,
) => Promise<CallerContext>

/** What a business's records answer about a call. */
export type Looked =
  | { readonly kind: 'told'; readonly name: string | undefined; readonly records: Readonly<Record<string, string>> }
  | { readonly kind: 'failed'; readonly why: string }

/** A call as its agent sees it. */
export interface LiveCall {
  readonly id: string
  readonly facts: CallFacts
  /** Asked since the call was offered; settles in bounded time, and never rejects. */
  readonly caller: Promise<CallerContext>
  readonly business: Business
  readonly takenOver: boolean
  readonly line: Line
  /** Called by the agent when it is ready to speak; settles when the caller can hear it. */
  answer(): Promise<void>
  onDigit(listener: (digit: string) => void): () => void
  /** To the caller's side; settles when all were sent. Nothing else reaches it meanwhile. */
  sendDigits(digits: string): Promise<void>
  /** The caller puts us on hold, and comes back. */
  onHold(listener: (held: boolean) => void): () => void
  emit(fact: CallFact): void
}

/** How an agent's part in a call ended. A hangup by the caller is no outcome: it aborts the scope. */
export type Outcome =
  | { readonly kind: 'hangup' }
  | { readonly kind: 'handBack'; readonly reason: string }
  /** Before it was answered: the far end hears 503 and may try elsewhere. */
  | { readonly kind: 'refuse' }

/** A call is a function. */
export type Handler = (call: LiveCall, scope: Scope) => Promise<Outcome>
