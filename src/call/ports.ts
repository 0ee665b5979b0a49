import type { Business } from '../business.ts'
import type { Law } from '../media/audio.ts'
import type { Line } from '../plane/line.ts'
import type { Scope } from '../scope.ts'
import type { CallFact, MediaPorts, TransferMode, TransferOutcome, TransferTrigger, VoicemailWay } from './events.ts'
import type { RecordingEnd } from './kept-events.ts'
import type { Said } from './said.ts'

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
  /** Of a caller who was connected with somebody else: that one has vanished, and the caller is in our hands again. */
  | { readonly kind: 'returned' }
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

/**
 * Whose a channel is that is offered: a call of its own, a part of one that the carrier has announced, or none that is taken.
 * `again`: what has become of the transfer that the caller comes back from. `outbound`: we have called them.
 * `takenOver`: it was let in by another gateway. `byHand`: it names the call itself, and nobody has decided where it is to go.
 */
export type JudgeLeg = (
  facts: CallFacts,
  takenOver?: boolean,
) =>
  | { readonly kind: 'plain'; readonly doubt?: string }
  | {
      readonly kind: 'partOf'
      readonly record: string
      readonly again?: string
      readonly outbound?: true
      readonly byHand?: true
    }
  | { readonly kind: 'forged'; readonly why: string }

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
  /** Begins to dial; rejects when it cannot even begin, and then nothing is left of it. */
  dial(request: DialRequest): Promise<Dialled>
  /** The caller hears its own sound, or music, instead of our line; or our line again. */
  letHear(what: Dialled | 'music' | undefined): Promise<void>
  /**
   * Leads both into a bridge of the PBX's own, which outlives this gateway: the media channel goes. Either both are there
   * when it settles, or the caller is still ours (or gone), whatever was lost on the way.
   */
  join(dialled: Dialled): Promise<Joined>
  /** Leaves the caller to the dialplan's fallback. */
  handBack(reason: string): Promise<void>
  hangup(cause: HangupCause): Promise<void>
  /** One listener; events from before it came are delivered to it first. */
  onEvent(listener: (event: LegEvent) => void): void
  /**
   * Removes whatever this leg has made: media channel, bridge, lease. Never rejects; may be called at any time. Two who were
   * joined go on talking.
   */
  close(): Promise<void>
}

/** Where a destination is reached, as telephony has named it: opaque to everybody else. */
interface DialTarget {
  readonly dial: string
}

/** How a destination is called. */
export type DialRoute = Pick<DialRequest, 'target' | 'callerId'>

/** Nothing for what the business does not list: nothing else can be dialled. */
export type FindRoute = (business: Business, destination: string, callerNumber: string) => DialRoute | undefined

export interface DialRequest {
  readonly target: DialTarget
  /** Whom the far end sees calling; without a number: somebody who does not tell. */
  readonly callerId: { readonly number: string; readonly name?: string }
  /** X- headers of the INVITE: who calls, and why. */
  readonly headers: Readonly<Record<string, string>>
}

export type DialFailure = 'busy' | 'noAnswer' | 'rejected' | 'unreachable'

export type DialledEvent =
  | { readonly kind: 'ringing' }
  /** It has sound of its own before it answers: an announcement, its own ringing. */
  | { readonly kind: 'ownSound' }
  | { readonly kind: 'answered' }
  | { readonly kind: 'digit'; readonly digit: string; readonly heldMs: number }
  /** Nothing follows. `hungUp`: after it had answered. */
  | { readonly kind: 'ended'; readonly why: DialFailure | 'hungUp'; readonly cause: string }

/** A channel towards somebody else, made for one caller and gone with them. */
export interface Dialled {
  readonly id: string
  /** One listener; events from before it came are delivered to it first. */
  onEvent(listener: (event: DialledEvent) => void): void
  /** Once it has answered: joins a line to it, for a word before the caller is connected. */
  consult(line: Line): Promise<Connection>
  /** Removes it and what was made for it, unless it has been joined with the caller. Never rejects; may be called at any time. */
  close(): Promise<void>
}

/** A transfer that begins, as the business's own systems are told of it. */
export interface TransferNotice {
  readonly call: string
  /** Counts from 1 in each call. */
  readonly attempt: number
  readonly business: Business
  readonly destination: string
  readonly mode: TransferMode
  readonly by: TransferTrigger
  readonly reason: string | undefined
  readonly caller: { readonly number: string; readonly name: string | undefined }
  readonly parameters: CallFacts['parameters']
}

/**
 * Asks the carrier to connect a caller with a destination itself: it takes them from their channel here, and tells what has
 * become of it. Settles when it has taken that on; rejects when it has not.
 */
export type Redirect = (
  asked: {
    /** The call, as the carrier has announced it. */
    readonly record: string
    readonly facts: CallFacts
    readonly destination: string
    readonly business: Business
    readonly attempt: number
  },
  signal: AbortSignal,
) => Promise<void>

/** Settles in bounded time; rejects, in words, when nobody took it. */
export type AnnounceTransfer = (notice: TransferNotice, signal: AbortSignal) => Promise<void>

