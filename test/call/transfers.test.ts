import { describe, expect, it } from 'vitest'
import type { TransferOutcome } from '../../src/call/events.ts'
import type { TransferNotice } from '../../src/call/ports.ts'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { channelGone, FakeLeg } from '../support/fake-leg.ts'
import { HastyClock } from '../support/hasty-clock.ts'
import { bringTo, RING_MS, type Stage, stage, steps, type TransferStep, withDestinations } from './transferring.ts'

async function answered(options: Parameters<typeof stage>[0] = {}): Promise<Stage> {
  const at = stage(options)
  await at.offer(at.leg)
  return at
}

/** Both ends of every path: what the agent is told is what the record has, and it has it once. */
function told(at: Stage): TransferOutcome[] {
  const recorded = at.transfers().flatMap(fact => (fact.name === 'transferEnded' ? [fact.outcome] : []))
  const began = at.transfers().filter(({ name }) => name === 'transferBegan')
  expect(recorded).toHaveLength(began.length)
  expect(at.outcomes).toEqual(recorded)
  return recorded
}

async function hangUp(at: Stage): Promise<void> {
  at.leg.took = async () => {}
  at.leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
  await at.clock.run(limits.call.endingMs)
  at.nothingIsLeft()
}

describe('a transfer of a call', () => {
  it('connects the caller with who answers, and gives back the line and the agent', async () => {
    const at = await answered()
    await at.transfer()
    await at.clock.run(120)
    await at.happen({ kind: 'ringing' })
    expect(at.exchange.find('c1')?.state).toBe('transferring')
    await at.clock.run(2_000)
    await at.happen({ kind: 'answered' })
    expect(at.transfers()).toEqual([
      { name: 'transferBegan', attempt: 1, destination: 'reception', mode: 'blind', by: 'agent', private: {} },
      { name: 'transferRang', attempt: 1, afterMs: 120 },
      { name: 'transferAnswered', attempt: 1, afterMs: 2_120 },
      { name: 'transferEnded', attempt: 1, outcome: 'connected', tookMs: 2_120 },
    ])
    expect(at.told).toEqual(['rings'])
    expect(at.leg.log).toEqual(['connect', 'answer', 'dial reception', 'join'])
    const { state, ports, channels } = at.exchange.find('c1')!.view
    expect([state, ports, channels.media, at.lines.size]).toEqual(['connected', undefined, undefined, 0])
    // The caller, and whom they talk with.
    expect(at.admission.figures).toMatchObject({ calls: 1, pairsUsed: 2 })
    await at.clock.run(60_000)
    await hangUp(at)
    expect(at.factsOf('c1').at(-1)).toMatchObject({ name: 'ended', reason: 'transferred' })
    expect(told(at)).toEqual(['connected'])
  })

  it('that is attended lets whoever answers decide, by a line of their own', async () => {
    for (const answer of ['accepted', 'declined'] as const) {
      const at = await answered()
      await at.transfer({ destination: 'billing', reason: 'Asks about a bill.' })
      await at.happen({ kind: 'answered' })
      expect([at.told, at.lines.size, at.leg.log.at(-1)]).toEqual([['brief'], 2, 'consult'])
      const digits: string[] = []
      at.far.party!.onDigit(digit => digits.push(digit))
      await at.happen({ kind: 'digit', digit: '1', heldMs: 90 })
      expect([digits, at.facts('c1').includes('digitPressed')]).toEqual([['1'], false])
      await at.answerBriefing(answer)
      expect(told(at)).toEqual([answer === 'accepted' ? 'connected' : 'declined'])
      expect([at.lines.size, at.far1().closed]).toEqual([answer === 'accepted' ? 0 : 1, true])
      expect(at.exchange.find('c1')?.state).toBe(answer === 'accepted' ? 'connected' : 'live')
      await hangUp(at)
    }
  })

  it('lets the caller hear the far end’s own sound, and the line again before the agent has them back', async () => {
    const at = await answered()
    await at.transfer()
    await at.happen({ kind: 'ownSound' })
    await at.happen({ kind: 'ended', why: 'busy', cause: 'busy' })
    expect(at.told).toEqual(['rings', 'own sound true', 'own sound false'])
    expect(at.leg.log.slice(-3)).toEqual(['dial reception', 'letHear far', 'letHear line'])
    expect(told(at)).toEqual(['busy'])
    await hangUp(at)
  })

  it('lets the caller hear music where the business wants it', async () => {
    const business = { ...withDestinations, transfers: { waiting: 'music' as const } }
    const at = await answered({ addressee: { business } })
    await at.transfer()
    await at.happen({ kind: 'ringing' })
    await at.happen({ kind: 'ended', why: 'busy', cause: 'busy' })
    expect(at.told).toEqual(['own sound true', 'rings', 'own sound false'])
    expect(at.leg.log.slice(-3)).toEqual(['dial reception', 'letHear music', 'letHear line'])
    await hangUp(at)
  })

  it('is not settled before the caller hears our line', async () => {
    const at = await answered()
    await at.transfer()
    await at.happen({ kind: 'ownSound' })
    const heard = Promise.withResolvers<void>()
    at.leg.letHear = () => heard.promise
    await at.happen({ kind: 'ended', why: 'busy', cause: 'busy' })
    expect([at.outcomes, at.told.at(-1)]).toEqual([[], 'own sound false'])
    heard.resolve()
    await at.clock.settle()
    expect(told(at)).toEqual(['busy'])
  })

  it.each([
    ['busy', 'busy'],
    ['noAnswer', 'noAnswer'],
    ['rejected', 'rejected'],
    ['unreachable', 'unreachable'],
  ] as const)('tells that the far end was %s, once', async (why, outcome) => {
    const at = await answered()
    await at.transfer()
    await at.happen({ kind: 'ringing' })
    await at.happen({ kind: 'ended', why, cause: 'it said so' })
    expect(told(at)).toEqual([outcome])
    expect(at.exchange.find('c1')?.state).toBe('live')
    expect([at.far1().closed, at.admission.figures.pairsUsed]).toEqual([true, 1])
    await hangUp(at)
  })

  it.each([
    ['reception', RING_MS],
    ['billing', 10_000],
  ] as const)('rings at %s as long as that says, else as the gateway does', async (destination, ringMs) => {
    const at = await answered()
    await at.transfer({ destination })
    await at.happen({ kind: 'ringing' })
    await at.clock.run(ringMs - 1)
    expect(at.outcomes).toEqual([])
    await at.clock.run(1)
    expect(told(at)).toEqual(['noAnswer'])
    await hangUp(at)
  })

  it('rings no longer than that where timers come a little early, as the system’s do', async () => {
    const at = await answered({ clock: new HastyClock() })
    await at.transfer()
    await at.happen({ kind: 'ringing' })
    await at.clock.run(RING_MS + 5)
    expect(told(at)).toEqual(['noAnswer'])
    await hangUp(at)
  })

  it('dials nobody when all port pairs are in use', async () => {
    const at = await answered({ rtp: { start: 10_000, end: 10_005 } })
    const other = await at.offer(new FakeLeg('c2'))
    expect(at.admission.figures).toMatchObject({ pairs: 2, pairsUsed: 2 })
    // The second call's agent asks.
    await at.transfer()
    expect([at.leg.log, other.log].flat().filter(what => what.startsWith('dial'))).toEqual([])
    const recorded = at.events.flatMap(({ fact }) => (fact.name === 'transferEnded' ? [fact.outcome] : []))
    expect([recorded, at.outcomes]).toEqual([['noPort'], ['noPort']])
  })

  it('goes nowhere but to the business’s destinations, and one at a time', async () => {
    const at = await answered()
    await at.transfer({ destination: 'sip:thief@192.0.2.66' })
    expect([at.outcomes, at.transfers(), at.leg.dialled]).toEqual([['failed'], [], []])
    await at.transfer()
    await at.transfer()
    expect([at.outcomes, at.leg.dialled.length]).toEqual([['failed', 'failed'], 1])
    const details = at.factsOf('c1').flatMap(fact => (fact.name === 'degraded' ? [[fact.code, fact.detail]] : []))
    expect(details).toEqual([
      ['TRANSFER_REFUSED', 'A transfer was not begun: "sip:thief@192.0.2.66" is no destination of the business.'],
      ['TRANSFER_REFUSED', 'A transfer was not begun: The call is transferring.'],
    ])
    at.outcomes.length = 0
    await hangUp(at)
    expect(told(at)).toEqual(['callerGone'])
  })

  it('tries the next destination with the same pair, and counts its attempts', async () => {
    const at = await answered({ rtp: { start: 10_000, end: 10_005 } })
    for (let attempt = 1; attempt <= 3; attempt++) {
      await at.transfer()
      await at.happen({ kind: 'ended', why: 'busy', cause: 'busy' })
      expect(at.transfers().at(-1)).toMatchObject({ attempt, outcome: 'busy' })
    }
    expect(told(at)).toEqual(['busy', 'busy', 'busy'])
    await hangUp(at)
  })

  it.each([
    ['dial', 'dialling'],
    ['letHear', 'own sound'],
    ['consult', 'ringing'],
    ['join', 'briefing'],
  ] as const)(
    'gives the agent the caller back when %s fails, with the reason in the record',
    async (operation, step) => {
      const at = await answered()
      at.leg.failing.set(operation, new GatewayError('ARI_TIMEOUT', 'No reply.'))
      await bringTo(step, 'attended', at)
      if (operation === 'consult') await at.happen({ kind: 'answered' })
      if (step === 'briefing') await at.answerBriefing('accepted')
      expect(at.factsOf('c1')).toContainEqual({
        ...{ name: 'degraded', code: 'ARI_TIMEOUT' },
        detail: 'A transfer failed: No reply.',
      })
      // Without its own sound the far end can be waited for all the same.
      if (operation === 'letHear') await at.happen({ kind: 'ended', why: 'busy', cause: 'busy' })
      expect(told(at)).toEqual([operation === 'letHear' ? 'busy' : 'failed'])
      expect([at.exchange.find('c1')?.state, at.admission.figures.pairsUsed]).toEqual(['live', 1])
      at.leg.failing.clear()
      await hangUp(at)
    },
  )

  it('that fails when its line does is over, and the call goes on', async () => {
    const at = await answered()
    await bringTo('briefing', 'attended', at)
    await at.failLine('no socket')
    expect(told(at)).toEqual(['failed'])
    expect(at.exchange.find('c1')?.state).toBe('live')
    await hangUp(at)
  })

  it('does not blame a far end that is gone while it is spoken to', async () => {
    const at = await answered()
    at.leg.failing.set('consult', channelGone())
    await bringTo('answered', 'attended', at)
    await at.happen({ kind: 'ended', why: 'hungUp', cause: 'normal' })
    expect([told(at), at.facts('c1').includes('degraded')]).toEqual([['declined'], false])
    await hangUp(at)
  })
})

