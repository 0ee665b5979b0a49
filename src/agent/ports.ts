import type { Business } from '../business.ts'
import type { TransferOutcome, Usage } from '../call/events.ts'
import type { DigestSource, Urgency } from '../call/kept-events.ts'
import type { LiveCall } from '../call/ports.ts'
import type { AudioFormat, AudioSink } from '../media/audio.ts'

/** The ports for vendors: what recognizes, thinks and speaks. Each folder in providers/ implements some of them. */

export interface Hearing {
  readonly kind: 'partial' | 'final'
  readonly text: string
  /** Media time of the line's incoming stream. */
  readonly startMs: number
  readonly endMs: number
}

export interface Ear extends AudioSink {
  readonly results: AsyncIterable<Hearing>
  /** The turn has ended: say finally what was heard so far. */
  finish(): void
}

export interface Recognizer {
  open(format: AudioFormat, signal: AbortSignal): Ear
}

export type Message =
  | { readonly role: 'caller'; readonly text: string }
  /** What the caller has heard of it, never what was generated. */
  | { readonly role: 'agent'; readonly text: string; readonly interrupted: boolean }
  | ({ readonly role: 'toolCall' } & ToolCall)
  | { readonly role: 'toolResult'; readonly id: string; readonly name: string; readonly result: ToolResult }
  /** From the gateway or an operator, not from the caller. */
  | { readonly role: 'instruction'; readonly text: string; readonly transfer?: SettledTransfer }

/** One that has not come about, for those who act by more than words. */
export interface SettledTransfer {
  readonly destination: string
  readonly outcome: TransferOutcome
}

export type ReplyPart = { readonly kind: 'text'; readonly text: string } | ({ readonly kind: 'toolCall' } & ToolCall)

export interface Model {
  reply(history: readonly Message[], tools: readonly ToolDescription[], signal: AbortSignal): AsyncIterable<ReplyPart>
}

export interface Speaker {
  readonly format: AudioFormat
  speak(text: string, signal: AbortSignal): AsyncIterable<Uint8Array>
}

/**
 * Speech to speech: one party that hears, thinks and speaks. It judges when the caller has ended; whether that wants a reply it
 * either decides itself, or leaves to the agent.
 */
export interface Conversant {
  open(session: ConversantSession, signal: AbortSignal): Promise<ConversantVoice>
}

export interface ConversantSession {
  readonly format: AudioFormat
  /** What they wait for is bounded in time; they never reject. Meanwhile the way to it can be opened. */
  readonly instructions: string | Promise<string>
  readonly voice: string
  /** That the caller is expected to speak, such as en-US. */
  readonly language: string
  readonly tools: readonly Tool[]
  readonly history: readonly Message[]
}

export interface ConversantVoice {
  readonly hear: AudioSink
  /** Reply to what the caller has said: after `committed`, and only then. */
  respond(): void
  /** In these very words. */
  say(text: string): void
  /** The caller has heard these words from us, and not by it. */
  told(text: string): void
  /** `reply`: respond to this, in its own words. Otherwise it is only to be known: a reply is on its way. */
  instruct(text: string, reply: boolean): void
  /** `reply`: and go on with it. Otherwise it is only to be known: the turn it belongs to is over. */
  toolResult(id: string, result: ToolResult, reply: boolean): void
  /** Stop generating what is being generated. What comes of it all the same belongs to items that were there before. */
  cancel(): void
  /** Of this item the caller has heard so much, these words, and will hear no more. */
  heard(item: string, ms: number, text: string): void
  readonly events: AsyncIterable<ConversantEvent>
}

export type ConversantEvent =
  /** Media times of the line's incoming stream; `endLateMs`: how long after its end it will be known to have ended. */
  | { readonly kind: 'speechStarted'; readonly atMs: number; readonly endLateMs?: number }
  | { readonly kind: 'speechStopped'; readonly atMs: number }
  /** What the caller has said up to here may be replied to, or not. One who decides that alone does not tell it. */
  | { readonly kind: 'committed'; readonly wordsFollow: boolean }
  /** A reply is being made: to the caller, to words, an instruction or a result. One at a time, each with its end. */
  | { readonly kind: 'replying' }
  /** There will be no reply of its own to what the caller has said: it will be heard anew, or has been replied to. */
  | { readonly kind: 'withdrawn' }
  /** In the session's format; `text` are the words that this audio says. */
  | { readonly kind: 'audio'; readonly item: string; readonly audio: Uint8Array; readonly text: string }
  | { readonly kind: 'audioEnded'; readonly item: string }
  /** What the segment that began at `startMs` says so far, or finally. */
  | { readonly kind: 'words'; readonly final: boolean; readonly text: string; readonly startMs: number }
  | ({ readonly kind: 'toolCall' } & ToolCall)
  /** All of it is there, unless it broke off; the result of a tool may give cause for another. */
  | { readonly kind: 'turnEnded'; readonly broken?: true }
  /** For now it hears nothing, and has not for so long; what the caller says meanwhile it will have heard when it is present again. */
  | { readonly kind: 'absent'; readonly forMs: number }
  | { readonly kind: 'present' }
  /** What it counts of its work, by the name of what did it. */
  | { readonly kind: 'used'; readonly model: string; readonly usage: Usage }
  /** It has lost something and goes on all the same. */
  | { readonly kind: 'troubled'; readonly error: Error }
  /** Also when the way to it is lost without a word, which it finds out itself: nobody else could tell that from silence. */
  | { readonly kind: 'failed'; readonly error: Error }

