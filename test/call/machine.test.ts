import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alreadyLive, type CallInput, type CallState, offered, step } from '../../src/call/machine.ts'
import type { Departure } from '../../src/call/ports.ts'
import { limits } from '../../src/limits.ts'

const departures = ['hungUp', 'vanished', 'handedBack', 'takenOver', 'lost'] as const satisfies Departure[]
const inputs: readonly CallInput[] = [
  { kind: 'agentReady' },
  { kind: 'answered' },
  { kind: 'transferStarted', byCarrier: false },
  { kind: 'transferSettled', connected: true },
  { kind: 'transferSettled', connected: false },
  { kind: 'returned' },
  { kind: 'agentDone', outcome: { kind: 'transferred' } },
  { kind: 'agentDone', outcome: { kind: 'hangup' } },
  { kind: 'agentDone', outcome: { kind: 'handBack', reason: 'asked for a person' } },
  { kind: 'failed', reason: 'ENGINE_FAILED' },
  ...departures.map(how => ({ kind: 'callerGone', how }) as const),
  { kind: 'operatorHungUp' },
  { kind: 'drained' },
  { kind: 'released' },
  { kind: 'timePassed' },
]

function reached(...kinds: CallInput[]): CallState {
  return kinds.reduce<CallState>((state, input) => step(state, input, 0)[0], offered(0))
}

const ready: CallInput = { kind: 'agentReady' }
const answered: CallInput = { kind: 'answered' }
const connected: readonly CallInput[] = [
  ...[ready, answered, { kind: 'transferStarted', byCarrier: false } as const],
  { kind: 'transferSettled', connected: true },
]
const states: readonly CallState[] = [
  offered(0),
  reached(ready),
  reached(ready, answered),
  reached(ready, answered, { kind: 'transferStarted', byCarrier: false }),
  reached(...connected),
  reached({ kind: 'callerGone', how: 'hungUp' }),
  reached({ kind: 'callerGone', how: 'hungUp' }, { kind: 'released' }),
]

