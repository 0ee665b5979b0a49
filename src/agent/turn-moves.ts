import type { TransferOutcome } from '../call/events.ts'
import type { TransferWish } from '../call/ports.ts'
import type { PhraseName, TurnSettings } from './settings.ts'
import {
  type Away,
  always,
  type Doubt,
  type Ending,
  type Hearing,
  isReplying,
  type Next,
  type Pausing,
  type Speaking,
  type Step,
  type Thinking,
  type TurnEffect,
  type TurnState,
} from './turn-state.ts'
import { isEmpty, NO_WORDS, textOf, type Words } from './words.ts'

/** The moves from state to state that more than one event leads to. */

export interface At {
  readonly nowMs: number
  readonly settings: TurnSettings
}

export type Live = Exclude<TurnState, { phase: 'ended' }>

export const unquestioned = { doubt: undefined, doubted: false, writeWanted: false } as const

export function hear(state: TurnState, words: Words, turnUntilMs: number): Hearing {
  return { ...always(state), phase: 'hearing', words, turnUntilMs }
}

export function pauseAfter(state: TurnState, words: Words, turnUntilMs: number, at: At): Pausing {
  const untilMs = endOfTurnMs(words, at.nowMs, at)
  return { ...always(state), phase: 'pausing', words, turnUntilMs, sinceMs: at.nowMs, untilMs, asked: false }
}

export function endOfTurnMs(words: Words, sinceMs: number, { nowMs, settings }: At): number {
  if (words.keys.endsWith('#')) return nowMs
  const spoken = words.final ? settings.completeMs : settings.endOfTurnMs
  return Math.max(nowMs, sinceMs + (words.keys === '' ? spoken : settings.betweenKeysMs))
}

export function listen(state: TurnState, at: At): Step {
  if (state.voice) return [hear(state, NO_WORDS, at.nowMs + at.settings.turnMs), []]
  return [{ ...always(state), phase: 'listening' }, []]
}

/** The caller's turn is over: it is our turn to think, unless it says clearly that somebody else is to. */
export function take(state: Hearing | Pausing, at: At): Step {
  return transferInWords(state, at) ?? takeToThink(state, at)
}

export function transferInWords(state: Hearing | Pausing, at: At): Step | undefined {
  const { words } = state
  const wish = at.settings.transferIn?.({ text: textOf(words), keys: words.keys })
  return wish && announce({ ...state, prompts: 0, takenMs: turnEndMs(state) }, 'handingOver', at, firmly(wish))
}

export function takeToThink(state: Hearing | Pausing, at: At): readonly [Thinking, TurnEffect[]] {
  const { words } = state
  const thinking: Thinking = {
    ...always(state),
    prompts: 0,
    phase: 'thinking',
    words,
    sinceMs: at.nowMs,
    pauseMs: state.phase === 'pausing' ? at.nowMs - state.sinceMs : 0,
    turnEndMs: turnEndMs(state),
    committed: false,
    answered: false,
    ...unquestioned,
    ending: undefined,
    fillMs: at.nowMs + at.settings.fillAfterMs,
    filled: false,
    untilMs: at.nowMs + at.settings.thinkMs,
  }
  return [thinking, [{ kind: 'finishHearing' }, { kind: 'think', text: textOf(words), keys: words.keys }]]
}

/** Later versions of the same words begin where these began: they are the same turn still. */
export function turnEndMs(state: Hearing | Pausing): number {
  return Math.max(state.takenMs, state.voiceEndMs, state.words.startMs + 1)
}

export function inDoubt(at: At, endLateMs = 0): Pick<Speaking, 'doubt' | 'doubted'> {
  const doubt = { sinceMs: at.nowMs, voiced: false, voicedMs: 0, dueMs: at.nowMs }
  return { doubt: whileVoiced(doubt, at, endLateMs), doubted: true }
}

/** Until it could be known that the voice has ended before it was an interruption. */
export function whileVoiced(doubt: Doubt, { nowMs, settings }: At, endLateMs = 0): Doubt {
  if (doubt.voiced) return doubt
  return { ...doubt, voiced: true, dueMs: nowMs + Math.max(0, settings.interruptMs - doubt.voicedMs) + endLateMs }
}

