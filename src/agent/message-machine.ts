import type { VoicemailEnd } from '../call/events.ts'

/** What is heard by a caller who is to leave a message. */
export type MessageWords = 'greeting' | 'tone' | 'thanks' | 'excuse'

export interface MessageSettings {
  /** Ends the greeting, and the message. */
  readonly key: string
  /** Without a voice for so long the message is over. */
  readonly silenceMs: number
  readonly maxMs: number
  /** So little of a voice is no message. */
  readonly leastMs: number
  /** The longest that the words may take to be heard, and the message to be on the disk. */
  readonly wordsMs: number
  readonly keepMs: number
}

/** Times are the clock's, also of a voice. */
export type MessageEvent =
  /** All of it, or as much as could be said. */
  | { readonly kind: 'heard'; readonly words: MessageWords }
  /** Not a sound of it. */
  | { readonly kind: 'unsaid'; readonly words: MessageWords }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'voiceStarted'; readonly atMs: number }
  | { readonly kind: 'voiceStopped'; readonly atMs: number }
  /** No more of it can be kept. */
  | { readonly kind: 'stopped'; readonly why: 'limit' | 'cut' }
  /** It is safe, or there is nothing to be kept; `false`: that is not known. */
  | { readonly kind: 'kept'; readonly safe: boolean }
  | { readonly kind: 'timePassed' }
  /** The caller is. */
  | { readonly kind: 'gone' }

export type MessageEffect =
  | { readonly kind: 'say'; readonly words: MessageWords }
  /** Whatever is being said. */
  | { readonly kind: 'hush' }
  | { readonly kind: 'record' }
  /** `worth`: somebody has said something. */
  | { readonly kind: 'keep'; readonly ended: VoicemailEnd; readonly worth: boolean }
  /** `asked`: the caller has heard that there is a message to be left. */
  | { readonly kind: 'end'; readonly asked: boolean }

interface Voice {
  /** While there is one. */
  readonly voiceSinceMs: number | undefined
}

interface Recording extends Voice {
  readonly phase: 'recording'
  readonly sinceMs: number
  /** Of the voices that have ended. */
  readonly voicedMs: number
  readonly quietSinceMs: number
}

export type MessageState =
  | (Voice & { readonly phase: 'greeting' | 'tone'; readonly untilMs: number })
  | Recording
  | { readonly phase: 'keeping'; readonly ended: VoicemailEnd; readonly gone: boolean; readonly untilMs: number }
  | { readonly phase: 'thanking'; readonly untilMs: number }
  | { readonly phase: 'over' }

type Step = readonly [MessageState, readonly MessageEffect[]]

interface At {
  readonly nowMs: number
  readonly settings: MessageSettings
}

/** The greeting is on its way. */
export function asking(nowMs: number, { wordsMs }: MessageSettings): MessageState {
  return { phase: 'greeting', voiceSinceMs: undefined, untilMs: nowMs + wordsMs }
}

/**
 * A message that a caller leaves: `greeting -> tone -> recording -> keeping -> thanking -> over`. A pure decision, and every
 * state has its time. What was said is safe before the caller is thanked for it.
 */
export function step(state: MessageState, event: MessageEvent, nowMs: number, settings: MessageSettings): Step {
  const at: At = { nowMs, settings }
  switch (state.phase) {
    case 'greeting':
    case 'tone':
      return beforeIt(state, event, at)
    case 'recording':
      return whileRecording(state, event, at)
    case 'keeping':
      return whileKeeping(state, event, at)
    case 'thanking': {
      const isOver = event.kind === 'heard' || event.kind === 'unsaid' || event.kind === 'gone'
      return isOver || isDue(state, event, nowMs) ? over(true) : [state, []]
    }
    case 'over':
      return [state, []]
  }
}

/** When time alone leads on. */
export function dueMs(state: MessageState, { silenceMs, maxMs }: MessageSettings): number {
  if (state.phase === 'over') return Number.POSITIVE_INFINITY
  if (state.phase !== 'recording') return state.untilMs
  const fullMs = state.sinceMs + maxMs
  return state.voiceSinceMs === undefined ? Math.min(fullMs, state.quietSinceMs + silenceMs) : fullMs
}

function isDue(state: { readonly untilMs: number }, event: MessageEvent, nowMs: number): boolean {
  return event.kind === 'timePassed' && nowMs >= state.untilMs
}

