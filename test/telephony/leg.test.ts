import { describe, expect, it } from 'vitest'
import type { LegEvent } from '../../src/call/ports.ts'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { Scope } from '../../src/scope.ts'
import type { Ari } from '../../src/telephony/ari.ts'
import { CallerLeg } from '../../src/telephony/leg.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { fakeLine } from './harness.ts'

const LEASE_MS = 15_000
const facts = {
  calledUser: 'bianca',
  requestUri: 'sip:bianca@127.0.0.1',
  parameters: {},
  headers: {},
  callerNumber: '+15550001',
  law: 'ulaw',
} as const

/** A leg in virtual time; its requests are noted and answered as the test says. */
function bench() {
  const clock = new VirtualClock()
  const asked: string[] = []
  const answers: Record<string, () => Promise<unknown>> = {
    createExternalMedia: async () => ({ address: '127.0.0.1', port: 10_000 }),
  }
  const ask = async (_: unknown, name: string | symbol) => {
    asked.push(String(name))
    return answers[String(name)]?.()
  }
  const ari = new Proxy({}, { get: (target, name) => () => ask(target, name) }) as Ari
  const told: string[] = []
  const scope = new Scope('leg', error => told.push(`leak ${error}`))
  const leg = new CallerLeg(
    { id: '1', channel: 'PJSIP/1', facts, takenOver: false, name: kind => `p:${kind}`, forget: () => {} },
    {
      ari,
      clock,
      scope,
      leaseMs: LEASE_MS,
      trouble: error => told.push(error.code),
      left: () => told.push('left'),
    },
  )
  return { clock, asked, answers, told, scope, leg }
}

const never = () => new Promise<never>(() => {})

describe('a leg', () => {
  it('keeps what happened before anyone listened, up to a bound, and the end in any case', () => {
    const { leg } = bench()
    for (let count = 0; count < limits.call.earlyLegEvents + 10; count++) {
      leg.onAri({ kind: 'digit', channel: '1', digit: String(count % 10), heldMs: 100 })
    }
    leg.onAri({ kind: 'left', channel: '1' })
    const events: LegEvent[] = []
    leg.onEvent(event => events.push(event))
    expect(events.length).toBe(limits.call.earlyLegEvents + 1)
    expect(events.at(-1)).toEqual({ kind: 'gone', how: 'lost', cause: 'left the application' })
  })

  it('tells the end once', () => {
    const { leg, told } = bench()
    const events: LegEvent[] = []
    leg.onEvent(event => events.push(event))
    leg.onAri({ kind: 'left', channel: '1' })
    leg.onAri({ kind: 'left', channel: '1' })
    leg.disown()
    expect(events.length).toBe(1)
    expect(told).toEqual(['left'])
  })

  it('stops waiting for its media channel when the caller hangs up', async () => {
    const { leg, clock } = bench()
    const connecting = leg.connect(fakeLine().line)
    await clock.settle()
    leg.onAri({ kind: 'left', channel: '1' })
    await expect(connecting).rejects.toMatchObject({ code: 'CHANNEL_GONE' })
    await leg.close()
    expect(clock.pending).toBe(0)
  })

  it('gives up on a media channel that never enters the application', async () => {
    const { leg, clock, asked } = bench()
    const connecting = leg.connect(fakeLine().line)
    const failed = expect(connecting).rejects.toMatchObject({ code: 'ARI_TIMEOUT' })
    await clock.run(limits.ari.requestMs)
    await failed
    await leg.close()
    expect(asked.slice(-4)).toEqual(['destroyBridge', 'hangup', 'setVariables', 'continueInDialplan'])
  })

  it('does not tell the line where to send before the media channel is there', async () => {
    const { leg, clock, asked } = bench()
    const { line, peers } = fakeLine()
    const connecting = leg.connect(line)
    await clock.settle()
    expect([asked, peers]).toEqual([['createExternalMedia', 'createBridge'], []])
    leg.onAri({ kind: 'entered', channel: 'p:media', args: [] })
    await connecting
    expect(peers).toEqual([{ address: '127.0.0.1', port: 10_000 }])
    expect(asked.at(-1)).toBe('addToBridge')
  })

  it('is not connected when the caller has hung up while the channels were joined', async () => {
    const { leg, clock, answers } = bench()
    const joining = Promise.withResolvers<void>()
    answers['addToBridge'] = () => joining.promise
    const connecting = leg.connect(fakeLine().line)
    leg.onAri({ kind: 'entered', channel: 'p:media', args: [] })
    await clock.settle()
    leg.onAri({ kind: 'left', channel: '1' })
    joining.resolve()
    await expect(connecting).rejects.toMatchObject({ code: 'CHANNEL_GONE' })
    expect(leg.present).toEqual(['1'])
  })
})

describe('the lease', () => {
  it('is not renewed again while a renewal is unanswered', async () => {
    const { clock, asked, answers, told } = bench()
    const renewal = Promise.withResolvers<void>()
    answers['setVariables'] = () => renewal.promise
    await clock.run(2 * LEASE_MS)
    expect(asked).toEqual(['setVariables'])
    renewal.reject(new GatewayError('ARI_TIMEOUT', 'Late.'))
    await clock.run(LEASE_MS)
    expect(told[0]).toBe('ARI_TIMEOUT')
    expect(asked.length).toBeGreaterThan(1)
  })

  it.each(['hangup', 'handBack'] as const)('is left to run out once the leg is to end by %s', async way => {
    const { leg, clock, asked, answers } = bench()
    answers['hangup'] = never
    answers['continueInDialplan'] = never
    void (way === 'hangup' ? leg.hangup('normal') : leg.handBack('done'))
    await clock.settle()
    asked.length = 0
    await clock.run(2 * LEASE_MS)
    expect(asked).toEqual([])
  })
})
