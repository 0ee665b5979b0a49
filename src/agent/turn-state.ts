import type { TransferOutcome } from '../call/events.ts'
import type { Outcome, TransferWish } from '../call/ports.ts'
import type { PhraseName } from './settings.ts'
import type { Words } from './words.ts'

/** What is true of the conversation in every phase. Times are the clock's, except where they are called media time. */
export interface Always {
  /** The call's time is over. */
  readonly endsMs: number
  /** The caller is told that the time will soon be over. */
  readonly warnMs: number
  /** A caller who has said nothing by then is asked to. */
  readonly inputDueMs: number
  /** Nobody is asked anything while we are on hold. */
  readonly held: boolean
  /** How often that has been done since the caller was last understood. */
  readonly prompts: number
  /** Replies in a row that did not come about. */
  readonly failures: number
  /** The caller's voice is on. */
  readonly voice: boolean
  /** Media times at which it last began and ended. */
  readonly voiceStartMs: number
  readonly voiceEndMs: number
  /** Media time: words that began before it belong to a turn that has been answered. */
  readonly takenMs: number
  /** The engine has failed for good: nothing but our own phrases can be said. */
  readonly dead: boolean
}

/** We were paused by a voice and do not know yet whether it is an interruption. The line is paused exactly while this is. */
export interface Doubt {
  readonly sinceMs: number
  readonly voiced: boolean
  /** Of the voice's earlier parts. */
  readonly voicedMs: number
  /** By then it is decided. */
  readonly dueMs: number
}

/** What comes once the last words were heard. */
export type Next = Outcome | { readonly kind: 'transfer'; readonly wish: TransferWish }

export interface Ending {
  readonly outcome: Next
  /** Whatever the caller says meanwhile: nothing that was promised is taken back. */
  readonly firm: boolean
}

interface Replying {
  readonly doubt: Doubt | undefined
  /** There has been voice since we began, so words that come late count even after we went on. */
  readonly doubted: boolean
  /** A tool that changes something waits for the turn to be certain. */
  readonly writeWanted: boolean
  readonly ending: Ending | undefined
  readonly untilMs: number
}

type Listening = Always & { readonly phase: 'listening' }
export type Hearing = Always & { readonly phase: 'hearing'; readonly words: Words; readonly turnUntilMs: number }
export type Pausing = Always & {
  readonly phase: 'pausing'
  readonly words: Words
  readonly turnUntilMs: number
  readonly sinceMs: number
  readonly untilMs: number
  /** The recognizer was told to say what it has. */
  readonly asked: boolean
}
/** Nothing of the reply can be heard: not yet, or not while a tool runs. */
export type Thinking = Always &
  Replying & {
    readonly phase: 'thinking'
    readonly words: Words
    readonly sinceMs: number
    /** How long the caller had been silent before. */
    readonly pauseMs: number
    /** Media time at which the turn ended. */
    readonly turnEndMs: number
    /** It stands in the history and cannot be taken back. */
    readonly committed: boolean
    /** Some of the reply has been heard. */
    readonly answered: boolean
    readonly fillMs: number
    /** A filler has been heard in it. */
    readonly filled: boolean
  }
export type Speaking = Always &
  Replying & {
    readonly phase: 'speaking'
    readonly troubled: boolean
    /** Some of it has been heard, so all of what is there will be. */
    readonly begun: boolean
  }
/** The caller waits for somebody else: we neither hear nor speak, and the call's time goes on. */
export type Away = Always & {
  readonly phase: 'away'
  readonly wish: TransferWish
  /** They are wanted back. */
  readonly recalled: boolean
  readonly untilMs: number
}
type Ended = Always & { readonly phase: 'ended' }

export type TurnState = Listening | Hearing | Pausing | Thinking | Speaking | Away | Ended