function over(asked: boolean): Step {
  return [{ phase: 'over' }, [{ kind: 'end', asked }]]
}

type Before = Extract<MessageState, { phase: 'greeting' | 'tone' }>

function beforeIt(state: Before, event: MessageEvent, at: At): Step {
  const inTone = state.phase === 'tone'
  switch (event.kind) {
    case 'voiceStarted':
      return [{ ...state, voiceSinceMs: event.atMs }, []]
    case 'voiceStopped':
      return [{ ...state, voiceSinceMs: undefined }, []]
    case 'gone':
      return over(true)
    case 'key':
      if (inTone || event.key !== at.settings.key) return [state, []]
      return tone(state, at, [{ kind: 'hush' }])
    case 'unsaid':
      if (event.words !== state.phase) return [state, []]
      // Without a tone a message is as good; without a greeting nobody would know what they are to do.
      return inTone ? record(state, at) : over(false)
    case 'heard':
      if (event.words !== state.phase) return [state, []]
      return inTone ? record(state, at) : tone(state, at)
    case 'timePassed':
      if (at.nowMs < state.untilMs) return [state, []]
      return inTone ? record(state, at, [{ kind: 'hush' }]) : tone(state, at, [{ kind: 'hush' }])
    default:
      return [state, []]
  }
}

function tone({ voiceSinceMs }: Before, { nowMs, settings }: At, before: readonly MessageEffect[] = []): Step {
  const untilMs = nowMs + settings.wordsMs
  return [{ phase: 'tone', voiceSinceMs, untilMs }, [...before, { kind: 'say', words: 'tone' }]]
}

function record({ voiceSinceMs }: Before, { nowMs }: At, before: readonly MessageEffect[] = []): Step {
  const state = { phase: 'recording', sinceMs: nowMs, voicedMs: 0, quietSinceMs: nowMs, voiceSinceMs } as const
  return [state, [...before, { kind: 'record' }]]
}

function whileRecording(state: Recording, event: MessageEvent, at: At): Step {
  switch (event.kind) {
    case 'voiceStarted':
      return [{ ...state, voiceSinceMs: event.atMs }, []]
    case 'voiceStopped': {
      const voicedMs = voicedUntil(state, event.atMs)
      const quietSinceMs = Math.max(state.sinceMs, event.atMs)
      return [{ ...state, voiceSinceMs: undefined, voicedMs, quietSinceMs }, []]
    }
    case 'key':
      return event.key === at.settings.key ? keep(state, 'key', at) : [state, []]
    case 'stopped':
      return keep(state, event.why, at)
    case 'gone':
      return keep(state, 'hungUp', at)
    case 'timePassed':
      if (at.nowMs < dueMs(state, at.settings)) return [state, []]
      return keep(state, at.nowMs >= state.sinceMs + at.settings.maxMs ? 'limit' : 'silence', at)
    default:
      return [state, []]
  }
}

/** What was said before it was recorded is none of it. */
function voicedUntil({ voiceSinceMs, sinceMs, voicedMs }: Recording, atMs: number): number {
  if (voiceSinceMs === undefined) return voicedMs
  return voicedMs + Math.max(0, atMs - Math.max(voiceSinceMs, sinceMs))
}

function keep(state: Recording, ended: VoicemailEnd, { nowMs, settings }: At): Step {
  const worth = voicedUntil(state, nowMs) >= settings.leastMs
  const untilMs = nowMs + settings.keepMs
  return [{ phase: 'keeping', ended, gone: ended === 'hungUp', untilMs }, [{ kind: 'keep', ended, worth }]]
}

type Keeping = Extract<MessageState, { phase: 'keeping' }>

function whileKeeping(state: Keeping, event: MessageEvent, at: At): Step {
  switch (event.kind) {
    case 'gone':
      return [{ ...state, gone: true }, []]
    case 'kept':
      return state.gone ? over(true) : thank(state, event.safe, at)
    case 'timePassed':
      if (at.nowMs < state.untilMs) return [state, []]
      return state.gone ? over(true) : thank(state, false, at)
    default:
      return [state, []]
  }
}

/** Nobody is thanked for what may be lost, or was not taken to its end. */
function thank({ ended }: Keeping, safe: boolean, { nowMs, settings }: At): Step {
  const words = safe && ended !== 'cut' ? 'thanks' : 'excuse'
  return [{ phase: 'thanking', untilMs: nowMs + settings.wordsMs }, [{ kind: 'say', words }]]
}
