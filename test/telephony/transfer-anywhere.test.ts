import { describe, expect, it } from 'vitest'
import type { Leg } from '../../src/call/ports.ts'
import type { FakeAri } from '../support/fake-ari.ts'
import { seeded } from '../support/random.ts'
import { until } from '../support/until.ts'
import { fakeAri, fakeLine, type Gateway, gateway } from './harness.ts'
import { type Injury, injure, injuries, isOf, whileTimePasses } from './injuries.ts'
import { type Kind, kinds, wholeTransfer } from './whole-transfer.ts'

const request = {
  target: { dial: 'PJSIP/2000@pbx' },
  callerId: { number: '+15550001' },
  headers: { 'X-Parley-Call': 'c1' },
}

/** One whole call with a transfer, as the call core drives it. */
async function wholeCall(asterisk: FakeAri, parley: Gateway, id: string, kind: Kind): Promise<void> {
  const leg = await Promise.race([parley.offered(id), until(() => !asterisk.channels.get(id)?.app)])
  if (!leg) return
  try {
    const { bridge } = await leg.connect(fakeLine().line)
    await leg.answer()
    const joined = await transfer(asterisk, parley, leg, kind).catch(() => false)
    if (joined) await until(() => isGone(parley, leg))
    else await isWithLine(asterisk, parley, leg, bridge)
    await leg.hangup('normal')
  } catch {
    await leg.hangup('congestion').catch(() => {})
  }
  await leg.close()
}

function transfer(asterisk: FakeAri, parley: Gateway, leg: Leg, kind: Kind): Promise<boolean> {
  return wholeTransfer(leg, kind, {
    request,
    line: fakeLine().line,
    provoke(far, event) {
      if (event === 'ownSound') asterisk.progress(far.id, 'PROGRESS')
      if (event === 'answered') asterisk.progress(far.id, 'ANSWER')
    },
    change: () => parley.clock.settle(),
    callerIsGone: () => isGone(parley, leg),
  })
}

const isGone = (parley: Gateway, leg: Leg) => parley.events.get(leg.id)?.some(({ kind }) => kind === 'gone') ?? false

/** Whoever was not joined, and has not gone, is with the agent. */
async function isWithLine(asterisk: FakeAri, parley: Gateway, leg: Leg, bridge: string): Promise<void> {
  await parley.ioTurns()
  if (!isGone(parley, leg)) expect([...(asterisk.bridges.get(bridge)?.channels ?? [])]).toContain(leg.id)
}

/** Somebody hangs up once the two talk: without an injury the call would go on for ever. */
function endTalks(asterisk: FakeAri): void {
  for (const { id, type, channels } of [...asterisk.bridges.values()]) {
    if (type === 'basic' && asterisk.bridges.has(id)) asterisk.hangUp([...channels][0] ?? '')
  }
}

async function injured(kind: Kind, injury: Injury | undefined, step: number): Promise<number> {
  const asterisk = await fakeAri()
  const parley = await gateway(asterisk)
  const id = asterisk.call()
  if (injury) injure(asterisk, parley, id, injury, step)
  const call = wholeCall(asterisk, parley, id, kind)
  let done = false
  void call.finally(() => {
    done = true
  })
  const talked = (async () => {
    while (!done) {
      endTalks(asterisk)
      await parley.ioTurns()
    }
  })()
  await whileTimePasses(parley, call)
  await talked
  asterisk.fault = () => undefined
  await until(() => !asterisk.channels.get(id)?.app)
  if (injury?.sweep || injury === injuries['the caller hangs up, and it is carried out late']) {
    await parley.sweep()
    endTalks(asterisk)
  }
  await parley.ioTurns()
  // A caller who is still there is in the fallback's hands.
  expect([...asterisk.channels.values()].filter(({ context }) => context !== 'fallback')).toEqual([])
  expect([...asterisk.bridges.keys()]).toEqual([])
  expect((await parley.telephony.inspect()).channels.filter(({ call }) => call)).toEqual([])
  // The heartbeat's and the sweep's: a leg or a dialled channel that lived on would hold one more.
  expect(parley.clock.pending).toBe(2)
  return asterisk.requests.filter(each => isOf(each, id)).length
}

const all = process.env['PARLEY_SOAK'] === '1'
/** Steps of each kind and injury in the normal run. */
const SAMPLE = 2

describe.each(kinds)('a transfer, %s, leaves nothing and loses nobody', kind => {
  let requests = 0

  it('when nothing happens to it', async () => {
    requests = await injured(kind, undefined, 0)
  })

  it.each(Object.entries(injuries))('%s', async (name, injury) => {
    const random = seeded([...`${kind}${name}`].reduce((sum, char) => sum + char.charCodeAt(0), 0))
    const steps = Array.from({ length: requests }, (_, step) => step)
    const chosen = all ? steps : Array.from({ length: SAMPLE }, () => Math.floor(random() * requests))
    for (const step of chosen) {
      await injured(kind, injury, step).catch(error => {
        throw new Error(`at request ${step}: ${error.message}`, { cause: error })
      })
    }
  })
})