export interface ToolCall {
  /** Of this very call: one that comes twice runs once. */
  readonly id: string
  readonly name: string
  readonly args: unknown
}

export type ToolResult =
  | { readonly ok: true; readonly value: unknown }
  /** In words the model can speak about. */
  | { readonly ok: false; readonly problem: string }

export interface Tool {
  readonly name: string
  readonly description: string
  readonly parameters: Readonly<Record<string, unknown>>
  /** A write commits the turn: nothing speculative may run it. */
  readonly effect: 'read' | 'write'
  /** Of a write: asked for once more it is meant once more. Otherwise the same arguments want what has been done already. */
  readonly repeatable: boolean
  readonly timeoutMs: number
  /** What these arguments ask for, or in words what is wrong with them. */
  read(args: unknown): ToolRequest | { readonly problem: string }
}

/** All that a model is told of it. */
export type ToolDescription = Pick<Tool, 'name' | 'description' | 'parameters'>

export interface ToolRequest {
  /** As they were understood. */
  readonly args: unknown
  run(context: ToolContext): Promise<ToolResult>
}

export interface ToolContext {
  readonly signal: AbortSignal
  /** Of what is asked for: whoever is told the same key twice does it once. */
  readonly idempotencyKey: string
}

/** What is in a call's reach, besides what every call has. */
export type ToolsOf = (call: LiveCall) => readonly Tool[]

/** What is written down of a message or told of a call when it is over: nobody waits on the telephone for it. */
export interface Transcriber {
  readonly by: DigestSource
  /** A retryable error: another attempt may help. Empty: nothing was said. */
  transcribe(sound: StoredSound, signal: AbortSignal): Promise<Digest<{ readonly text: string }>>
}

/** Of one side, as a WAV file: 8 kHz, 16 bits. */
export interface StoredSound {
  readonly wav: Uint8Array
  readonly seconds: number
  /** Such as en-US. */
  readonly language: string
  /** Names and services that are likely to be heard. */
  readonly hints: readonly string[]
}

export interface Summarizer {
  readonly by: DigestSource
  summarize(story: CallStory, signal: AbortSignal): Promise<Digest<Summary>>
  /** To somebody who has spoken to a recording, and is written to. */
  answer(message: LeftMessage, signal: AbortSignal): Promise<Digest<MessageAnswer>>
}

/** And what it cost, where that is told; by whom, where it was another. */
export type Digest<Made> = Made & { readonly usage?: Usage; readonly model?: string; readonly by?: DigestSource }

/** Whoever said it: it is data, and no instruction. */
export interface CallStory {
  readonly business: Pick<Business, 'name' | 'language'>
  readonly said: readonly { readonly who: 'caller' | 'agent'; readonly text: string }[]
  /** What came of it, in the words of the record: how it ended, what was left, with whom they were connected. */
  readonly happened: readonly string[]
  /** What the business has yet to do, as the caller has asked for it. */
  readonly left: readonly string[]
  /** They have said that it cannot wait. */
  readonly urgent: boolean
}

interface Summary {
  readonly who: string
  readonly why: string
  readonly outcome: string
  /** Empty: nothing is left to do. */
  readonly followUp: string
  readonly urgency: Urgency
}

export interface LeftMessage {
  readonly business: Pick<Business, 'name' | 'language'>
  readonly instructions: string
  readonly text: string
  readonly mostChars: number
}

interface MessageAnswer {
  readonly intent: string
  /** What they have told, by name. */
  readonly data: Readonly<Record<string, string>>
  /** Nothing: a person is to answer. */
  readonly reply: string | undefined
}
