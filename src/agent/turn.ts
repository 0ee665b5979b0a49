import type { TransferWish } from '../call/ports.ts'
import type { TurnSettings } from './settings.ts'
import {
  type At,
  allowWrite,
  announce,
  comeBack,
  conclude,
  end,
  endOfTurnMs,
  fallQuiet,
  firmly,
  giveUp,
  hear,
  inDoubt,
  type Live,
  pauseAfter,
  recall,
  replyFailed,
  resume,
  takeToThink,
  thinkOn,
  transferInWords,
  turnEndMs,
  unquestioned,
  unwish,
  whileVoiced,
  yieldToCaller,
} from './turn-moves.ts'
import {
  always,
  type Hearing,
  isReplying,
  type Next,
  type Pausing,
  type Speaking,
  type Step,
  type Thinking,
  type TurnEffect,
  type TurnEvent,
  type TurnState,
} from './turn-state.ts'
import { timePassed } from './turn-time.ts'
import { NO_WORDS, textOf, type Words, withKey, withWords } from './words.ts'

/**
 * Who speaks when: `listening -> hearing -> pausing -> thinking -> speaking`, and `away` while the caller waits for somebody
 * else. A pure decision: an event goes in, the next
 * state and what must be done come out. Every state has its time, so no conversation can get stuck.
 *
 * A voice pauses us at once; whether it is an interruption is decided later. What we think is speculative until the first
 * of it is heard: a caller who goes on speaking before that has said one turn, not two.
 */
export function step(state: TurnState, event: TurnEvent, nowMs: number, settings: TurnSettings): Step {
  if (state.phase === 'ended') return [state, []]
  const at: At = { nowMs, settings }
  switch (event.kind) {
    case 'voiceStarted':
      return voiceStarted({ ...state, voice: true, voiceStartMs: event.atMs }, at, event.endLateMs)
    case 'voiceStopped':
      return voiceStopped({ ...state, voice: false, voiceEndMs: event.atMs }, at)
    case 'words':
      return event.text === '' || event.startMs < state.takenMs ? [state, []] : wordsCame(state, event, at)
    case 'digit':
      return digitPressed(state, event.digit, at)
    case 'turnTaken':
      return turnTaken(state, at)
    case 'held':
      return [{ ...state, held: true }, []]
    case 'unheld':
      return [{ ...state, held: false, inputDueMs: nowMs + (settings.noInputMs[state.prompts] ?? 0) }, []]
    case 'absent':
      // Whoever presses keys waits for nothing yet.
      if (isReplying(state) || state.phase === 'away' || ('words' in state && state.words.keys !== ''))
        return [state, []]
      return [thinkOn(state, { ...at, nowMs: nowMs - event.forMs }), []]
    case 'agentStarted':
      return agentStarted(state, at)
    case 'transferWanted':
      return transferWanted(state, event.wish, at)
    case 'recalled':
      return state.phase === 'away' ? recall(state, at) : unwish(state, at)
    case 'transferSettled':
      if (state.phase === 'away') return comeBack(state, event.outcome, at)
      // They had been given up for back.
      return event.outcome === 'connected' ? end(state, { kind: 'transferred' }, at) : [state, []]
    case 'timePassed':
      return timePassed(state, at)
    case 'failed':
      if (event.fatal) return giveUp(state, at)
  }
  // The rest tells of a reply; one that is no longer wanted has nothing to tell.
  if (!isReplying(state)) return [state, []]
  switch (event.kind) {
    case 'failed':
      return replyFailed(state, at)
    case 'writeWanted':
      return state.doubt ? [{ ...state, writeWanted: true }, []] : allowWrite(state)
    case 'endWanted':
      return endWanted(state, event.outcome)
    case 'fillerHeard':
      // As much silence may follow it, however long it was.
      return [state.phase === 'thinking' ? { ...state, fillMs: nowMs + settings.fillAgainMs } : state, []]
    case 'replyEmpty':
      if (state.phase === 'speaking') return [state, []]
      return state.ending ? conclude(state, state.ending, at) : replyFailed(state, at)
    case 'agentQuiet':
      return agentQuiet(state, event.replying, at)
  }
}

/** The key that brings back a caller who waits for somebody else, or is about to. */
const BRING_BACK = '*'

