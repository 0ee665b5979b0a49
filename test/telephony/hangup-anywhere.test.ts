import { describe, expect, it } from 'vitest'
import type { FakeAri, FakeRequest, Fault } from '../support/fake-ari.ts'
import { until } from '../support/until.ts'
import { fakeAri, fakeLine, type Gateway, gateway } from './harness.ts'

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

/** Runs it while time passes: a request that is never answered ends by its time limit. */
async function whileTimePasses(parley: Gateway, call: Promise<void>): Promise<void> {
  let done = false
  void call.finally(() => {
    done = true
  })
  while (!done) await parley.pass(1_000)
}

const isOf = ({ path, query }: FakeRequest, id: string) =>
  path.includes(id) || (query.get('channelId')?.includes(id) ?? false)

interface Injury {
  before?(asterisk: FakeAri, id: string, parley: Gateway): Fault | undefined
  after?(asterisk: FakeAri, id: string): void
  /** An answer is lost or a removal refused: some of it may be left to the sweep. */
  readonly sweep?: true
}

const injuries: Record<string, Injury> = {
  'the caller hangs up before it is carried out': { before: (asterisk, id) => void asterisk.hangUp(id) },
  'the caller hangs up when it is carried out': { after: (asterisk, id) => asterisk.hangUp(id) },
  'the caller hangs up, and it is carried out late': {
    before: (asterisk, id, parley) => {
      asterisk.hangUp(id)
      return { before: parley.ioTurns() }
    },
  },
  'the dialplan takes the caller before it is carried out': { before: (asterisk, id) => void asterisk.takeBack(id) },
  'the dialplan takes the caller when it is carried out': { after: (asterisk, id) => asterisk.takeBack(id) },
  'Asterisk refuses it': { before: () => ({ status: 500 }), sweep: true },
  'the connection breaks before it is carried out': { before: () => 'drop', sweep: true },
  'its answer is garbage': { before: () => 'garbage', sweep: true },
  'it is never carried out nor answered': { before: () => 'hang', sweep: true },
  'it is carried out and never answered': { before: () => 'hangAfter', sweep: true },
  'the caller hangs up, and the connection breaks': {
    before: (asterisk, id) => {
      asterisk.hangUp(id)
      return 'drop'
    },
    sweep: true,
  },
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
      let seen = 0
      asterisk.fault = request =>
        isOf(request, id) && seen++ === step ? injury.before?.(asterisk, id, parley) : undefined
      asterisk.afterRequest = request => {
        if (isOf(request, id) && seen === step + 1) injury.after?.(asterisk, id)
      }
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
