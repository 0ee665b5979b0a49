import { describe, expect, it } from 'vitest'
import type { CallEvent } from '../../src/call/events.ts'
import type { CallAtDoor } from '../../src/call/exchange.ts'
import type { Handler, JudgeLeg, LiveCall } from '../../src/call/ports.ts'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { channelGone, FakeLeg } from '../support/fake-leg.ts'
import { HastyClock } from '../support/hasty-clock.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { answerAndWait, business, house } from './house.ts'

describe('a call in the exchange', () => {
  it('tells how and when it ended, however long ago that was', async () => {
    const { offer, exchange, clock } = house(answerAndWait)
    const leg = await offer(new FakeLeg('c1'))
    await clock.run(5_000)
    expect(exchange.find('c1')?.view).toMatchObject({ state: 'live', reason: undefined, durationMs: 5_000 })
    leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.run(60_000)
    expect(exchange.find('c1')?.view).toMatchObject({ state: 'ended', reason: 'callerHungUp', durationMs: 5_000 })
  })

  it('is connected, answered when the agent is ready, live, and given back when the caller goes', async () => {
    const { offer, facts, exchange, clock, nothingIsLeft } = house(answerAndWait)
    const leg = await offer(new FakeLeg('c1'))
    expect(leg.log).toEqual(['connect', 'answer'])
    expect(exchange.find('c1')?.state).toBe('live')
    leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.settle()
    expect(facts('c1')).toEqual(['offered', 'mediaOpened', 'answered', 'ended'])
    expect(exchange.find('c1')?.state).toBe('ended')
    expect(leg.log).toEqual(['connect', 'answer', 'close'])
    nothingIsLeft()
  })

  it('has no event after its end, whatever the caller still does on the way out', async () => {
    const { offer, facts, exchange, clock } = house(answerAndWait)
    const leg = await offer(new FakeLeg('c1'))
    exchange.find('c1')?.hangUp('operator')
    await clock.settle()
    leg.happen({ kind: 'digit', digit: '1', heldMs: 100 })
    leg.happen({ kind: 'held' })
    expect(facts('c1').at(-1)).toBe('ended')
  })

  it('has no event after its end, also when giving it back took longer than it may', async () => {
    const { offer, facts, exchange, clock } = house(answerAndWait)
    const leg = await offer(new FakeLeg('c1'))
    const handedBack = Promise.withResolvers<void>()
    leg.hangup = () => handedBack.promise
    exchange.find('c1')?.hangUp('operator')
    await clock.run(limits.call.endingMs)
    expect(facts('c1').at(-1)).toBe('ended')
    handedBack.reject(new GatewayError('ARI_TIMEOUT', 'It took too long.'))
    await clock.settle()
    expect(facts('c1').at(-1)).toBe('ended')
  })

  it('is over at once when its caller goes while they are being hung up', async () => {
    const { offer, facts, exchange, clock, nothingIsLeft } = house(answerAndWait)
    const leg = await offer(new FakeLeg('c1'))
    const hungUp = Promise.withResolvers<void>()
    leg.hangup = () => hungUp.promise
    exchange.find('c1')?.hangUp('operator')
    await clock.run(200)
    leg.happen({ kind: 'gone', how: 'hungUp', cause: 'hung up' })
    await clock.settle()
    expect(facts('c1')).toEqual(['offered', 'mediaOpened', 'answered', 'ended'])
    hungUp.reject(new GatewayError('ARI_TIMEOUT', 'It took too long.'))
    await clock.settle()
    nothingIsLeft()
  })

  it('whose caller leaves before the answer is no trouble', async () => {
    const { offer, facts, clock, nothingIsLeft } = house(answerAndWait)
    const leg = new FakeLeg('c1')
    leg.connect = () => new Promise(() => {})
    await offer(leg)
    leg.happen({ kind: 'gone', how: 'hungUp', cause: 'hung up' })
    await clock.settle()
    expect(facts('c1')).toEqual(['offered', 'ended'])
    nothingIsLeft()
  })

  it('is not answered before the agent is ready, and handed back when it never is', async () => {
    const { offer, facts, clock, nothingIsLeft } = house(() => new Promise(() => {}))
    const leg = await offer(new FakeLeg('c1'))
    await clock.run(limits.call.offeredMs - 1)
    expect(leg.log).toEqual(['connect'])
    await clock.run(1)
    expect(leg.log).toEqual(['connect', 'handBack offered too long', 'close'])
    expect(facts('c1').at(-1)).toBe('ended')
    nothingIsLeft()
  })

  it('is handed back in time where timers come a little early, as the system’s do', async () => {
    const { offer, clock, nothingIsLeft } = house(() => new Promise(() => {}), { clock: new HastyClock() })
    const leg = await offer(new FakeLeg('c1'))
    await clock.run(limits.call.offeredMs + 5)
    expect(leg.log).toEqual(['connect', 'handBack offered too long', 'close'])
    nothingIsLeft()
  })

  it.each([
    ['hangup', { kind: 'hangup' }, 'hangup normal'],
    ['handBack', { kind: 'handBack', reason: 'asked for a person' }, 'handBack asked for a person'],
  ] as const)('ends as its agent says: %s', async (_, outcome, expected) => {
    const { offer, clock, nothingIsLeft } = house(async call => {
      await call.answer()
      return outcome
    })
    const leg = await offer(new FakeLeg('c1'))
    // What it said last has left the gateway, and has yet to reach the caller's ear.
    await clock.run(limits.call.lastWordMs - 1)
    expect(leg.log).toEqual(['connect', 'answer'])
    await clock.run(1)
    expect(leg.log).toEqual(['connect', 'answer', expected, 'close'])
    nothingIsLeft()
  })

  it('goes back to the dialplan when its agent breaks, with the reason in the record', async () => {
    const { offer, events, nothingIsLeft } = house(async () => {
      throw new GatewayError('ENGINE_FAILED', 'the provider refused')
    })
    const leg = await offer(new FakeLeg('c1'))
    expect(leg.log).toEqual(['connect', 'handBack ENGINE_FAILED', 'close'])
    expect(events.map(event => event.fact)).toContainEqual({
      name: 'degraded',
      code: 'ENGINE_FAILED',
      detail: 'the provider refused',
    })
    nothingIsLeft()
  })

  it('goes back to the dialplan when audio cannot be connected', async () => {
    const leg = new FakeLeg('c1')
    leg.failing.set('connect', new GatewayError('ARI_REJECTED', 'no ports'))
    const { offer, nothingIsLeft } = house(answerAndWait)
    await offer(leg)
    expect(leg.log).toEqual(['handBack ARI_REJECTED', 'close'])
    nothingIsLeft()
  })

  it('goes on when its media channel is replaced, and back to the dialplan when it cannot be', async () => {
    const { offer, clock, facts, exchange, nothingIsLeft } = house(answerAndWait)
    const leg = await offer(new FakeLeg('c1'))
    leg.happen({ kind: 'mediaLost', detail: 'It has ended.' })
    const connection = { channel: 'another', bridge: 'c1-bridge', ports: { gateway: 1, asterisk: 10_004 } }
    leg.happen({ kind: 'mediaReplaced', connection })
    await clock.settle()
    expect(exchange.live.map(call => call.view)).toMatchObject([{ state: 'live', ports: connection.ports }])
    expect(facts('c1').slice(-2)).toEqual(['degraded', 'mediaOpened'])
    leg.happen({ kind: 'mediaFailed', detail: 'It has ended.' })
    await clock.settle()
    expect(leg.log).toEqual(['connect', 'answer', 'handBack MEDIA_FAILED', 'close'])
    expect(facts('c1').filter(name => ['degraded', 'handedBack', 'ended'].includes(name))).toEqual([
      ...['degraded', 'degraded', 'handedBack', 'ended'],
    ])
    nothingIsLeft()
  })

  it('goes back to the dialplan when its line fails in mid-call', async () => {
    const { offer, failLine, facts, nothingIsLeft } = house(answerAndWait)
    const leg = await offer(new FakeLeg('c1'))
    await failLine('the media thread ended')
    expect(leg.log).toEqual(['connect', 'answer', 'handBack MEDIA_FAILED', 'close'])
    expect(facts('c1').slice(-3)).toEqual(['degraded', 'handedBack', 'ended'])
    nothingIsLeft()
  })

  it.each(['connect', 'answer'])('leaves nothing when the caller goes during %s', async operation => {
    const leg = new FakeLeg('c1')
    leg.failing.set(operation, channelGone())
    const { offer, clock, nothingIsLeft } = house(answerAndWait)
    await offer(leg)
    leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.settle()
    expect(leg.closed).toBe(true)
    nothingIsLeft()
  })

  it('still gives everything back when handing the caller back fails', async () => {
    const leg = new FakeLeg('c1')
    leg.failing.set('handBack', new GatewayError('ARI_TIMEOUT', 'no reply'))
    const { offer, nothingIsLeft } = house(async () => ({ kind: 'handBack', reason: 'enough' }))
    await offer(leg)
    expect(leg.log).toEqual(['connect', 'close'])
    nothingIsLeft()
  })

  it('that was up before a restart is live at once and never answered again', async () => {
    let live: LiveCall | undefined
    const { offer, exchange, facts } = house((call, scope) => {
      live = call
      return answerAndWait(call, scope)
    })
    const leg = await offer(new FakeLeg('c1', { takenOver: true }))
    expect(leg.log).toEqual(['connect'])
    expect(live?.takenOver).toBe(true)
    expect(exchange.find('c1')?.state).toBe('live')
    expect(facts('c1')).toEqual(['offered', 'takenOver', 'mediaOpened'])
  })

  it('goes on with the record of its earlier life: it was offered then, and lasts since then', async () => {
    const happened = (atMs: number, fact: CallEvent['fact']) => ({ call: 'c1', business: 'test', atMs, fact })
    const startMs = new VirtualClock().wallMs()
    const earlier = [
      happened(startMs - 30_000, { name: 'offered', engine: 'scripted', codec: 'ulaw', private: {} as never }),
      happened(startMs - 29_900, { name: 'answered', setUpMs: 100 }),
    ]
    const { offer, exchange, clock, events, facts } = house(answerAndWait, { earlier })
    const leg = await offer(new FakeLeg('c1', { takenOver: true }))
    await offer(new FakeLeg('c2', { takenOver: true }))
    await clock.run(5_000)
    expect(exchange.find('c1')?.view).toMatchObject({ offeredAtMs: startMs - 30_000, durationMs: 35_000 })
    expect(exchange.find('c2')?.view).toMatchObject({ offeredAtMs: startMs, durationMs: 5_000 })
    expect(exchange.find('c1')?.events.slice(0, 3)).toMatchObject([...earlier, { fact: { name: 'offered' } }])
    leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.settle()
    expect(facts('c1')).toEqual(['offered', 'takenOver', 'mediaOpened', 'ended'])
    expect(events.at(-1)?.fact).toMatchObject({ name: 'ended', durationMs: 35_000, answeredMs: 5_000 })
  })

  it('has in its record what is found when it is over', async () => {
    const { offer, exchange, clock, events } = house(answerAndWait)
    const leg = await offer(new FakeLeg('c1'))
    leg.happen({ kind: 'gone', how: 'handedBack', cause: 'normal' })
    await clock.settle()
    const fact = { name: 'voicemailLeft', seconds: 3, private: { recording: 'r', callerNumber: undefined } } as const
    for (const call of ['c1', 'unknown']) exchange.foundLater({ call, business: 'test', atMs: 5, fact })
    expect(exchange.find('c1')?.events.map(event => event.fact.name)).toEqual([
      ...['offered', 'mediaOpened', 'answered', 'ended', 'voicemailLeft'],
    ])
    expect(events.map(({ call, fact: { name } }) => [call, name]).slice(-2)).toEqual([
      ['c1', 'voicemailLeft'],
      ['unknown', 'voicemailLeft'],
    ])
  })

  it('passes digits on and keeps them out of everything but the private part', async () => {
    const digits: string[] = []
    const { offer, events, digitsHeldMs } = house((call, scope) => {
      call.onDigit(digit => digits.push(digit))
      return answerAndWait(call, scope)
    })
    const leg = await offer(new FakeLeg('c1'))
    leg.happen({ kind: 'digit', digit: '7', heldMs: 100 })
    expect(digits).toEqual(['7'])
    expect(digitsHeldMs).toEqual([100])
    expect(events.at(-1)?.fact).toEqual({ name: 'digitPressed', private: { digit: '7' } })
  })

  it('sends digits, and keeps them out of everything but the private part, too', async () => {
    const { offer, events } = house(async (call, scope) => {
      await call.answer()
      await call.sendDigits('12#')
      return answerAndWait(call, scope)
    })
    const leg = await offer(new FakeLeg('c1'))
    expect(leg.log).toContain('sendDigits 12#')
    expect(events.map(({ fact }) => fact)).toContainEqual({ name: 'digitsSent', private: { digits: '12#' } })
  })

  it('can be ended by an operator, and by its maximum duration', async () => {
    const { offer, exchange, clock, events, nothingIsLeft } = house(answerAndWait)
    await offer(new FakeLeg('c1'))
    await offer(new FakeLeg('c2'))
    exchange.find('c1')?.hangUp('operator')
    await clock.run(limits.call.durationMs)
    const reasons = events.map(event => event.fact).flatMap(fact => (fact.name === 'ended' ? [fact.reason] : []))
    expect(reasons).toEqual(['operatorHungUp', 'tooLong'])
    nothingIsLeft()
  })
})

