import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dialling, stepTransfer, type TransferInput, type TransferState } from '../../src/call/transfer-machine.ts'
import { limits } from '../../src/limits.ts'

const RING_MS = 30_000
const inputs: readonly TransferInput[] = [
  { kind: 'rang' },
  { kind: 'ownSound' },
  { kind: 'answered' },
  { kind: 'consulted' },
  { kind: 'briefed', accepted: true },
  { kind: 'briefed', accepted: false },
  ...(['joined', 'callerGone', 'otherGone'] as const).map(result => ({ kind: 'joined', result }) as const),
  ...(['busy', 'noAnswer', 'rejected', 'unreachable', 'hungUp'] as const).map(
    why => ({ kind: 'farEnded', why }) as const,
  ),
  { kind: 'cancelled' },
  ...(['callerGone', 'cancelled', 'failed'] as const).map(outcome => ({ kind: 'stopped', outcome }) as const),
  { kind: 'timePassed' },
]
const rang: TransferInput = { kind: 'rang' }
const answered: TransferInput = { kind: 'answered' }
const consulted: TransferInput = { kind: 'consulted' }
const yes: TransferInput = { kind: 'briefed', accepted: true }
const no: TransferInput = { kind: 'briefed', accepted: false }
const joined: TransferInput = { kind: 'joined', result: 'joined' }

function reached(mode: 'blind' | 'attended', ...happened: readonly TransferInput[]): TransferState {
  const waiting = 'line'
  return happened.reduce((state, input) => stepTransfer(state, input, 0)[0], dialling(mode, waiting, RING_MS, 0)[0])
}

function effects(state: TransferState, input: TransferInput, nowMs = 0): string[] {
  return stepTransfer(state, input, nowMs)[1].map(effect => ('what' in effect ? `hear ${effect.what}` : effect.kind))
}