describe('the call machine', () => {
  it('is answered only when the agent is ready', () => {
    expect(step(offered(0), answered, 0)[0].name).toBe('offered')
    const [state, effects] = step(offered(0), ready, 0)
    expect(state.name).toBe('answering')
    expect(effects).toEqual([{ kind: 'answer' }])
    expect(step(state, ready, 0)[1]).toEqual([])
  })

  it('leaves every state but the last by its timeout', () => {
    const names = ['offered', 'answering', 'live', 'transferring', 'connected', 'ending', 'ended']
    expect(states.map(state => state.name)).toEqual(names)
    for (const state of states.slice(0, -1)) {
      const dueMs = 'untilMs' in state ? state.untilMs : 0
      expect(step(state, { kind: 'timePassed' }, dueMs - 1)[0]).toBe(state)
      expect(step(state, { kind: 'timePassed' }, dueMs)[0].name).not.toBe(state.name)
    }
  })

  it('hands a caller back who could not be answered in time, rather than dropping them', () => {
    const [state, effects] = step(offered(0), { kind: 'timePassed' }, limits.call.offeredMs)
    expect(state).toMatchObject({ name: 'ending', reason: 'timedOut' })
    expect(effects.map(effect => effect.kind)).toEqual(['handBack', 'release'])
  })

  it('gives the agent the caller back when a transfer fails or takes too long, with the time of the call running on', () => {
    const transferring = reached(ready, answered, { kind: 'transferStarted', byCarrier: false })
    const failed = step(transferring, { kind: 'transferSettled', connected: false }, 5)[0]
    const late = step(transferring, { kind: 'timePassed' }, limits.call.transferringMs)[0]
    for (const state of [failed, late]) expect(state).toEqual({ name: 'live', untilMs: limits.call.durationMs })
  })

  it('goes on while the caller talks with somebody else, without the agent, and has them back when that breaks off', () => {
    const [state, effects] = step(reached(...connected.slice(0, -1)), connected.at(-1)!, 0)
    expect([state.name, effects]).toEqual(['connected', [{ kind: 'disengage' }]])
    for (const input of inputs.filter(({ kind }) => kind === 'agentDone' || kind === 'failed')) {
      expect(step(state, input, 0)[0]).toBe(state)
    }
    const [back, more] = step(state, { kind: 'returned' }, 5)
    expect([back, more]).toEqual([{ name: 'live', untilMs: 5 + limits.call.durationMs }, [{ kind: 'engage' }]])
  })

  it('ends as transferred whoever of the two hangs up, and as what it was when they did not', () => {
    const state = reached(...connected)
    const reasons = departures.map(how => step(state, { kind: 'callerGone', how }, 0)[0])
    expect(reasons.map(each => 'reason' in each && each.reason)).toEqual([
      'transferred',
      'transferred',
      'handedBack',
      'takenOver',
      'lost',
    ])
  })

  it('leaves two who talk alone when the gateway stops, and parts them when an operator says so or it is too long', () => {
    const state = reached(...connected)
    expect(step(state, { kind: 'drained' }, 0)).toMatchObject([{ reason: 'transferred' }, [{ kind: 'release' }]])
    for (const input of [{ kind: 'operatorHungUp' }, { kind: 'timePassed' }] as const) {
      const [next, effects] = step(state, input, limits.call.durationMs)
      expect(next.name).toBe('ending')
      expect(effects.map(({ kind }) => kind)).toEqual(['hangup', 'release'])
    }
  })

  it('hands a caller back of whom their agent says that somebody else has them, and nobody does', () => {
    const effects = step(alreadyLive(0), { kind: 'agentDone', outcome: { kind: 'transferred' } }, 0)[1]
    expect(effects.map(({ kind }) => kind)).toEqual(['handBack', 'release'])
  })

  it('ends a call that is too long', () => {
    const [state, effects] = step(alreadyLive(0), { kind: 'timePassed' }, limits.call.durationMs)
    expect(state).toMatchObject({ name: 'ending', reason: 'tooLong' })
    expect(effects[0]).toEqual({ kind: 'hangup', cause: 'normal' })
  })

  it('does not touch a channel that is gone', () => {
    for (const state of states.slice(0, 4)) {
      const [next, effects] = step(state, { kind: 'callerGone', how: 'hungUp' }, 0)
      expect(next).toMatchObject({ name: 'ending', reason: 'callerHungUp' })
      expect(effects).toEqual([{ kind: 'release' }])
    }
  })

  it('knows that the carrier has taken a caller away whom it connects itself, and who has gone in another way', () => {
    const state = reached(ready, answered, { kind: 'transferStarted', byCarrier: true })
    const reasons = departures.map(how => step(state, { kind: 'callerGone', how }, 0)[0])
    expect(reasons.map(each => 'reason' in each && each.reason)).toEqual([
      ...['redirected', 'redirected', 'handedBack', 'takenOver', 'lost'],
    ])
    const stayed = step(state, { kind: 'transferSettled', connected: false }, 0)[0]
    expect(step(stayed, { kind: 'callerGone', how: 'hungUp' }, 0)[0]).toMatchObject({ reason: 'callerHungUp' })
  })

  it('says that the caller hung up only of one who did', () => {
    const reasons = departures.map(how => step(alreadyLive(0), { kind: 'callerGone', how }, 0)[0])
    expect(reasons.map(state => 'reason' in state && state.reason)).toEqual([
      'callerHungUp',
      'callerVanished',
      'handedBack',
      'takenOver',
      'lost',
    ])
  })

  it('whatever happens in whatever order: releases exactly once, never leaves ended, and answers at most once', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...inputs), fc.nat(20_000)), { maxLength: 40 }), events => {
        let state: CallState = offered(0)
        let nowMs = 0
        const done: string[] = []
        for (const [input, laterMs] of events) {
          nowMs += laterMs
          const [next, effects] = step(state, input, nowMs)
          if (state.name === 'ended') expect(next).toBe(state)
          if (state.name === 'ending') expect(effects).toEqual([])
          done.push(...effects.map(effect => effect.kind))
          state = next
        }
        const over = state.name === 'ending' || state.name === 'ended'
        expect(done.filter(kind => kind === 'release')).toHaveLength(over ? 1 : 0)
        expect(done.filter(kind => kind === 'answer').length).toBeLessThanOrEqual(1)
        expect(done.filter(kind => kind === 'hangup' || kind === 'handBack').length).toBeLessThanOrEqual(1)
      }),
      { seed: 7, numRuns: 500 },
    )
  })
})
