import { expect, it } from 'vitest'
import { deliver } from '../../../src/desk/jobs/deliver.ts'
import { createLog } from '../../../src/log.ts'
import type { StoredDelivery } from '../../../src/store/deliveries.ts'
import { businessWith, hook } from '../../support/hooked.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const at = new Date(0)
const stored: StoredDelivery = {
  ...{ id: 'd1', business: 'dentist', call: 'c1', hook: hook.name, event: 'call.ended', at, body: '{}', attempts: 1 },
  ...{ last_at: at, last_status: 503, last_why: 'it answered 503', delivered_at: null },
}

it.each([
  ['is off', [{ ...hook, enabled: false }]],
  ['is not there any more', []],
])('says of what waited for a hook that %s why it is not told', async (_, hooks) => {
  const never = async () => {
    throw new Error('nobody is asked')
  }
  const untold: string[] = []
  const handler = deliver({
    ...{ send: never, find: () => businessWith(...hooks), record: never, keep: never, attempted: never, isOff: never },
    ...{ stored: async () => stored, clock: new VirtualClock(), log: createLog('silent', { write: () => {} }) },
    untold: async (id, why) => void untold.push(`${id}: ${why}`),
  })
  const subject = { call: 'c1', hook: hook.name, delivery: 'd1' }
  const job = { kind: 'deliver', key: 'd1', id: 'j1', business: 'dentist', attempts: 2, subject } as const
  await handler(job, new AbortController().signal)
  expect(untold).toEqual(['d1: the business has no such hook, or it is not enabled'])
})