export type TurnEvent =
  /** Media time of the line's incoming stream; `endLateMs`: how long after its end it will be known to have ended. */
  | { readonly kind: 'voiceStarted'; readonly atMs: number; readonly endLateMs?: number }
  | { readonly kind: 'voiceStopped'; readonly atMs: number }
  /** What the current segment says so far, or finally; it began at `startMs`, media time. */
  | { readonly kind: 'words'; readonly text: string; readonly final: boolean; readonly startMs: number }
  | { readonly kind: 'digit'; readonly digit: string }
  /** One who decides that without us has taken the caller's turn. */
  | { readonly kind: 'turnTaken' }
  /** The caller has put us on hold, or is back. */
  | { readonly kind: 'held' | 'unheld' }
  /** Nobody hears the caller for now, nor has for so long: until it is quiet and no reply is being made, we are busy with ourselves. */
  | { readonly kind: 'absent'; readonly forMs: number }
  /** The reply has come to a tool that changes something. */
  | { readonly kind: 'writeWanted' }
  /** The reply has come to the call's end. */
  | { readonly kind: 'endWanted'; readonly outcome: Next }
  /** Somebody else than the model wants a transfer: the caller in clear words, or an operator. */
  | { readonly kind: 'transferWanted'; readonly wish: TransferWish }
  /** An operator wants the caller back. */
  | { readonly kind: 'recalled' }
  | { readonly kind: 'transferSettled'; readonly outcome: TransferOutcome }
  /** The reply is over and there was nothing in it to be heard. */
  | { readonly kind: 'replyEmpty' }
  /** Fatal: the conversation cannot go on. Otherwise: this reply cannot. */
  | { readonly kind: 'failed'; readonly fatal: boolean }
  /** The first of what we say can be heard. */
  | { readonly kind: 'agentStarted' }
  /** All that was to be said has been heard; more will come if a reply is still being made. */
  | { readonly kind: 'agentQuiet'; readonly replying: boolean }
  | { readonly kind: 'fillerHeard' }
  | { readonly kind: 'timePassed' }

export type TurnEffect =
  | { readonly kind: 'pauseSpeech' | 'resumeSpeech' }
  /** Drops what is unplayed, ends a pause, and stops whatever makes more of it. */
  | { readonly kind: 'cancelReply'; readonly interrupted: boolean }
  | { readonly kind: 'finishHearing' }
  | { readonly kind: 'think'; readonly text: string; readonly keys: string }
  /** Keys belong to a turn that is being replied to already. */
  | { readonly kind: 'press'; readonly keys: string }
  /** The caller's turn becomes history. */
  | { readonly kind: 'commit' }
  /** Nobody will answer this, and all the same the caller has said it. */
  | { readonly kind: 'unanswered'; readonly text: string; readonly keys: string }
  | { readonly kind: 'answered'; readonly thinkMs: number; readonly pauseMs: number }
  | { readonly kind: 'allowWrite' }
  | { readonly kind: 'fill'; readonly again: boolean }
  | { readonly kind: 'say'; readonly phrase: PhraseName }
  | { readonly kind: 'transfer'; readonly wish: TransferWish }
  | { readonly kind: 'recall' }
  /** The caller is with us again: nothing rings any more, and they are heard. */
  | { readonly kind: 'back' }
  /** The engine is to know what has become of it, and to go on from there. */
  | { readonly kind: 'tellOutcome'; readonly wish: TransferWish; readonly outcome: TransferOutcome }
  | { readonly kind: 'end'; readonly outcome: Outcome }

export type Step = readonly [TurnState, readonly TurnEffect[]]

/** When the state must be looked at again if nothing happens before. */
export function dueMs(state: TurnState): number {
  switch (state.phase) {
    case 'listening':
      return Math.min(state.held ? Infinity : state.inputDueMs, state.warnMs, state.endsMs)
    case 'hearing':
      return Math.min(state.turnUntilMs, state.endsMs)
    case 'pausing':
      return Math.min(state.untilMs, state.endsMs)
    case 'thinking':
      return Math.min(state.untilMs, state.endsMs, state.doubt?.dueMs ?? state.fillMs)
    case 'speaking':
      return Math.min(state.untilMs, state.endsMs, state.doubt?.dueMs ?? (state.ending ? Infinity : state.warnMs))
    case 'away':
      return state.recalled ? state.untilMs : Math.min(state.untilMs, state.endsMs)
    case 'ended':
      return Number.POSITIVE_INFINITY
  }
}

export function isReplying(state: TurnState): state is Thinking | Speaking {
  return state.phase === 'thinking' || state.phase === 'speaking'
}

/** The part of a state that outlives its phase. */
export function always(state: TurnState): Always {
  const { endsMs, warnMs, inputDueMs, held, prompts, failures, voice, voiceStartMs, voiceEndMs, takenMs, dead } = state
  return { endsMs, warnMs, inputDueMs, held, prompts, failures, voice, voiceStartMs, voiceEndMs, takenMs, dead }
}
