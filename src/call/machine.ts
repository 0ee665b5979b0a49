import { limits } from '../limits.ts'
import type { EndReason } from './events.ts'
import type { Departure, HangupCause, Outcome } from './ports.ts'

/**
 * What a call is: `offered -> answering -> live <-> transferring -> connected -> ending -> ended`. A pure decision: an event goes
 * in, the next state and what must be done come out. Every state has its time, so no call can get stuck.
 */
export type CallState =
  | { readonly name: 'offered' | 'answering' | 'live'; readonly untilMs: number }
  /** The time of the whole call runs on while it is being transferred. */
  | {
      readonly name: 'transferring'
      readonly untilMs: number
      readonly liveUntilMs: number
      /** The carrier takes the caller from this channel, to connect them itself. */
      readonly byCarrier: boolean
    }
  /** The caller talks with somebody else; nothing of it passes here, and it would go on without us. */
  | { readonly name: 'connected'; readonly untilMs: number }
  | { readonly name: 'ending'; readonly untilMs: number; readonly reason: EndReason }
  | { readonly name: 'ended'; readonly reason: EndReason }

export type CallInput =
  /** The agent is ready to speak. */
  | { readonly kind: 'agentReady' }
  | { readonly kind: 'answered' }
  | { readonly kind: 'transferStarted'; readonly byCarrier: boolean }
  /** A caller who is connected is no longer ours; otherwise the agent has the caller back. */
  | { readonly kind: 'transferSettled'; readonly connected: boolean }
  /** Whom the caller was connected with has vanished. */
  | { readonly kind: 'returned' }
  | { readonly kind: 'agentDone'; readonly outcome: Outcome }
  /** The agent, or the way to the caller: they are better off with the dialplan's fallback. */
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'callerGone'; readonly how: Departure }
  | { readonly kind: 'operatorHungUp' }
  | { readonly kind: 'drained' }
  | { readonly kind: 'released' }
  | { readonly kind: 'timePassed' }

export type CallEffect =
  | { readonly kind: 'answer' }
  /** What was said last reaches the caller before the next effect cuts it off. */
  | { readonly kind: 'awaitLastWord' }
  | { readonly kind: 'hangup'; readonly cause: HangupCause }
  | { readonly kind: 'handBack'; readonly reason: string }
  /** The agent's part is over: it and its line go, and the call goes on. */
  | { readonly kind: 'disengage' }
  /** An agent has the caller, by a new line. */
  | { readonly kind: 'engage' }
  /** Gives back all that the call holds; then `released` is expected. */
  | { readonly kind: 'release' }

const departures: Readonly<Record<Departure, EndReason>> = {
  hungUp: 'callerHungUp',
  vanished: 'callerVanished',
  handedBack: 'handedBack',
  takenOver: 'takenOver',
  lost: 'lost',
}

type Step = readonly [CallState, readonly CallEffect[]]

export function offered(nowMs: number): CallState {
  return { name: 'offered', untilMs: nowMs + limits.call.offeredMs }
}

/** A caller who was answered in an earlier life of the gateway. */
export function alreadyLive(nowMs: number): CallState {
  return live(nowMs)
}

export function step(state: CallState, input: CallInput, nowMs: number): Step {
  switch (state.name) {
    case 'offered':
    case 'answering':
    case 'live':
    case 'transferring':
      return stepRunning(state, input, nowMs)
    case 'connected':
      return stepConnected(state, input, nowMs)
    case 'ending':
      if (input.kind === 'released') return [{ name: 'ended', reason: state.reason }, []]
      // Releasing has its own bounds; if even they fail, the call must not stay in the books for ever.
      if (input.kind === 'timePassed' && nowMs >= state.untilMs) return [{ name: 'ended', reason: state.reason }, []]
      return [state, []]
    case 'ended':
      return [state, []]
  }
}

type Running = Exclude<CallState, { name: 'connected' | 'ending' | 'ended' }>