describe('a transfer', () => {
  it('that is blind joins the caller with whoever answers', () => {
    expect(dialling('blind', 'line', RING_MS, 0)[1]).toEqual([{ kind: 'dial' }])
    expect(effects(reached('blind'), rang)).toEqual(['tellRang'])
    expect(effects(reached('blind', rang), answered)).toEqual(['tellAnswered', 'join'])
    expect(reached('blind', rang, answered, joined)).toEqual({ name: 'ended', outcome: 'connected' })
    expect(reached('blind', answered, joined)).toEqual({ name: 'ended', outcome: 'connected' })
  })

  it('that is attended asks whoever answers first, and joins nobody who has not said yes', () => {
    expect(effects(reached('attended', rang), answered)).toEqual(['tellAnswered', 'consult'])
    expect(effects(reached('attended', rang, answered), consulted)).toEqual(['brief'])
    expect(effects(reached('attended', rang, answered, consulted), yes)).toEqual(['join'])
    expect(reached('attended', rang, answered, consulted, no)).toEqual({ name: 'ended', outcome: 'declined' })
  })

  it('lets the caller hear the far end’s own sound, and never what is said to whoever has answered', () => {
    const own: TransferInput = { kind: 'ownSound' }
    expect(effects(reached('attended'), own)).toEqual(['tellRang', 'hear far'])
    expect(effects(reached('attended', rang), own)).toEqual(['hear far'])
    expect(effects(reached('attended', rang, own), own)).toEqual([])
    expect(effects(reached('attended', own), answered)).toEqual(['tellAnswered', 'hear line', 'consult'])
    expect(effects(reached('blind', own), answered)).toEqual(['tellAnswered', 'join'])
    expect(effects(reached('blind', own), { kind: 'farEnded', why: 'busy' })).toEqual(['hear line', 'end'])
  })

  it('lets the caller hear music instead where that is wished for, also while whoever has answered is spoken to', () => {
    const start = dialling('attended', 'music', RING_MS, 0)
    const heard = start[1].flatMap(effect => ('what' in effect ? [effect.what] : []))
    let [state] = start
    for (const input of [{ kind: 'ownSound' }, answered, consulted, no] as const) {
      const [next, more] = stepTransfer(state, input, 0)
      heard.push(...more.flatMap(effect => ('what' in effect ? [effect.what] : [])))
      state = next
    }
    expect(heard).toEqual(['music', 'far', 'music', 'line'])
  })

  it.each([
    ['nobody is reached', [], 'unreachable', RING_MS],
    ['nobody answers', [rang], 'noAnswer', RING_MS],
    ['whoever has answered cannot be spoken to', [rang, answered], 'failed', limits.transfer.consultMs],
    ['nobody says yes', [rang, answered, consulted], 'declined', limits.transfer.briefingMs],
    ['joining takes too long', [rang, answered, consulted, yes], 'failed', limits.transfer.joiningMs],
  ] as const)('is over when %s in time', (_, happened, outcome, dueMs) => {
    const state = reached('attended', ...happened)
    expect(stepTransfer(state, { kind: 'timePassed' }, dueMs - 1)[0]).toBe(state)
    expect(stepTransfer(state, { kind: 'timePassed' }, dueMs)[0]).toEqual({ name: 'ended', outcome })
  })

  it('tells how the far end has ended by whether it had answered', () => {
    for (const why of ['busy', 'noAnswer', 'rejected', 'unreachable'] as const) {
      expect(reached('blind', rang, { kind: 'farEnded', why })).toEqual({ name: 'ended', outcome: why })
    }
    const hungUp: TransferInput = { kind: 'farEnded', why: 'hungUp' }
    expect(reached('attended', rang, answered, hungUp)).toEqual({ name: 'ended', outcome: 'declined' })
    expect(reached('attended', rang, answered, consulted, hungUp)).toEqual({ name: 'ended', outcome: 'declined' })
    expect(reached('blind', answered, hungUp).name).toBe('joining')
    expect(reached('blind', answered, { kind: 'joined', result: 'otherGone' })).toMatchObject({ outcome: 'declined' })
  })

  it('is taken back until the caller is on the way, and no further', () => {
    for (const happened of [[], [rang], [rang, answered], [rang, answered, consulted]]) {
      expect(reached('attended', ...happened, { kind: 'cancelled' })).toEqual({ name: 'ended', outcome: 'cancelled' })
    }
    expect(reached('blind', answered, { kind: 'cancelled' }).name).toBe('joining')
    expect(reached('blind', answered, { kind: 'cancelled' }, joined)).toMatchObject({ outcome: 'connected' })
  })

  it('whatever happens in whatever order: ends once, dials once, joins at most once, and leaves the caller where they hear somebody', () => {
    const modes = fc.constantFrom('blind' as const, 'attended' as const)
    const happenings = fc.array(fc.tuple(fc.constantFrom(...inputs), fc.nat(20_000)), { maxLength: 30 })
    fc.assert(
      fc.property(modes, fc.constantFrom('line' as const, 'music' as const), happenings, (mode, waiting, events) => {
        let [state, first] = dialling(mode, waiting, RING_MS, 0)
        let nowMs = 0
        const done = [...first]
        for (const [input, laterMs] of events) {
          nowMs += laterMs
          const [next, more] = stepTransfer(state, input, nowMs)
          if (state.name === 'ended') expect(next).toBe(state)
          done.push(...more)
          state = next
        }
        const count = (kind: string) => done.filter(effect => effect.kind === kind).length
        for (const kind of ['tellRang', 'tellAnswered', 'consult', 'brief', 'join']) {
          expect(count(kind)).toBeLessThanOrEqual(1)
        }
        expect(count('dial')).toBe(1)
        expect(count('end')).toBe(state.name === 'ended' ? 1 : 0)
        if (mode === 'attended') expect(count('join')).toBeLessThanOrEqual(count('brief'))
        const heard = done.flatMap(effect => (effect.kind === 'hear' ? [effect.what] : []))
        expect(heard.every((what, at) => what !== (heard[at - 1] ?? 'line'))).toBe(true)
        if (state.name === 'ended' && !['connected', 'callerGone'].includes(state.outcome)) {
          expect(heard.at(-1) ?? 'line').toBe('line')
        }
      }),
      { seed: 6, numRuns: 1_000 },
    )
  })

  it('leaves every state but the last by its timeout', () => {
    const all = [[], [rang], [rang, answered], [rang, answered, consulted], [rang, answered, consulted, yes]]
    const states = all.map(happened => reached('attended', ...happened))
    expect(states.map(({ name }) => name)).toEqual(['dialling', 'ringing', 'answered', 'briefing', 'joining'])
    const longest = Math.max(...states.map(state => ('untilMs' in state ? state.untilMs : 0)))
    for (const state of states) expect(stepTransfer(state, { kind: 'timePassed' }, longest)[0].name).toBe('ended')
  })

  it('may take less altogether than the call gives it', () => {
    const { consultMs, briefingMs, joiningMs } = limits.transfer
    // The longest that a business may choose for the ringing.
    expect(120_000 + consultMs + briefingMs + joiningMs).toBeLessThan(limits.call.transferringMs)
  })
})