/** The agent has begun its greeting. */
export function greeting(nowMs: number, settings: TurnSettings): TurnState {
  const endsMs = nowMs + settings.durationMs
  return {
    phase: 'speaking',
    endsMs,
    warnMs: endsMs - settings.warnBeforeEndMs,
    inputDueMs: Number.POSITIVE_INFINITY,
    held: false,
    prompts: 0,
    failures: 0,
    voice: false,
    voiceStartMs: Number.NEGATIVE_INFINITY,
    voiceEndMs: Number.NEGATIVE_INFINITY,
    takenMs: Number.NEGATIVE_INFINITY,
    dead: false,
    ...unquestioned,
    ending: undefined,
    troubled: false,
    begun: false,
    untilMs: nowMs + settings.speechMs,
  }
}

function voiceStarted(state: Live, at: At, endLateMs = 0): Step {
  switch (state.phase) {
    case 'listening':
      return [hear(state, NO_WORDS, at.nowMs + at.settings.turnMs), []]
    case 'pausing':
      return [hear(state, state.words, state.turnUntilMs), []]
    case 'hearing':
      return [state, []]
    case 'thinking':
    case 'speaking':
      if (state.ending?.firm) return [state, []]
      if (state.doubt) return [{ ...state, doubt: whileVoiced(state.doubt, at, endLateMs) }, []]
      return [{ ...state, ...inDoubt(at, endLateMs) }, [{ kind: 'pauseSpeech' }]]
    case 'away':
      return [state, []]
  }
}

function voiceStopped(state: Live, at: At): Step {
  switch (state.phase) {
    case 'hearing':
      return [pauseAfter(state, state.words, state.turnUntilMs, at), []]
    case 'thinking':
    case 'speaking': {
      const { doubt } = state
      if (!doubt?.voiced) return [state, []]
      // By media time: a voice is noticed some time after it began, and its end as well.
      const voicedMs = doubt.voicedMs + Math.max(0, state.voiceEndMs - state.voiceStartMs)
      if (voicedMs >= at.settings.interruptMs) return yieldToCaller(state, at)
      const dueMs = Math.max(at.nowMs, doubt.sinceMs + at.settings.falseInterruptionMs)
      return [{ ...state, doubt: { ...doubt, voiced: false, voicedMs, dueMs } }, []]
    }
    default:
      return [state, []]
  }
}

type WordsCame = Extract<TurnEvent, { kind: 'words' }>

function wordsCame(state: Live, event: WordsCame, at: At): Step {
  const added = (words: Words) => withWords(words, event.text, event.final, event.startMs)
  switch (state.phase) {
    case 'listening':
      return [pauseAfter(state, added(NO_WORDS), at.nowMs + at.settings.turnMs, at), []]
    case 'hearing':
      return [{ ...state, words: added(state.words) }, []]
    case 'pausing': {
      const words = added(state.words)
      return [{ ...state, words, untilMs: endOfTurnMs(words, state.sinceMs, at) }, []]
    }
    case 'thinking':
      if (state.ending?.firm) return [state, []]
      if (!state.committed && event.startMs < state.turnEndMs) return revise(state, added(state.words), at)
      return state.committed && !state.doubted ? [state, []] : yieldToCaller(state, at, added)
    case 'speaking':
      // Without any voice these are an echo, or the end of a turn that has been answered.
      return state.doubted && !state.ending?.firm ? yieldToCaller(state, at, added) : [state, []]
    case 'away':
      return [state, []]
  }
}

/** The recognizer says finally what the turn was: if it is something else, we think again. */
function revise(state: Thinking, words: Words, at: At): Step {
  const text = textOf(words)
  if (text === textOf(state.words)) return [{ ...state, words }, []]
  const wish = at.settings.transferIn?.({ text, keys: words.keys })
  if (wish) {
    const taken = { ...state, committed: true, takenMs: state.turnEndMs }
    const [next, [cancel, ...effects]] = announce(taken, 'handingOver', at, firmly(wish))
    return [next, [cancel!, { kind: 'unanswered', text, keys: words.keys }, ...effects]]
  }
  const pause: TurnEffect[] = state.doubt ? [{ kind: 'pauseSpeech' }] : []
  return [
    { ...state, words, untilMs: at.nowMs + at.settings.thinkMs },
    [{ kind: 'cancelReply', interrupted: false }, ...pause, { kind: 'think', text, keys: words.keys }],
  ]
}