const matrix = (['blind', 'attended'] as const).flatMap(mode =>
  steps
    .filter(step => mode === 'attended' || (step !== 'answered' && step !== 'briefing'))
    .map(step => [mode, step] as const),
)

describe.each(matrix)('a transfer (%s) at the step %s', (mode, step) => {
  const start = async () => {
    const at = await answered()
    await bringTo(step, mode, at)
    return at
  }
  const isThere = (at: Stage) => expect(at.exchange.find('c1')?.state).toBe('transferring')

  it('leaves nothing when the caller hangs up', async () => {
    const at = await start()
    isThere(at)
    await hangUp(at)
    expect(told(at)).toEqual(['callerGone'])
    expect(at.factsOf('c1').at(-1)).toMatchObject({ name: 'ended', reason: 'callerHungUp' })
    expect(at.leg.dialled.every(({ closed }) => closed)).toBe(true)
  })

  it('leaves nothing when an operator hangs up, and when the gateway stops', async () => {
    for (const by of ['operator', 'drain'] as const) {
      const at = await start()
      at.leg.took = async () => {}
      at.exchange.find('c1')!.hangUp(by)
      await at.clock.run(limits.call.endingMs)
      expect(told(at)).toEqual(['cancelled'])
      expect(at.leg.dialled.every(({ closed }) => closed)).toBe(true)
      at.nothingIsLeft()
    }
  })

  it('ends by itself, with the caller back', async () => {
    const at = await start()
    at.leg.took = async () => {}
    await at.clock.run(limits.call.transferringMs)
    const late: Record<TransferStep, TransferOutcome> = {
      ...{ dialling: 'unreachable', ringing: 'noAnswer', 'own sound': 'noAnswer' },
      ...{ answered: 'failed', briefing: 'declined', joining: 'failed' },
    }
    expect(told(at)).toEqual([late[step]])
    expect([at.exchange.find('c1')?.state, at.lines.size]).toEqual(['live', 1])
    await hangUp(at)
  })

  it('is brought back, unless the caller is on their way', async () => {
    const at = await answered()
    const { handled } = at
    const back = new AbortController()
    const transfer = handled[0]!.transfer
    Object.assign(handled[0]!, {
      transfer: (...[wish, party]: Parameters<typeof transfer>) => transfer(wish, party, back.signal),
    })
    await bringTo(step, mode, at)
    const release = Promise.withResolvers<void>()
    at.leg.took = () => release.promise
    back.abort()
    release.resolve()
    await at.clock.settle()
    if (step === 'joining') isThere(at)
    else expect(told(at)).toEqual(['cancelled'])
    await hangUp(at)
    expect(told(at)).toEqual([step === 'joining' ? 'callerGone' : 'cancelled'])
  })
})