/** The caller has the floor. A turn that nobody has heard an answer to goes on as it was. */
export function yieldToCaller(state: Thinking | Speaking, at: At, add = (words: Words) => words): Step {
  const uncommitted = state.phase === 'thinking' && !state.committed
  const words = add(uncommitted ? state.words : NO_WORDS)
  const turnUntilMs = at.nowMs + at.settings.turnMs
  // Should no words come, the caller is asked for them as soon as that is clear.
  const yielding = { ...state, inputDueMs: at.nowMs }
  const next = state.voice ? hear(yielding, words, turnUntilMs) : pauseAfter(yielding, words, turnUntilMs, at)
  return [next, [{ kind: 'cancelReply', interrupted: true }]]
}

/** It was no interruption. */
export function resume(state: Thinking | Speaking): Step {
  const resumed = { ...state, doubt: undefined }
  const [next, effects] = state.writeWanted ? allowWrite(resumed) : [resumed, []]
  return [next, [{ kind: 'resumeSpeech' }, ...effects]]
}

export function allowWrite(state: Thinking | Speaking): Step {
  const allowed = { ...state, writeWanted: false }
  if (allowed.phase === 'speaking' || allowed.committed) return [allowed, [{ kind: 'allowWrite' }]]
  const committed = { ...allowed, committed: true, takenMs: allowed.turnEndMs }
  return [committed, [{ kind: 'commit' }, { kind: 'allowWrite' }]]
}

export function replyFailed(state: Thinking | Speaking, at: At): Step {
  const failed = { ...state, failures: state.failures + 1 }
  if (failed.failures >= at.settings.failures) return giveUp(failed, at)
  if (failed.ending) return conclude(failed, failed.ending, at)
  // What was already said of the reply is heard to its end.
  if (failed.phase === 'speaking') return [{ ...failed, troubled: true }, [{ kind: 'say', phrase: 'trouble' }]]
  return announce({ ...failed, takenMs: failed.turnEndMs }, 'trouble', at, { troubled: true })
}

/** The caller is better off with a person, and is told so. When not even that can be said, the call ends at once. */
export function giveUp(state: Live, at: At): Step {
  const dead = { ...state, dead: true }
  if (dead.phase === 'away') return [dead, []]
  if (dead.phase === 'speaking' && dead.ending?.firm)
    return dead.begun ? [dead, []] : end(dead, dead.ending.outcome, at)
  const promised = isReplying(dead) && dead.ending?.outcome.kind === 'transfer' ? dead.ending.outcome : undefined
  const outcome = promised ?? insteadOfTheEngine(at.settings)
  return announce(dead, 'handingOver', at, { ending: { outcome, firm: true } })
}

/** Whoever answers then has nobody to tell them who calls and why. */
function insteadOfTheEngine({ onFailure }: TurnSettings): Next {
  if (onFailure === undefined) return engineFailed
  return { kind: 'transfer', wish: { destination: onFailure, by: 'failure', mode: 'blind' } }
}

const engineFailed: Next = { kind: 'handBack', reason: 'engine failed', message: 'failure' }

export function firmly(wish: TransferWish): { readonly ending: Ending } {
  return { ending: { outcome: { kind: 'transfer', wish }, firm: true } }
}

export function conclude(state: Live, ending: Ending, at: At): Step {
  const { outcome } = ending
  // They are asked for their message at once: no other words are needed.
  if (outcome.kind === 'handBack' && outcome.message === 'agent') return end(state, outcome, at)
  return announce(state, outcome.kind === 'hangup' ? 'goodbye' : 'handingOver', at, { ending })
}

/** Says something of our own instead of whatever was being said or thought. */
export function announce(
  state: Live,
  phrase: PhraseName,
  at: At,
  { ending, troubled = false }: { ending?: Ending; troubled?: boolean } = {},
): Step {
  const speaking: Speaking = {
    ...always(state),
    phase: 'speaking',
    ...unquestioned,
    doubted: state.voice,
    ending,
    troubled,
    begun: false,
    // Once it is heard it has more time.
    untilMs: at.nowMs + at.settings.thinkMs,
  }
  const cancel: TurnEffect[] = isReplying(state) ? [{ kind: 'cancelReply', interrupted: false }] : []
  return [speaking, [...cancel, ...unanswered(state), { kind: 'say', phrase }]]
}

