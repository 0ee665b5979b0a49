import { expect, it } from 'vitest'
import type { TransferOutcome } from '../../src/call/events.ts'
import type { LiveCall } from '../../src/call/ports.ts'
import { FakeLeg } from '../support/fake-leg.ts'
import { house } from './house.ts'
import { withDestinations } from './transferring.ts'

const CALLS = 20
const party = { rings: () => {}, ownSound: () => {}, brief: async () => 'accepted' as const }
const wish = { destination: 'reception', by: 'agent' } as const

async function twenty(rtp: { readonly start: number; readonly end: number }) {
  const handled: LiveCall[] = []
  const parts = house(
    async (call, scope) => {
      handled.push(call)
      await call.answer()
      return new Promise((_, reject) => scope.signal.addEventListener('abort', () => reject(scope.signal.reason)))
    },
    { rtp, addressee: { business: withDestinations } },
  )
  const legs = Array.from({ length: CALLS }, (_, n) => new FakeLeg(`c${n}`))
  for (const leg of legs) await parts.offer(leg)
  const outcomes: TransferOutcome[] = []
  for (const call of handled) {
    void call.transfer(wish, party, new AbortController().signal).then(outcome => outcomes.push(outcome))
  }
  await parts.clock.settle()
  for (const leg of legs) leg.dialled[0]?.happen({ kind: 'answered' })
  await parts.clock.settle()
  const hangUpAll = async () => {
    for (const leg of legs) leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await parts.clock.settle()
    parts.nothingIsLeft()
  }
  return { ...parts, legs, outcomes, hangUpAll }
}

it('twenty callers are transferred at once where there are ports for it', async () => {
  const { outcomes, admission, hangUpAll } = await twenty({ start: 10_000, end: 10_100 })
  expect(outcomes).toEqual(Array.from({ length: CALLS }, () => 'connected'))
  expect(admission.figures).toMatchObject({ calls: CALLS, pairsUsed: 2 * CALLS })
  await hangUpAll()
})

it('as many as there are ports for, and all others stay with their agent', async () => {
  const { outcomes, exchange, admission, legs, hangUpAll } = await twenty({ start: 10_000, end: 10_055 })
  const count = (outcome: TransferOutcome) => outcomes.filter(each => each === outcome).length
  expect([admission.pairs, count('connected'), count('noPort')]).toEqual([25, 5, 15])
  expect(legs.filter(leg => leg.dialled.length > 0)).toHaveLength(5)
  expect(exchange.live.filter(({ state }) => state === 'live')).toHaveLength(15)
  await hangUpAll()
})