describe('a channel', () => {
  it('that is a part of a call has the name of that, and both find it', async () => {
    const { offer, exchange, events, clock } = house(answerAndWait, {
      judge: () => ({ kind: 'partOf', record: 'CA1' }),
    })
    const leg = await offer(new FakeLeg('c1'))
    expect(events[0]).toMatchObject({ call: 'c1', fact: { name: 'offered', partOf: 'CA1' } })
    expect(events[0]!.fact).not.toHaveProperty('again')
    expect(exchange.find('CA1')).toBe(exchange.find('c1'))
    expect(exchange.find('CA1')?.view).toMatchObject({ id: 'c1', record: 'CA1' })
    leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.settle()
    expect(exchange.find('CA1')?.state).toBe('ended')
  })

  it('of a call that we have made is known to be that, also by whoever takes it over', async () => {
    const calls: LiveCall[] = []
    const answering: Handler = (call, scope) => {
      calls.push(call)
      return answerAndWait(call, scope)
    }
    const first = house(answering, { judge: () => ({ kind: 'partOf', record: 'out-1', outbound: true }) })
    await first.offer(new FakeLeg('c1'))
    expect(first.events[0]!.fact).toMatchObject({ name: 'offered', partOf: 'out-1', outbound: true })
    const second = house(answering, { earlier: first.events })
    await second.offer(Object.assign(new FakeLeg('c1'), { takenOver: true }))
    expect(second.exchange.find('out-1')?.id).toBe('c1')
    expect(calls.map(call => call.outbound)).toEqual([true, true])
  })

  it('of a call by the carrier is a part of that also where there is no place for it, and tells who it was', async () => {
    const { offer, events } = house(answerAndWait, { maxCalls: 1, judge: () => ({ kind: 'partOf', record: 'CA1' }) })
    await offer(new FakeLeg('c1'))
    const { facts } = await offer(new FakeLeg('c2'))
    expect(events.at(-1)).toMatchObject({
      call: 'c2',
      fact: { name: 'refused', reason: 'capacity', partOf: 'CA1', private: { callerNumber: facts.callerNumber } },
    })
  })

  it('that is taken over from another gateway is judged anew, by what it carries', async () => {
    const judged: unknown[] = []
    const judge: JudgeLeg = (_, takenOver) => {
      judged.push(takenOver)
      return { kind: 'partOf', record: 'CA1' }
    }
    const { offer, exchange } = house(answerAndWait, { judge })
    await offer(Object.assign(new FakeLeg('c1'), { takenOver: true }))
    expect([judged, exchange.find('CA1')?.id]).toEqual([[true], 'c1'])
  })

  it('that is forged is refused before it takes a seat, and nothing is made for it', async () => {
    const { offer, exchange, admission, events, lines, nothingIsLeft } = house(answerAndWait, {
      judge: () => ({ kind: 'forged', why: 'It carries no token.' }),
    })
    const leg = await offer(new FakeLeg('c1'))
    expect(leg.log).toEqual(['hangup rejected', 'close'])
    expect(events.map(({ fact }) => fact)).toEqual([
      { name: 'degraded', code: 'LEG_FORGED', detail: 'It carries no token.' },
      { name: 'refused', reason: 'forged', private: { callerNumber: expect.any(String) } },
    ])
    expect([exchange.live, admission.figures.calls, lines.size]).toEqual([[], 0, 0])
    nothingIsLeft()
  })

  it('whose proof is wrong where none is needed is a call of its own, with a word in its record', async () => {
    const { offer, exchange, events } = house(answerAndWait, {
      judge: () => ({ kind: 'plain', doubt: 'A wrong token.' }),
    })
    await offer(new FakeLeg('c1'))
    expect(events[1]!.fact).toEqual({ name: 'degraded', code: 'LEG_UNPROVEN', detail: 'A wrong token.' })
    expect(exchange.find('c1')?.view.record).toBe('c1')
  })

  it('is for whoever is there in the place of the agent unless that was decided on its way: not by the name of a call alone', async () => {
    const plain: boolean[] = []
    const doors = [
      { kind: 'plain' },
      { kind: 'partOf', record: 'CA1', byHand: true },
      { kind: 'partOf', record: 'CA2' },
      { kind: 'partOf', record: 'CA2', again: 'busy' },
    ] as const
    for (const judged of doors) {
      const instead = (door: CallAtDoor) => void plain.push(door.plain)
      const { offer } = house(answerAndWait, { judge: () => judged, instead })
      await offer(new FakeLeg('c1'))
    }
    expect(plain).toEqual([true, true, false, false])
  })

  it('by which a caller comes back goes on with their call: what happened, how long it lasts, and no greeting', async () => {
    const calls: LiveCall[] = []
    let again = false
    const { offer, exchange, events, clock, nothingIsLeft } = house(
      (call, scope) => {
        calls.push(call)
        return answerAndWait(call, scope)
      },
      { judge: () => ({ kind: 'partOf', record: 'CA1', ...(again && { again: 'busy' }) }) },
    )
    const first = await offer(new FakeLeg('c1'))
    await clock.run(5_000)
    calls[0]!.emit({ name: 'callerSpoke', private: { text: 'My bill' } })
    first.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.run(5_000)
    again = true
    const second = await offer(new FakeLeg('c2'))
    expect(events.find(({ call }) => call === 'c2')?.fact).toMatchObject({
      name: 'offered',
      partOf: 'CA1',
      again: true,
    })
    expect(calls.map(call => call.again)).toEqual([false, true])
    expect(calls.map(call => call.saidBefore)).toEqual([[], [{ who: 'caller', text: 'My bill' }]])
    const found = exchange.find('CA1')
    expect([found?.id, found?.view.durationMs]).toEqual(['c2', 10_000])
    expect(found?.events.map(({ call, fact: { name } }) => `${call} ${name}`)).toEqual([
      ...['c1 offered', 'c1 mediaOpened', 'c1 answered', 'c1 callerSpoke', 'c1 ended'],
      ...['c2 offered', 'c2 mediaOpened', 'c2 answered'],
    ])
    second.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.settle()
    nothingIsLeft()
  })

  it('that is taken over was judged when it came', async () => {
    const earlier: CallEvent[] = [
      {
        ...{ call: 'c1', business: 'test', atMs: 0 },
        fact: { name: 'offered', engine: 'scripted', codec: 'ulaw', partOf: 'CA1', private: {} as never },
      },
    ]
    const { offer, exchange, events } = house(answerAndWait, { earlier, judge: () => ({ kind: 'forged', why: '' }) })
    await offer(new FakeLeg('c1', { takenOver: true }))
    await offer(new FakeLeg('c2', { takenOver: true }))
    expect(exchange.find('CA1')?.view).toMatchObject({ id: 'c1', record: 'CA1', state: 'live' })
    expect(exchange.find('c2')?.view.record).toBe('c2')
    expect(events[0]!.fact).toMatchObject({ name: 'offered', partOf: 'CA1' })
  })
})