/** What the caller said is history, though nobody could answer it. */
function unanswered(state: Live): TurnEffect[] {
  switch (state.phase) {
    case 'hearing':
    case 'pausing': {
      const { words } = state
      return isEmpty(words) ? [] : [{ kind: 'unanswered', text: textOf(words), keys: words.keys }]
    }
    case 'thinking':
      return state.committed ? [] : [{ kind: 'commit' }]
    default:
      return []
  }
}

export function end(state: Live, next: Next, at: At): Step {
  if (next.kind !== 'transfer') return [{ ...always(state), phase: 'ended' }, [{ kind: 'end', outcome: next }]]
  const { wish } = next
  const away = { phase: 'away', wish, recalled: false, untilMs: at.nowMs + at.settings.awayMs } as const
  const paused: TurnEffect[] = isReplying(state) && state.doubt ? [{ kind: 'resumeSpeech' }] : []
  return [{ ...always(state), ...away }, [...paused, { kind: 'transfer', wish }]]
}

/** They are with the destination, or with us again and hear so at once. */
export function comeBack(state: Away, outcome: TransferOutcome, at: At): Step {
  if (outcome === 'connected') return end(state, { kind: 'transferred' }, at)
  // The call ends without us.
  if (outcome === 'callerGone') return [state, []]
  const { wish } = state
  const phrase = phraseOf(outcome)
  // What was said to nobody belongs to no turn.
  const here = { ...state, takenMs: Math.max(state.takenMs, state.voiceStartMs + 1) }
  if (!state.dead) {
    const tell: TurnEffect = { kind: 'tellOutcome', wish, outcome }
    return [thinkOn(here, at), [{ kind: 'back' }, { kind: 'say', phrase }, tell]]
  }
  const tried = wish.by === 'failure' || wish.destination === at.settings.onFailure
  const next = tried ? engineFailed : insteadOfTheEngine(at.settings)
  const [speaking, effects] = announce(here, phrase, at, { ending: { outcome: next, firm: true } })
  return [speaking, [{ kind: 'back' }, ...effects]]
}

/** What they hear at once, whatever the engine is going to say. */
export function phraseOf(outcome: TransferOutcome): PhraseName {
  return outcome === 'cancelled' ? 'broughtBack' : 'notReached'
}

/** They are wanted back: should nobody give them back in time, they are ours all the same. */
export function recall(state: Away, at: At): Step {
  if (state.recalled) return [state, []]
  return [{ ...state, recalled: true, untilMs: at.nowMs + at.settings.recallMs }, [{ kind: 'recall' }]]
}

/** One that was announced and has not begun is not wanted any more. A dead engine could do nothing else for them. */
export function unwish(state: Live, at: At): Step {
  if (!isReplying(state) || state.dead || state.ending?.outcome.kind !== 'transfer') return [state, []]
  return announce(state, 'broughtBack', at)
}

/** What there was of the reply has been heard, and more is being made. */
export function thinkOn(state: Live, { nowMs, settings }: At): Thinking {
  const { doubt, doubted, writeWanted, ending } = { ...unquestioned, ending: undefined, ...state }
  return {
    ...always(state),
    phase: 'thinking',
    words: NO_WORDS,
    sinceMs: nowMs,
    pauseMs: 0,
    turnEndMs: state.takenMs,
    committed: true,
    answered: true,
    doubt,
    doubted,
    writeWanted,
    ending,
    fillMs: nowMs + settings.fillAfterMs,
    filled: false,
    untilMs: nowMs + settings.thinkMs,
  }
}

/** All was heard that we had to say. */
export function fallQuiet(state: Thinking | Speaking, at: At): Step {
  const quiet = { ...state, inputDueMs: at.nowMs + (at.settings.noInputMs[state.prompts] ?? 0) }
  if (!state.doubt) return listen(quiet, at)
  const turnUntilMs = at.nowMs + at.settings.turnMs
  const next = state.voice ? hear(quiet, NO_WORDS, turnUntilMs) : pauseAfter(quiet, NO_WORDS, turnUntilMs, at)
  return [next, [{ kind: 'resumeSpeech' }]]
}
