import {
  type At,
  announce,
  comeBack,
  end,
  fallQuiet,
  type Live,
  listen,
  recall,
  replyFailed,
  resume,
  take,
  yieldToCaller,
} from './turn-moves.ts'
import type { Pausing, Speaking, Step, Thinking } from './turn-state.ts'
import { isEmpty } from './words.ts'

/** What the passing of time alone leads to, phase by phase. */
export function timePassed(state: Live, at: At): Step {
  const { nowMs } = at
  if (nowMs >= state.endsMs && state.phase !== 'away') return timeOver(state, at)
  switch (state.phase) {
    case 'listening':
      if (!state.held && nowMs >= state.inputDueMs) return noInput(state, at)
      return nowMs >= state.warnMs ? announce(warned(state), 'endingSoon', at) : [state, []]
    case 'hearing':
      if (nowMs < state.turnUntilMs) return [state, []]
      return isEmpty(state.words) ? noInput(state, at) : take(state, at)
    case 'pausing':
      return nowMs < state.untilMs ? [state, []] : pauseOver(state, at)
    case 'thinking':
      if (nowMs >= state.untilMs) return replyFailed(state, at)
      if (state.doubt) return doubtTime(state, at)
      if (nowMs < state.fillMs) return [state, []]
      return [
        { ...state, filled: true, fillMs: nowMs + at.settings.fillAgainMs },
        [{ kind: 'fill', again: state.filled }],
      ]
    case 'speaking':
      if (nowMs >= state.untilMs) return speechTooLong(state, at)
      if (state.doubt) return doubtTime(state, at)
      return nowMs < state.warnMs || state.ending
        ? [state, []]
        : [warned(state), [{ kind: 'say', phrase: 'endingSoon' }]]
    case 'away':
      if (state.recalled && nowMs >= state.untilMs) return comeBack(state, 'failed', at)
      return nowMs < Math.min(state.untilMs, state.endsMs) ? [state, []] : recall(state, at)
  }
}

function warned<S extends Live>(state: S): S {
  return { ...state, warnMs: Number.POSITIVE_INFINITY }
}

function timeOver(state: Live, at: At): Step {
  const over = { ...warned(state), endsMs: Number.POSITIVE_INFINITY }
  if (over.phase === 'speaking' && over.ending?.firm) return [over, []]
  return announce(over, 'timeOver', at, { ending: { outcome: { kind: 'hangup' }, firm: true } })
}

function noInput(state: Live, at: At): Step {
  const prompts = state.prompts + 1
  const asked = { ...state, prompts, takenMs: Math.max(state.takenMs, state.voiceEndMs) }
  if (prompts >= at.settings.noInputMs.length) {
    return announce(asked, 'goodbye', at, { ending: { outcome: { kind: 'hangup' }, firm: false } })
  }
  const spokeWithoutWords = state.voice || state.voiceEndMs > state.takenMs
  return announce(asked, spokeWithoutWords ? 'trouble' : 'stillThere', at)
}

function pauseOver(state: Pausing, at: At): Step {
  if (!isEmpty(state.words)) return take(state, at)
  if (state.asked) return listen(state, at)
  const untilMs = Math.max(at.nowMs, state.sinceMs + at.settings.wordsMs)
  return [{ ...state, asked: true, untilMs }, [{ kind: 'finishHearing' }]]
}

function doubtTime(state: Thinking | Speaking, at: At): Step {
  if (!state.doubt || at.nowMs < state.doubt.dueMs) return [state, []]
  return state.doubt.voiced ? yieldToCaller(state, at) : resume(state)
}

/** The line has not told the end of what it plays. */
function speechTooLong(state: Speaking, at: At): Step {
  if (state.ending) {
    const [next, effects] = end({ ...state, doubt: undefined }, state.ending.outcome, at)
    return [next, next.phase === 'away' ? [{ kind: 'cancelReply', interrupted: false }, ...effects] : effects]
  }
  const [next] = fallQuiet({ ...state, doubt: undefined }, at)
  return [next, [{ kind: 'cancelReply', interrupted: false }]]
}