describe('the house', () => {
  it('refuses with congestion when it is full, and takes calls again when one has ended', async () => {
    const { offer, exchange, clock, facts } = house(answerAndWait, { maxCalls: 1 })
    const first = await offer(new FakeLeg('c1'))
    expect(exchange.ready).toBe(false)
    const second = await offer(new FakeLeg('c2'))
    expect(second.log).toEqual(['hangup congestion', 'close'])
    expect(facts('c2')).toEqual(['refused'])
    first.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.settle()
    expect((await offer(new FakeLeg('c3'))).log).toEqual(['connect', 'answer'])
  })

  it('rejects a call for a business that is not active, and goes on with one that it had answered before a restart', async () => {
    const addressee = { business: { ...business, id: 'closed', active: false } }
    const { offer, events, exchange, admission } = house(answerAndWait, { addressee })
    const leg = await offer(new FakeLeg('c1'))
    expect(leg.log).toEqual(['hangup rejected', 'close'])
    expect(events).toMatchObject([{ call: 'c1', business: 'closed', fact: { name: 'refused', reason: 'inactive' } }])
    expect([exchange.live, admission.figures.calls]).toEqual([[], 0])
    await offer(new FakeLeg('c2', { takenOver: true }))
    expect(exchange.find('c2')?.state).toBe('live')
  })

  it('takes on a call for a business that is not there, with a word in its record', async () => {
    const doubt = 'The call names a business that is not known here.'
    const { offer, facts, events, exchange } = house(answerAndWait, { addressee: { business, doubt } })
    await offer(new FakeLeg('c1'))
    expect(facts('c1').slice(0, 2)).toEqual(['offered', 'degraded'])
    expect(events[1]!.fact).toEqual({ name: 'degraded', code: 'BUSINESS_UNKNOWN', detail: doubt })
    expect(exchange.find('c1')?.state).toBe('live')
  })

  it('drains: no new calls, running ones may finish, the rest are ended when the time is up', async () => {
    const { offer, exchange, clock, nothingIsLeft } = house(answerAndWait)
    const finishing = await offer(new FakeLeg('c1'))
    const staying = await offer(new FakeLeg('c2'))
    const drained = exchange.drain(30_000)
    expect(exchange.ready).toBe(false)
    expect((await offer(new FakeLeg('c3'))).log).toEqual(['hangup congestion', 'close'])
    finishing.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.run(29_000)
    expect(staying.log).toEqual(['connect', 'answer'])
    await clock.run(1_000)
    await drained
    expect(staying.log).toEqual(['connect', 'answer', 'hangup normal', 'close'])
    nothingIsLeft()
  })

  it('keeps the last ended calls, bounded', async () => {
    const { offer, exchange, clock } = house(answerAndWait)
    for (let number = 0; number < limits.call.endedKept + 5; number++) {
      const leg = await offer(new FakeLeg(`c${number}`))
      leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
      await clock.settle()
    }
    expect(exchange.ended).toHaveLength(limits.call.endedKept)
    expect(exchange.find('c0')).toBeUndefined()
    expect(exchange.find(`c${limits.call.endedKept + 4}`)).toBeDefined()
  })
})