function stepRunning(state: Running, input: CallInput, nowMs: number): Step {
  switch (input.kind) {
    case 'agentReady':
      if (state.name !== 'offered') return [state, []]
      return [{ name: 'answering', untilMs: nowMs + limits.call.answeringMs }, [{ kind: 'answer' }]]
    case 'answered':
      return state.name === 'answering' ? [live(nowMs), []] : [state, []]
    case 'transferStarted':
      if (state.name !== 'live') return [state, []]
      return [
        {
          ...{ name: 'transferring', byCarrier: input.byCarrier },
          ...{ untilMs: nowMs + limits.call.transferringMs, liveUntilMs: state.untilMs },
        },
        [],
      ]
    case 'transferSettled':
      if (state.name !== 'transferring') return [state, []]
      return input.connected ? [connected(nowMs), [{ kind: 'disengage' }]] : [backFrom(state), []]
    case 'agentDone':
      return agentDone(state, input.outcome, nowMs)
    case 'failed':
      return end('failed', nowMs, { kind: 'handBack', reason: input.reason })
    case 'callerGone':
      return end(departureFrom(state, input.how), nowMs)
    case 'operatorHungUp':
      return end('operatorHungUp', nowMs, { kind: 'hangup', cause: 'normal' })
    case 'drained':
      return end('drained', nowMs, { kind: 'hangup', cause: 'normal' })
    case 'timePassed':
      return nowMs >= state.untilMs ? outOfTime(state, nowMs) : [state, []]
    case 'returned':
    case 'released':
      return [state, []]
  }
}

/** Whom the carrier takes away has not hung up. */
function departureFrom(state: Running, how: Departure): EndReason {
  const taken = state.name === 'transferring' && state.byCarrier && (how === 'hungUp' || how === 'vanished')
  return taken ? 'redirected' : departures[how]
}

/** Who hangs up first does not matter: they have talked. */
function stepConnected(state: Extract<CallState, { name: 'connected' }>, input: CallInput, nowMs: number): Step {
  switch (input.kind) {
    case 'returned':
      return [live(nowMs), [{ kind: 'engage' }]]
    case 'callerGone':
      return end(input.how === 'hungUp' || input.how === 'vanished' ? 'transferred' : departures[input.how], nowMs)
    case 'operatorHungUp':
      return end('operatorHungUp', nowMs, { kind: 'hangup', cause: 'normal' })
    case 'drained':
      // They go on talking.
      return end('transferred', nowMs)
    case 'timePassed':
      return nowMs >= state.untilMs ? end('tooLong', nowMs, { kind: 'hangup', cause: 'normal' }) : [state, []]
    default:
      return [state, []]
  }
}

function agentDone(state: Running, outcome: Outcome, nowMs: number): Step {
  const heard: CallEffect[] = state.name === 'live' ? [{ kind: 'awaitLastWord' }] : []
  switch (outcome.kind) {
    case 'hangup':
      return end('agentHungUp', nowMs, ...heard, { kind: 'hangup', cause: 'normal' })
    case 'handBack':
      return end('handedBack', nowMs, ...heard, { kind: 'handBack', reason: outcome.reason })
    case 'transferred':
      // Nobody has taken the caller over: they are ours still.
      return end('failed', nowMs, { kind: 'handBack', reason: 'transferred to nobody' })
    case 'refuse':
      return end('refused', nowMs, { kind: 'hangup', cause: 'congestion' })
  }
}

function outOfTime(state: Running, nowMs: number): Step {
  switch (state.name) {
    case 'live':
      return end('tooLong', nowMs, { kind: 'hangup', cause: 'normal' })
    case 'transferring':
      return [backFrom(state), []]
    case 'offered':
    case 'answering':
      // The caller is still there: the dialplan's fallback can do more for them than a dead line.
      return end('timedOut', nowMs, { kind: 'handBack', reason: `${state.name} too long` })
  }
}

function live(nowMs: number): CallState {
  return { name: 'live', untilMs: nowMs + limits.call.durationMs }
}

function connected(nowMs: number): CallState {
  return { name: 'connected', untilMs: nowMs + limits.call.durationMs }
}

function backFrom(state: Extract<CallState, { name: 'transferring' }>): CallState {
  return { name: 'live', untilMs: state.liveUntilMs }
}

function end(reason: EndReason, nowMs: number, ...effects: CallEffect[]): Step {
  return [{ name: 'ending', untilMs: nowMs + limits.call.endingMs, reason }, [...effects, { kind: 'release' }]]
}

/** What a transfer has come to when the call leaves it as it stands. */
export function stopOf(state: CallState): 'callerGone' | 'cancelled' | 'failed' {
  if (state.name !== 'ending') return 'failed'
  const gone: readonly EndReason[] = ['callerHungUp', 'callerVanished', 'lost', 'takenOver']
  if (gone.includes(state.reason)) return 'callerGone'
  return state.reason === 'failed' ? 'failed' : 'cancelled'
}