describe('a call that is connected', () => {
  const connected = async (options: Parameters<typeof stage>[0] = {}) => {
    const at = await answered(options)
    await at.transfer()
    await at.happen({ kind: 'answered' })
    expect(at.exchange.find('c1')?.state).toBe('connected')
    return at
  }

  it('has no word in its record of what they do to each other', async () => {
    const at = await connected()
    const before = at.facts('c1')
    at.leg.happen({ kind: 'digit', digit: '4', heldMs: 90 })
    at.leg.happen({ kind: 'held' })
    at.leg.happen({ kind: 'mediaFailed', detail: 'it ended' })
    await at.clock.settle()
    expect(at.facts('c1')).toEqual(before)
    await hangUp(at)
  })

  it('comes back to an agent with a line of its own when the other one vanishes, and can be transferred again', async () => {
    const at = await connected()
    await at.clock.run(5_000)
    at.leg.happen({ kind: 'returned' })
    await at.clock.settle()
    expect(at.handled.map(({ returned }) => returned)).toEqual([false, true])
    expect(at.leg.log.slice(-2)).toEqual(['join', 'connect'])
    expect([at.exchange.find('c1')?.view.state, at.lines.size]).toEqual(['live', 1])
    expect(at.exchange.find('c1')?.view.ports).toBeDefined()
    expect(at.admission.figures.pairsUsed).toBe(1)
    expect(at.facts('c1').slice(-2)).toEqual(['returned', 'mediaOpened'])
    await at.transfer()
    await at.happen({ kind: 'answered' })
    expect(at.transfers().at(-1)).toMatchObject({ attempt: 2, outcome: 'connected' })
    await hangUp(at)
    expect(at.facts('c1').filter(name => name === 'answered')).toHaveLength(1)
  })

  it('goes to the fallback when it comes back and no line can be had', async () => {
    const at = await connected()
    at.leg.failing.set('connect', new GatewayError('ARI_REJECTED', 'no ports'))
    at.leg.happen({ kind: 'returned' })
    await at.clock.settle()
    expect(at.leg.log.slice(-2)).toEqual(['handBack ARI_REJECTED', 'close'])
    at.nothingIsLeft()
  })

  it('is parted by an operator', async () => {
    const at = await connected()
    at.exchange.find('c1')!.hangUp('operator')
    await at.clock.settle()
    expect(at.leg.log.slice(-2)).toEqual(['hangup normal', 'close'])
    expect(at.factsOf('c1').at(-1)).toMatchObject({ reason: 'operatorHungUp' })
    at.nothingIsLeft()
  })

  it('keeps no gateway from stopping, and goes on without it', async () => {
    const at = await connected()
    await at.exchange.drain(30_000)
    expect(at.clock.now()).toBe(0)
    expect(at.leg.log.slice(-2)).toEqual(['join', 'close'])
    expect(at.factsOf('c1').at(-1)).toMatchObject({ name: 'ended', reason: 'transferred' })
    at.nothingIsLeft()
  })

  it('ends after four hours', async () => {
    const at = await connected()
    await at.clock.run(limits.call.durationMs - 1)
    expect(at.exchange.find('c1')?.state).toBe('connected')
    await at.clock.run(1)
    expect(at.leg.log.slice(-2)).toEqual(['hangup normal', 'close'])
    at.nothingIsLeft()
  })
})

