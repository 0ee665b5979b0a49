import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { FakeAri, FakeRequest } from '../support/fake-ari.ts'
import { until } from '../support/until.ts'
import { fakeAri, fakeLine, Gateway, gateway } from './harness.ts'

/** What a gateway that was killed in mid-call leaves in Asterisk. */
function abandonedCall(asterisk: FakeAri, app = 'parley'): string {
  const id = asterisk.call({}, app)
  const media = `${app}:media:${id}:old`
  const bridge = `${app}:bridge:${id}:old`
  asterisk.channels.get(id)!.state = 'Up'
  const channel = { id: media, name: 'UnicastRTP/127.0.0.1:1', state: 'Up', app, place: undefined } as const
  asterisk.channels.set(media, { ...channel, variables: new Map() })
  asterisk.bridges.set(bridge, { id: bridge, type: 'mixing', channels: new Set([id, media]) })
  return id
}

async function liveCall(asterisk: FakeAri, parley: Gateway) {
  const leg = await parley.offered(asterisk.call())
  const connection = await leg.connect(fakeLine().line)
  await leg.answer()
  return { leg, connection }
}

describe('a gateway that starts', () => {
  it('takes over the live callers of its earlier life: lease first, old media away, new media joined', async () => {
    const asterisk = await fakeAri()
    const id = abandonedCall(asterisk)
    const parley = await gateway(asterisk)
    const leg = await parley.offered(id)
    expect(leg.takenOver).toBe(true)
    expect(leg.facts.calledUser).toBe('bianca')
    await until(() => asterisk.channels.get(id)?.variables.get('TIMEOUT(absolute)') === '15')
    expect([...asterisk.channels.keys()]).toEqual([id])
    expect(asterisk.bridges.size).toBe(0)
    const { channel, bridge } = await leg.connect(fakeLine().line)
    expect([...(asterisk.bridges.get(bridge)?.channels ?? [])]).toEqual([id, channel])
  })

  it('offers a caller who was still ringing as a new one', async () => {
    const asterisk = await fakeAri()
    const id = asterisk.call()
    const parley = await gateway(asterisk)
    expect((await parley.offered(id)).takenOver).toBe(false)
  })

  it('does not take over a caller who leaves while what is left of the earlier life is removed', async () => {
    const asterisk = await fakeAri()
    const id = abandonedCall(asterisk)
    const left = Promise.withResolvers<void>()
    asterisk.fault = ({ method }) => (method === 'DELETE' ? { answer: left.promise } : undefined)
    const parley = new Gateway(asterisk)
    const starting = parley.start()
    await until(() => asterisk.requests.some(({ method }) => method === 'DELETE'))
    await parley.ioTurns()
    asterisk.takeBack(id)
    await parley.ioTurns()
    left.resolve()
    await starting
    expect(parley.legs).toEqual([])
    expect(asterisk.channels.get(id)?.place).toBe('fallback,T')
  })

  it('hangs up what is in its application and is no caller', async () => {
    const asterisk = await fakeAri()
    const id = asterisk.call()
    asterisk.channels.get(id)!.variables.delete('PARLEY_URI')
    const parley = await gateway(asterisk)
    await until(() => !asterisk.channels.has(id))
    expect(parley.legs).toEqual([])
  })

  it("leaves another gateway's calls, and channels and bridges of others, as they are", async () => {
    const asterisk = await fakeAri()
    abandonedCall(asterisk, 'parley-two')
    asterisk.bridges.set('a-bridge', { id: 'a-bridge', type: 'mixing', channels: new Set() })
    const before = [...asterisk.channels.keys(), ...asterisk.bridges.keys()]
    const parley = await gateway(asterisk)
    await parley.sweep()
    expect([...asterisk.channels.keys(), ...asterisk.bridges.keys()]).toEqual(before)
    expect((await parley.telephony.inspect()).channels.map(({ call }) => call)).toEqual([undefined, undefined])
  })

  it('is ready although something cannot be removed', async () => {
    const asterisk = await fakeAri()
    abandonedCall(asterisk)
    asterisk.fault = ({ method }) => (method === 'DELETE' ? { status: 500 } : undefined)
    const parley = await gateway(asterisk)
    expect(parley.telephony.ready).toBe(true)
    expect(parley.troubles.map(({ code }) => code)).toEqual(['ARI_REJECTED', 'ARI_REJECTED'])
    asterisk.fault = () => undefined
    await parley.sweep()
    expect(asterisk.bridges.size).toBe(0)
  })
})

describe('the sweep', () => {
  it('finds a caller whose arrival was not told, and what a lost answer has left', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const id = asterisk.call({}, 'parley', false)
    asterisk.bridges.set('parley:bridge:x', { id: 'parley:bridge:x', type: 'mixing', channels: new Set() })
    await parley.sweep()
    expect((await parley.offered(id)).takenOver).toBe(false)
    expect(asterisk.bridges.size).toBe(0)
  })

  it('does not offer a caller anew who has been handed back while it looked', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const { leg } = await liveCall(asterisk, parley)
    let release = () => {}
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    // Asterisk's answers are from before the caller leaves, and come after.
    const stale = ({ path }: FakeRequest) => path === '/channels' || path.startsWith('/applications')
    asterisk.fault = request => (stale(request) ? { answer: held } : undefined)
    for (let waitedMs = 0; waitedMs < limits.ari.sweepMs; waitedMs += 1_000) {
      parley.clock.advance(1_000)
      await parley.ioTurns()
    }
    expect(asterisk.requests.some(request => stale(request))).toBe(true)
    await leg.handBack('done')
    await parley.gone(leg.id)
    asterisk.fault = () => undefined
    release()
    await parley.sweep()
    expect(parley.legs.length).toBe(1)
    expect(asterisk.channels.get(leg.id)?.place).toBe('fallback,s,1')
  })
})

describe('a second gateway with the same application', () => {
  it('takes the calls over; the first steps down for good, in words, and touches no caller', async () => {
    const asterisk = await fakeAri()
    const first = await gateway(asterisk)
    const { leg, connection } = await liveCall(asterisk, first)
    const second = await gateway(asterisk, { seed: 2 })
    expect(await first.gone(leg.id)).toBe('taken over by another gateway')
    expect(first.telephony.ready).toBe(false)
    expect(first.states.at(-1)?.words).toMatch(/ARI_APP/)
    expect(first.troubles.map(({ code }) => code)).toEqual(['ARI_REFUSED'])
    await leg.close()

    const taken = await second.offered(leg.id)
    expect(taken.takenOver).toBe(true)
    expect(asterisk.channels.has(connection.channel)).toBe(false)
    await taken.connect(fakeLine().line)

    const asked = asterisk.requests.length
    first.clock.advance(10 * limits.ari.sweepMs)
    await first.clock.settle()
    expect(asterisk.requests.length).toBe(asked)
    expect(first.clock.pending).toBe(0)
    expect(asterisk.applications).toEqual(['parley'])
    expect(second.telephony.ready).toBe(true)
    expect(asterisk.channels.get(leg.id)?.app).toBe('parley')
  })

  it('with another name lives beside it', async () => {
    const asterisk = await fakeAri()
    const [one, two] = await Promise.all([gateway(asterisk), gateway(asterisk, { app: 'parley-two' })])
    const mine = await one.offered(asterisk.call())
    const theirs = await two.offered(asterisk.call({}, 'parley-two'))
    await Promise.all([one.sweep(), two.sweep()])
    expect([one.legs, two.legs]).toEqual([[mine], [theirs]])
  })
})
