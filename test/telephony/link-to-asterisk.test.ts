import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { until } from '../support/until.ts'
import { fakeAri, fakeLine, Gateway, gateway } from './harness.ts'

describe('when the events socket is cut', () => {
  it('the gateway connects again at once, and a live call goes on', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const leg = await parley.offered(asterisk.call())
    await leg.connect(fakeLine().line)
    asterisk.cutEventSockets()
    await parley.failAndBackOff()
    await parley.readyAgain()
    expect(parley.states.map(({ ready }) => ready)).toEqual([true, false, true])
    await until(() => asterisk.channels.get(leg.id)?.variables.get('TIMEOUT(absolute)') === '15')
    asterisk.tell(leg.id, 'ChannelDtmfReceived', { digit: '7', duration_ms: 90 })
    await until(() => parley.events.get(leg.id)?.length === 1)
    expect(parley.events.get(leg.id)).toEqual([{ kind: 'digit', digit: '7', heldMs: 90 }])
  })

  it('a caller who hung up meanwhile is told gone, and one who came meanwhile is offered', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const former = await parley.offered(asterisk.call())
    await former.connect(fakeLine().line)
    asterisk.cutEventSockets()
    await until(() => asterisk.applications.length === 0)
    asterisk.hangUp(former.id)
    const id = asterisk.call()
    await parley.failAndBackOff(2 * limits.ari.backoffMs.first)
    await parley.readyAgain()
    expect(await parley.gone(former.id)).toBe('left the application')
    expect((await parley.offered(id)).takenOver).toBe(false)
    await former.close()
    expect([...asterisk.channels.keys()]).toEqual([id])
    expect(asterisk.bridges.size).toBe(0)
  })

  it('a call whose media channel entered meanwhile is set up all the same', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const leg = await parley.offered(asterisk.call())
    asterisk.afterRequest = ({ path }) => {
      if (path === '/channels/externalMedia') asterisk.cutEventSockets()
    }
    const connecting = leg.connect(fakeLine().line)
    await parley.failAndBackOff(2 * limits.ari.backoffMs.first)
    await parley.readyAgain()
    expect((await connecting).channel).toMatch(leg.id)
  })
})

describe('when Asterisk', () => {
  it('freezes, the heartbeat finds it; when it goes on, so does the gateway, with its calls', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const leg = await parley.offered(asterisk.call())
    asterisk.freeze()
    parley.clock.advance(limits.ari.heartbeatMs)
    await parley.clock.settle()
    expect(parley.telephony.ready).toBe(true)
    parley.clock.advance(limits.ari.heartbeatMs)
    await until(() => !parley.telephony.ready)
    expect(parley.states.at(-1)?.words).toBe(`Asterisk has not answered for ${limits.ari.heartbeatMs} ms.`)
    await parley.failAndBackOff()
    asterisk.thaw()
    await parley.readyAgain()
    expect(parley.events.get(leg.id)).toEqual([])
  })

  it('dies and is started again, its calls are told gone and the next one is answered', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const leg = await parley.offered(asterisk.call())
    await leg.connect(fakeLine().line)
    await asterisk.stop()
    asterisk.channels.clear()
    asterisk.bridges.clear()
    await parley.failAndBackOff()
    await asterisk.start()
    await parley.readyAgain()
    expect(await parley.gone(leg.id)).toBe('left the application')
    const next = await parley.offered(asterisk.call())
    await next.connect(fakeLine().line)
    await next.answer()
  })

  it('answers on HTTP and no more on the events socket, that is noticed too', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    asterisk.deaf = true
    parley.clock.advance(limits.ari.heartbeatMs)
    await parley.clock.settle()
    parley.clock.advance(limits.ari.heartbeatMs)
    await until(() => !parley.telephony.ready)
  })
})

describe('the first connect', () => {
  it('waits for an Asterisk that is not there yet', async () => {
    const asterisk = await fakeAri()
    await asterisk.stop()
    const parley = new Gateway(asterisk)
    const starting = parley.start()
    for (let attempt = 0; attempt < 5; attempt++) await parley.failAndBackOff()
    await asterisk.start()
    await parley.readyAgain()
    await starting
  })
})