/** What became of joining two channels, read back from the PBX when its answer was lost. */
export type Joined = 'joined' | 'callerGone' | 'otherGone'

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
  /** They were connected with somebody else, and that broke off: answered long ago, as with `takenOver`. */
  readonly returned: boolean
  /** The carrier was to connect them with somebody else, did not, and has led them here again: by another channel. */
  readonly again: boolean
  /** We have called them, and not they us. */
  readonly outbound: boolean
  /** Before this channel was ours, as far as is known. */
  readonly saidBefore: readonly Said[]
  readonly line: Line
  /** Called by the agent when it is ready to speak; settles when the caller can hear it. */
  answer(): Promise<void>
  onDigit(listener: (digit: string) => void): () => void
  /** To the caller's side; settles when all were sent. Nothing else reaches it meanwhile. */
  sendDigits(digits: string): Promise<void>
  /** The caller puts us on hold, and comes back. */
  onHold(listener: (held: boolean) => void): () => void
  /**
   * Connects the caller with somebody else; one at a time. They are ours until it settles, and afterwards unless with
   * `connected`: then the agent's part is over. Aborting the signal brings the caller back. It never rejects: what cannot
   * even begin has `failed`.
   */
  transfer(wish: TransferWish, party: TransferParty, signal: AbortSignal): Promise<TransferOutcome>
  /** An operator wants the caller transferred, or back; the listener tells whether it sees to it. */
  onTransferAsked(listener: (asked: TransferWish | 'back') => boolean): () => void
  emit(fact: CallFact): void
  /** Left out: nothing that is heard can be kept here. */
  readonly recorder?: Recorder
  /** Of the call as it goes on; left out where it is not recorded. */
  readonly recording?: CallRecorded | undefined
}

/** What an agent has to do with the recording of its call. */
export interface CallRecorded {
  /** To be heard to its end before anything is recorded; nothing where that has been. */
  readonly announcement: string | undefined
  /** The caller has heard it. */
  announced(): void
  /** For good: the caller does not want it. False where nothing is recorded. */
  stop(): boolean
}

/** Keeps what is heard on a line as a file, beside the conversation and off its threads. */
export interface Recorder {
  /** At once, and whatever becomes of it the call goes on: what cannot be kept is told by how it ended. */
  begin(line: Line, wanted: WantedRecording): KeptRecording
  /** Each stage of the line, for whoever looks for a fault; nothing when no more of it may be. */
  capture(line: Line, wanted: WantedCapture): KeptCapture | undefined
}

export interface WantedCapture {
  readonly id: string
  /** Milliseconds since 1970. */
  readonly beganAtMs: number
  readonly seconds: number
}

export type KeptCapture = Pick<KeptRecording, 'ended' | 'end'>

export interface WantedRecording {
  /** Of the file: the same one goes on in the file that an earlier life has begun. */
  readonly id: string
  readonly sides: 'both' | 'caller'
  /** Milliseconds since 1970: where its time is zero. */
  readonly beganAtMs: number
  readonly mostMs: number
  /** Of a voicemail: stands in its file, for whoever finds it. */
  readonly by?: VoicemailWay
}

export interface KeptRecording {
  /** What was there before goes on. */
  readonly again: boolean
  /** By itself, or because it was told to; all of it is in the file. */
  readonly ended: Promise<EndedRecording>
  end(why: RecordingEnd): Promise<EndedRecording>
}

export interface EndedRecording {
  readonly why: RecordingEnd
  readonly seconds: number
  readonly shedFrames: number
}

export interface TransferWish {
  /** The name of one of the business's destinations: nothing else can be dialled. */
  readonly destination: string
  readonly by: TransferTrigger
  /** Otherwise the destination's. */
  readonly mode?: TransferMode
  /** Who calls and why, in a sentence or two, as far as it is known: told to whoever answers. */
  readonly reason?: string
}

/** The agent's part in a transfer. */
export interface TransferParty {
  /** It rings at the far end. */
  rings(): void
  /** The far end's own sound, or music, is heard instead of the line; or the line again. */
  ownSound(heard: boolean): void
  /** Tells whoever has answered who calls and why, by their line, and asks whether they take the call. */
  brief(far: FarParty, signal: AbortSignal): Promise<'accepted' | 'declined'>
}

/** Somebody who has answered, before the caller is connected with them. */
export interface FarParty {
  readonly line: Line
  onDigit(listener: (digit: string) => void): () => void
}

/** How an agent's part in a call ended. A hangup by the caller is no outcome: it aborts the scope. */
export type Outcome =
  | { readonly kind: 'hangup' }
  /** `message`: they can be asked for one instead, and what led them there. */
  | { readonly kind: 'handBack'; readonly reason: string; readonly message?: 'agent' | 'failure' }
  /** The caller is with somebody else. */
  | { readonly kind: 'transferred' }
  /** Before it was answered: the far end hears 503 and may try elsewhere. */
  | { readonly kind: 'refuse' }

/** A call is a function. */
export type Handler = (call: LiveCall, scope: Scope) => Promise<Outcome>
