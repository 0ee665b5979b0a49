import { describe, expect, it } from 'vitest'
import type { Redirect } from '../../src/call/ports.ts'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { stage, withDestinations } from './transferring.ts'

const [desk] = withDestinations.destinations
const business = { ...withDestinations, destinations: [{ ...desk!, via: 'carrier' as const }] }

/** A call that the carrier has announced, with a destination that it dials itself; what it was asked. */
async function announced(redirect: Redirect | undefined, record: string | null = 'CA1') {
  const at = stage({
    addressee: { business },
    judge: () => (record === null ? { kind: 'plain' } : { kind: 'partOf', record }),
    ...(redirect && { redirect }),
  })
  await at.offer(at.leg)
  return at
}

describe('a transfer by the carrier', () => {
  it('takes the caller away from here, holds nothing, and leaves what becomes of it to the carrier', async () => {
    const asked: Parameters<Redirect>[0][] = []
    const at = await announced(async request => void asked.push(request))
    await at.transfer()
    expect(asked).toMatchObject([{ record: 'CA1', destination: 'reception', attempt: 1, facts: at.leg.facts }])
    expect(at.exchange.find('c1')?.state).toBe('transferring')
    expect(at.admission.figures).toMatchObject({ calls: 1, pairsUsed: 1 })
    at.leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await at.clock.settle()
    expect(at.factsOf('c1').at(-1)).toMatchObject({ name: 'ended', reason: 'redirected' })
    expect(at.transfers()).toEqual([
      { name: 'transferBegan', attempt: 1, destination: 'reception', mode: 'blind', by: 'agent', private: {} },
    ])
    at.nothingIsLeft()
  })

  it('that takes the caller before it has answered is the same', async () => {
    const at = await announced(() => new Promise(() => {}))
    await at.transfer()
    at.leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await at.clock.settle()
    expect(at.factsOf('c1').at(-1)).toMatchObject({ name: 'ended', reason: 'redirected' })
    at.nothingIsLeft()
  })

  it('has been neither cancelled nor refused when the agent is the first to hear that the caller is away', async () => {
    const at = await announced(
      (_, signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    )
    await at.transfer({}, at.agentSignals[0])
    at.leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await at.clock.settle()
    expect(at.factsOf('c1').at(-1)).toMatchObject({ name: 'ended', reason: 'redirected' })
    expect(at.transfers().map(({ name }) => name)).toEqual(['transferBegan'])
    at.nothingIsLeft()
  })

  it.each([
    [
      'is refused',
      async () => Promise.reject(new GatewayError('TOOL_FAILED', 'The call is not in progress.')),
      'CA1',
      0,
    ],
    ['does not come about', async () => {}, 'CA1', limits.transfer.redirectMs],
    ['is of a call that it does not know', async () => {}, null, 0],
    ['has nobody to do it', undefined, 'CA1', 0],
  ] as const)('that %s leaves the caller with the agent', async (_, redirect, record, afterMs) => {
    const at = await announced(redirect, record)
    await at.transfer()
    await at.clock.run(afterMs)
    expect(at.outcomes).toEqual(['failed'])
    expect(at.exchange.find('c1')?.state).toBe('live')
    expect(at.transfers().at(-1)).toMatchObject({ name: 'transferEnded', attempt: 1, outcome: 'failed' })
    expect(at.factsOf('c1')).toContainEqual(expect.objectContaining({ name: 'degraded' }))
    at.leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await at.clock.settle()
    expect(at.factsOf('c1').at(-1)).toMatchObject({ name: 'ended', reason: 'callerHungUp' })
    at.nothingIsLeft()
  })

  it('can be taken back as long as the carrier has not agreed to it', async () => {
    const recalled = new AbortController()
    const at = await announced((_, signal) => {
      const { promise, reject } = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => reject(signal.reason))
      return promise
    })
    await at.transfer({}, recalled.signal)
    recalled.abort(new Error('The caller is wanted back.'))
    await at.clock.settle()
    expect(at.outcomes).toEqual(['cancelled'])
    expect(at.exchange.find('c1')?.state).toBe('live')
  })
})