function digitPressed(state: Live, digit: string, at: At): Step {
  switch (state.phase) {
    case 'listening':
      return [pauseAfter(state, withKey(NO_WORDS, digit), at.nowMs + at.settings.turnMs, at), []]
    case 'hearing':
      return [{ ...state, words: withKey(state.words, digit) }, []]
    case 'pausing':
      return [pauseAfter(state, withKey(state.words, digit), state.turnUntilMs, at), []]
    case 'thinking':
    case 'speaking':
      // Nobody presses a key by mistake for a cough.
      if (!state.ending?.firm) return yieldToCaller(state, at, words => withKey(words, digit))
      return digit === BRING_BACK ? unwish(state, at) : [state, []]
    case 'away':
      return digit === BRING_BACK ? recall(state, at) : [state, []]
  }
}

function turnTaken(state: Live, at: At): Step {
  switch (state.phase) {
    case 'hearing':
    case 'pausing': {
      const { keys } = state.words
      const transferred = transferInWords(state, at)
      if (transferred) return transferred
      const [taken, effects] = turnTaken(takeToThink(state, at)[0], at)
      return [taken, keys === '' ? effects : [...effects, { kind: 'press', keys }]]
    }
    case 'thinking':
      if (state.committed) return [state, []]
      return [{ ...state, committed: true, takenMs: state.turnEndMs }, [{ kind: 'commit' }]]
    default:
      return [state, []]
  }
}

function endWanted(state: Thinking | Speaking, outcome: Next): Step {
  // What was promised to the caller themselves stands.
  if (state.ending?.firm) return [state, []]
  const ending = { outcome, firm: outcome.kind === 'handBack' }
  return ending.firm && state.doubt ? resume({ ...state, ending }) : [{ ...state, ending }, []]
}

function transferWanted(state: Live, wish: TransferWish, at: At): Step {
  if (state.phase === 'away') return [state, []]
  const ending = isReplying(state) ? state.ending : undefined
  if (ending?.firm) return [state, []]
  if (!isReplying(state) || ending?.outcome.kind !== 'transfer') return announce(state, 'handingOver', at, firmly(wish))
  // The caller is being told of it already, and whoever tells them knows better whom they want.
  const firm = { ...state, ...firmly(wish.by === 'caller' ? ending.outcome.wish : wish) }
  return firm.doubt ? resume(firm) : [firm, []]
}

function agentStarted(state: Live, at: At): Step {
  const untilMs = at.nowMs + at.settings.speechMs
  const speaking: Speaking = {
    ...always(state),
    phase: 'speaking',
    ...unquestioned,
    ending: undefined,
    troubled: false,
    begun: true,
    untilMs,
  }
  switch (state.phase) {
    case 'speaking':
      return [{ ...state, begun: true, untilMs }, []]
    case 'thinking': {
      const { doubt, doubted, writeWanted, ending } = state
      const commit: TurnEffect[] = state.committed ? [] : [{ kind: 'commit' }]
      const answered = { kind: 'answered', thinkMs: at.nowMs - state.sinceMs, pauseMs: state.pauseMs } as const
      const effects = state.answered ? commit : [...commit, answered]
      return [{ ...speaking, takenMs: state.turnEndMs, doubt, doubted, writeWanted, ending }, effects]
    }
    case 'listening':
      return [speaking, []]
    // One who hears, thinks and speaks in one may have judged the end of the turn before us.
    case 'pausing': {
      const answered = { kind: 'answered', thinkMs: 0, pauseMs: at.nowMs - state.sinceMs } as const
      return [{ ...speaking, takenMs: turnEndMs(state) }, [{ kind: 'commit' }, answered, ...unansweredKeys(state)]]
    }
    case 'hearing':
      return [
        { ...speaking, takenMs: turnEndMs(state), ...inDoubt(at) },
        [{ kind: 'commit' }, { kind: 'pauseSpeech' }, ...unansweredKeys(state)],
      ]
    case 'away':
      return [state, []]
  }
}

/** What has begun cannot be the reply to them. */
function unansweredKeys({ words: { keys } }: Hearing | Pausing): TurnEffect[] {
  return keys === '' ? [] : [{ kind: 'think', text: '', keys }]
}

function agentQuiet(state: Thinking | Speaking, replying: boolean, at: At): Step {
  if (replying) return [state.phase === 'speaking' ? thinkOn(state, at) : state, []]
  if (state.ending) return end(state, state.ending.outcome, at)
  const failures = state.phase === 'speaking' && state.troubled ? state.failures : 0
  return fallQuiet({ ...state, failures }, at)
}
