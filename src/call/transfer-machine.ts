import { limits } from '../limits.ts'
import type { TransferMode, TransferOutcome } from './events.ts'
import type { DialFailure, Joined } from './ports.ts'

/**
 * What a transfer is: `dialling -> ringing -> answered -> briefing -> joining -> ended`, of which a blind one skips two. A pure
 * decision: an event goes in, the next state and what must be done come out. The caller is ours in every state but the last
 * two, and there only if it ends well. Every state has its time.
 */
export type TransferState = Underway | { readonly name: 'ended'; readonly outcome: TransferOutcome }

interface Underway {
  readonly name: 'dialling' | 'ringing' | 'answered' | 'briefing' | 'joining'
  readonly untilMs: number
  readonly mode: TransferMode
  /** What the caller hears as long as the far end has no sound of its own. */
  readonly waiting: Waiting
  readonly heard: Heard
}

/** Our line, on which the agent's side lets it ring; or the PBX's music. */
export type Waiting = 'line' | 'music'
type Heard = Waiting | 'far'

export type TransferInput =
  | { readonly kind: 'rang' }
  | { readonly kind: 'ownSound' }
  | { readonly kind: 'answered' }
  /** Whoever has answered hears us. */
  | { readonly kind: 'consulted' }
  | { readonly kind: 'briefed'; readonly accepted: boolean }
  | { readonly kind: 'joined'; readonly result: Joined }
  | { readonly kind: 'farEnded'; readonly why: DialFailure | 'hungUp' }
  /** The caller is to be brought back. */
  | { readonly kind: 'cancelled' }
  /** It cannot go on, or the call itself does not. */
  | { readonly kind: 'stopped'; readonly outcome: 'callerGone' | 'cancelled' | 'failed' }
  | { readonly kind: 'timePassed' }

export type TransferEffect =
  | { readonly kind: 'dial' }
  | { readonly kind: 'tellRang' }
  | { readonly kind: 'tellAnswered' }
  | { readonly kind: 'hear'; readonly what: Heard }
  /** Lets whoever has answered hear us; then `consulted` is expected. */
  | { readonly kind: 'consult' }
  | { readonly kind: 'brief' }
  | { readonly kind: 'join' }
  /** All of it is over: what was made for it goes. */
  | { readonly kind: 'end'; readonly outcome: TransferOutcome }

type Step = readonly [TransferState, readonly TransferEffect[]]

export function dialling(mode: TransferMode, waiting: Waiting, ringMs: number, nowMs: number): Step {
  const state = { name: 'dialling', untilMs: nowMs + ringMs, mode, waiting, heard: waiting } as const
  return [state, [{ kind: 'dial' }, ...hear('line', waiting)]]
}

export function stepTransfer(state: TransferState, input: TransferInput, nowMs: number): Step {
  if (state.name === 'ended') return [state, []]
  switch (input.kind) {
    case 'rang':
      return state.name === 'dialling' ? [{ ...state, name: 'ringing' }, [{ kind: 'tellRang' }]] : [state, []]
    case 'ownSound':
      return ownSound(state)
    case 'answered':
      return answered(state, nowMs)
    case 'consulted':
      if (state.name !== 'answered') return [state, []]
      return [{ ...state, name: 'briefing', untilMs: nowMs + limits.transfer.briefingMs }, [{ kind: 'brief' }]]
    case 'briefed':
      if (state.name !== 'briefing') return [state, []]
      return input.accepted ? join(state, nowMs) : end(state, 'declined')
    case 'joined':
      return state.name === 'joining' ? end(state, outcomeOfJoining[input.result]) : [state, []]
    case 'farEnded':
      return farEnded(state, input.why)
    case 'cancelled':
      // It has gone too far to be taken back: it may have happened.
      return state.name === 'joining' ? [state, []] : end(state, 'cancelled')
    case 'stopped':
      return end(state, input.outcome)
    case 'timePassed':
      return nowMs >= state.untilMs ? end(state, outOfTime[state.name]) : [state, []]
  }
}

/** One that has answered and is gone when the caller should hear them has not taken the call. */
const outcomeOfJoining = { joined: 'connected', callerGone: 'callerGone', otherGone: 'declined' } as const

const outOfTime = {
  /** Not even a sign that the call has arrived somewhere. */
  dialling: 'unreachable',
  ringing: 'noAnswer',
  answered: 'failed',
  /** Nobody has said yes: a voicemail, perhaps. */
  briefing: 'declined',
  joining: 'failed',
} as const satisfies Record<Underway['name'], TransferOutcome>

function ownSound(state: Underway): Step {
  if ((state.name !== 'dialling' && state.name !== 'ringing') || state.heard === 'far') return [state, []]
  const rang: TransferEffect[] = state.name === 'dialling' ? [{ kind: 'tellRang' }] : []
  return [{ ...state, name: 'ringing', heard: 'far' }, [...rang, ...hear(state.heard, 'far')]]
}

function answered(state: Underway, nowMs: number): Step {
  if (state.name !== 'dialling' && state.name !== 'ringing') return [state, []]
  const told = { kind: 'tellAnswered' } as const
  if (state.mode === 'blind') {
    const [next, effects] = join(state, nowMs)
    return [next, [told, ...effects]]
  }
  // What is said to whoever has answered is not for the caller.
  const { waiting, heard } = state
  const consulting = { name: 'answered', untilMs: nowMs + limits.transfer.consultMs, heard: waiting } as const
  return [{ ...state, ...consulting }, [told, ...hear(heard, waiting), { kind: 'consult' }]]
}

function join(state: Underway, nowMs: number): Step {
  return [{ ...state, name: 'joining', untilMs: nowMs + limits.transfer.joiningMs }, [{ kind: 'join' }]]
}

/** Who is on the way to the caller cannot be told apart from one who has arrived: the joining itself tells. */
function farEnded(state: Underway, why: DialFailure | 'hungUp'): Step {
  switch (state.name) {
    case 'dialling':
    case 'ringing':
      return end(state, why === 'hungUp' ? 'failed' : why)
    case 'answered':
    case 'briefing':
      return end(state, 'declined')
    case 'joining':
      return [state, []]
  }
}

function end(state: Underway, outcome: TransferOutcome): Step {
  const back = outcome === 'connected' || outcome === 'callerGone' ? [] : hear(state.heard, 'line')
  return [{ name: 'ended', outcome }, [...back, { kind: 'end', outcome }]]
}

function hear(before: Heard, what: Heard): TransferEffect[] {
  return what === before ? [] : [{ kind: 'hear', what }]
}
