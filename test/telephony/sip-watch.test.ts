import { expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { Scope } from '../../src/scope.ts'
import { SipWatch } from '../../src/telephony/sip-watch.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const { everyMs, inARow } = limits.asterisk.sipWatch

function watch(seen: boolean[]) {
  const clock = new VirtualClock()
  const scope = new Scope('sip', () => {})
  const told: boolean[] = []
  const sip = new SipWatch({
    clock,
    scope,
    look: async () => seen.shift() ?? true,
    changed: answered => told.push(answered),
  })
  return { clock, scope, told, sip }
}

it('says that SIP is not answered after several looks in vain, and that it is again after as many good ones', async () => {
  const { clock, told, sip } = watch([...Array(inARow).fill(false), ...Array(inARow).fill(true)])
  await clock.run(everyMs * (inARow - 1))
  expect(sip.answered).toBe(true)
  await clock.run(everyMs)
  expect([sip.answered, told]).toEqual([false, [false]])
  await clock.run(everyMs * (inARow - 1))
  expect(sip.answered).toBe(false)
  await clock.run(everyMs)
  expect([sip.answered, told]).toEqual([true, [false, true]])
})

it('does not waver where looks differ', async () => {
  const { clock, told } = watch(Array.from({ length: 20 }, (_, n) => n % 2 === 0))
  await clock.run(everyMs * 20)
  expect(told).toEqual([])
})

it('ends with its scope', async () => {
  const { clock, scope } = watch([])
  await scope.close()
  await clock.settle()
  expect(clock.pending).toBe(0)
})
