import { describe, expect, it } from 'vitest'
import type { FakeAri } from '../support/fake-ari.ts'
import { until } from '../support/until.ts'
import { fakeAri, fakeLine, type Gateway, gateway } from './harness.ts'
import { injure, injuries, isOf, whileTimePasses } from './injuries.ts'

/** One whole call, as the call core drives it. */
async function wholeCall(asterisk: FakeAri, parley: Gateway, id: string): Promise<void> {
  const leg = await Promise.race([parley.offered(id), until(() => !asterisk.channels.get(id)?.app)])
  if (!leg) return
  try {
    await leg.connect(fakeLine().line)
    await leg.answer()
    await leg.hangup('normal')
  } catch {
    await leg.hangup('congestion').catch(() => {})
  }
  await leg.close()
}

/** Of an undisturbed call, teardown included; its retries and removals after an injury are injured as well. */
const REQUESTS = 8

describe('a call injured at every one of its requests leaves no channel, bridge or timer', () => {
  it('which are eight', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const id = asterisk.call()
    await wholeCall(asterisk, parley, id)
    expect(asterisk.requests.filter(request => isOf(request, id)).length).toBe(REQUESTS)
  })

  it.each(Object.entries(injuries))('%s', async (_, injury) => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    for (let step = 0; step < REQUESTS; step++) {
      const id = asterisk.call()
      injure(asterisk, parley, id, injury, step)
      await whileTimePasses(parley, wholeCall(asterisk, parley, id))
      await until(() => !asterisk.channels.get(id)?.app)
    }
    if (injury.sweep) await parley.sweep()
    expect([...asterisk.channels.values()].filter(({ place }) => place === undefined)).toEqual([])
    expect([...asterisk.bridges.keys()]).toEqual([])
    expect((await parley.telephony.inspect()).channels.filter(({ call }) => call)).toEqual([])
    // The heartbeat's and the sweep's: a leg that lived on would hold one more.
    expect(parley.clock.pending).toBe(2)
  })
})