describe('what the destination and the business learn', () => {
  it('travels as headers: who calls and why, each in one short line', async () => {
    const at = await answered()
    at.handled[0]!.emit({ name: 'callerNamed', by: 'caller', private: { name: 'Zoë\r\nX-Evil: 1' } })
    await at.transfer({ by: 'operator', reason: `${'ä'.repeat(500)}` })
    expect(at.far1().request).toEqual({
      target: { dial: 'reception' },
      callerId: { number: '+15550100300' },
      headers: {
        'X-Parley-Call': 'c1',
        'X-Parley-Attempt': '1',
        'X-Parley-Business': 'test',
        'X-Parley-Destination': 'reception',
        'X-Parley-By': 'operator',
        'X-Parley-Caller': '+15550100300',
        'X-Parley-Caller-Name': 'Zo%C3%AB X-Evil: 1',
        // Whole characters, so that it can be read.
        'X-Parley-Reason': '%C3%A4'.repeat(42),
      },
    })
    await hangUp(at)
  })

  it('is announced before the far end rings, and nobody waits for it', async () => {
    const notices: TransferNotice[] = []
    const dialledThen: number[] = []
    const announce = (notice: TransferNotice) => {
      notices.push(notice)
      dialledThen.push(at.leg.dialled.length)
      return new Promise<void>(() => {})
    }
    const at = await answered({ announce })
    await at.transfer({ destination: 'billing', reason: 'A bill.' })
    expect([dialledThen, at.leg.dialled.length]).toEqual([[0], 1])
    expect(notices).toMatchObject([
      {
        ...{ call: 'c1', attempt: 1, destination: 'billing', mode: 'attended', by: 'agent', reason: 'A bill.' },
        caller: { number: '+15550100300', name: undefined },
        parameters: { callSid: 'CA1' },
      },
    ])
    await hangUp(at)
  })

  it('is missing in the record when nobody took it', async () => {
    const announce = async () => {
      throw new GatewayError('TOOL_FAILED', 'it answered 500.')
    }
    const at = await answered({ announce })
    await at.transfer()
    expect(at.factsOf('c1')).toContainEqual({
      ...{ name: 'degraded', code: 'WEBHOOK_FAILED' },
      detail: "The business's webhook was not told of a transfer: it answered 500.",
    })
    await hangUp(at)
  })
})

describe('an operator', () => {
  it('asks the agent, which sees to it; and nobody where there is none', async () => {
    const at = await answered()
    const call = at.exchange.find('c1')!
    expect(call.askTransfer('back')).toBe(false)
    const asked: unknown[] = []
    const stop = at.handled[0]!.onTransferAsked(what => asked.push(what) < 3)
    const wish = { destination: 'reception', by: 'operator' } as const
    expect([call.askTransfer(wish), call.askTransfer('back'), call.askTransfer(wish)]).toEqual([true, true, false])
    stop()
    expect([call.askTransfer('back'), asked]).toEqual([false, [wish, 'back', wish]])
    await hangUp(at)
  })
})
