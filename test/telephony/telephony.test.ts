import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { until } from '../support/until.ts'
import { fakeAri, fakeLine, type Gateway, gateway, LEASE_MS } from './harness.ts'

const renewals = (requests: readonly { path: string; body: unknown }[], id: string) =>
  requests.filter(
    ({ path, body }) => path === `/channels/${id}/variables` && JSON.stringify([body]).includes('TIMEOUT'),
  )

/** A call that is answered and can be heard. */
async function liveCall(parley: Gateway, id: string) {
  const leg = await parley.offered(id)
  const connection = await leg.connect(fakeLine().line)
  await leg.answer()
  return { leg, connection }
}

describe('a call', () => {
  it('is offered with everything the caller brought, joined, answered and ended', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const id = asterisk.call({
      PARLEY_URI: encodeURIComponent('sip:bianca@127.0.0.1:5061;transport=tcp;callSid=CA1;patientId=a%20b'),
      PARLEY_HEADERS: 'X-Twilio-CallSid=CA1&X-Note=caf%C3%A9',
      'CHANNEL(audionativeformat)': '(alaw)',
    })
    const leg = await parley.offered(id)
    expect(leg.takenOver).toBe(false)
    expect(leg.facts).toEqual({
      calledUser: 'bianca',
      requestUri: 'sip:bianca@127.0.0.1:5061;transport=tcp;callSid=CA1;patientId=a%20b',
      parameters: { transport: 'tcp', callSid: 'CA1', patientId: 'a b' },
      headers: { 'x-twilio-callsid': 'CA1', 'x-note': 'café' },
      callerNumber: '+15550001',
      law: 'alaw',
    })

    const { line, peers } = fakeLine('alaw')
    const connection = await leg.connect(line)
    expect(peers).toEqual([{ address: '127.0.0.1', port: 10_000 }])
    expect(connection.ports).toEqual({ gateway: 40_000, asterisk: 10_000 })
    const bridge = asterisk.bridges.get(connection.bridge)
    expect([...(bridge?.channels ?? [])].sort()).toEqual([id, connection.channel].sort())
    expect(asterisk.requests.find(({ path }) => path === '/channels/externalMedia')?.query.get('format')).toBe('alaw')
    expect(asterisk.channels.get(id)?.state).toBe('Ring')
    await leg.answer()
    expect(asterisk.channels.get(id)?.state).toBe('Up')
    expect(await parley.telephony.inspect()).toMatchObject({
      channels: [
        { id, call: id },
        { id: connection.channel, call: id },
      ],
      bridges: [{ id: connection.bridge, technology: 'simple_bridge', call: id }],
    })

    await leg.hangup('normal')
    expect(await parley.gone(id)).toBe('hung up (cause 32)')
    await leg.close()
    expect(asterisk.channels.size + asterisk.bridges.size).toBe(0)
  })

  it('takes five requests from its offer to its answer, two of them at once', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    await until(() => asterisk.requests.some(({ path }) => path === '/recordings/stored'))
    const id = asterisk.call()
    const { connection } = await liveCall(parley, id)
    const asked = asterisk.requests.map(({ method, path }) => `${method} ${path}`)
    expect(asked.slice(asked.indexOf(`GET /channels/${id}/variables`))).toEqual([
      `GET /channels/${id}/variables`,
      'POST /channels/externalMedia',
      `POST /bridges/${connection.bridge}`,
      `POST /bridges/${connection.bridge}/addChannel`,
      `POST /channels/${id}/answer`,
    ])
  })

  it('tells of digits, hold and the end, also of what happened before anyone listened', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const id = asterisk.call()
    asterisk.tell(id, 'ChannelDtmfReceived', { digit: '5' })
    await parley.offered(id)
    asterisk.tell(id, 'ChannelDtmfReceived', { digit: '#', duration_ms: 120 })
    asterisk.tell(id, 'ChannelHold')
    asterisk.tell(id, 'ChannelUnhold')
    asterisk.hangUp(id, 44)
    expect(await parley.gone(id)).toBe('hung up (cause 44)')
    expect(parley.events.get(id)).toEqual([
      { kind: 'digit', digit: '#', heldMs: 120 },
      { kind: 'held' },
      { kind: 'unheld' },
      { kind: 'gone', how: 'vanished', cause: 'hung up (cause 44)' },
    ])
  })

  it('sends digits to the caller, while there is one', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const { leg } = await liveCall(parley, asterisk.call())
    let sent = false
    const sending = leg.sendDigits('1w#').then(() => {
      sent = true
    })
    await until(() => asterisk.requests.at(-1)?.path === `/channels/${leg.id}/dtmf`)
    const asked = asterisk.requests.at(-1)
    await parley.ioTurns()
    await parley.pass(1_000)
    expect(sent).toBe(false)
    await parley.pass(100)
    await sending
    expect([asked?.method, asked?.path]).toEqual(['POST', `/channels/${leg.id}/dtmf`])
    expect(asked?.query.get('dtmf')).toBe('1w#')
    asterisk.hangUp(leg.id)
    await parley.gone(leg.id)
    await expect(leg.sendDigits('1')).rejects.toMatchObject({ code: 'CHANNEL_GONE' })
  })

  it.each([
    ['normal', 'normal'],
    ['busy', 'busy'],
    ['congestion', 'congestion'],
    ['noAnswer', 'no_answer'],
    ['rejected', 'rejected'],
  ] as const)('is refused with the cause %s', async (cause, reason) => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const leg = await parley.offered(asterisk.call())
    await leg.hangup(cause)
    const asked = asterisk.requests.find(({ method }) => method === 'DELETE')
    expect([asked?.path, asked?.query.get('reason')]).toEqual([`/channels/${leg.id}`, reason])
  })

  it('is handed back to the fallback with the reason, and its media goes', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const { leg } = await liveCall(parley, asterisk.call())
    await leg.handBack('agent failed')
    await parley.gone(leg.id)
    await leg.close()
    const caller = asterisk.channels.get(leg.id)
    expect(caller?.place).toBe('fallback,s,1')
    expect(caller?.variables.get('PARLEY_REASON')).toBe('agent failed')
    expect([...asterisk.channels.keys()]).toEqual([leg.id])
    expect(asterisk.bridges.size).toBe(0)
  })

  it('is handed back also when the reason cannot be set', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const { leg } = await liveCall(parley, asterisk.call())
    asterisk.fault = ({ path }) => (path.endsWith('/variables') ? { status: 500 } : undefined)
    await leg.handBack('agent failed')
    expect(asterisk.channels.get(leg.id)?.place).toBe('fallback,s,1')
  })

  it('is handed back when its leg is closed while the caller is there', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const { leg } = await liveCall(parley, asterisk.call())
    await leg.close()
    expect(asterisk.channels.get(leg.id)?.place).toBe('fallback,s,1')
    expect([...asterisk.channels.keys()]).toEqual([leg.id])
  })

  it('gets another media channel when its own is ended by someone else, a bounded number of times', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const { leg, connection } = await liveCall(parley, asterisk.call())
    const events = parley.events.get(leg.id) ?? []
    let { channel } = connection
    for (let count = 1; count <= limits.call.mediaReplacements; count++) {
      asterisk.hangUp(channel)
      await until(() => events.length === 2 * count)
      const [lost, replaced] = events.slice(-2)
      expect(lost?.kind).toBe('mediaLost')
      if (replaced?.kind !== 'mediaReplaced') throw new Error(`it was not replaced: ${replaced?.kind}`)
      expect(replaced.connection).toMatchObject({
        bridge: connection.bridge,
        channel: expect.stringContaining(`:media:${leg.id}:`),
      })
      channel = replaced.connection.channel
      expect([...(asterisk.bridges.get(connection.bridge)?.channels ?? [])]).toEqual([leg.id, channel])
    }
    asterisk.hangUp(channel)
    await until(() => events.at(-1)?.kind === 'mediaFailed')
    expect([...asterisk.channels.keys()]).toEqual([leg.id])
    await leg.close()
    expect(asterisk.channels.get(leg.id)?.place).toBe('fallback,s,1')
  })

  it('gets no further media channel once its caller is gone', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const { leg, connection } = await liveCall(parley, asterisk.call())
    asterisk.fault = ({ path }) => {
      if (path === '/channels/externalMedia') asterisk.hangUp(leg.id)
      return undefined
    }
    asterisk.hangUp(connection.channel)
    await parley.gone(leg.id)
    await leg.close()
    await parley.ioTurns()
    expect([...asterisk.channels.keys()]).toEqual([])
    expect(asterisk.bridges.size).toBe(0)
  })

  it('goes to the fallback when it speaks neither law', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const id = asterisk.call({ 'CHANNEL(audionativeformat)': '(g722)' })
    await until(() => asterisk.channels.get(id)?.place === 'fallback,s,1')
    expect(parley.legs).toEqual([])
  })

  it('that ends while its facts are read is never offered', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const left = Promise.withResolvers<void>()
    asterisk.fault = ({ path }) => (path.endsWith('/variables') ? { answer: left.promise } : undefined)
    const id = asterisk.call()
    await until(() => asterisk.requests.some(({ path }) => path.includes(id)))
    asterisk.takeBack(id)
    await parley.ioTurns()
    left.resolve()
    await parley.ioTurns()
    expect(parley.legs).toEqual([])
    expect(asterisk.channels.has(id)).toBe(true)
  })

  it('of another application is left alone', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const others = asterisk.call({}, 'other')
    const ours = asterisk.call()
    await parley.offered(ours)
    await parley.pass(limits.ari.sweepMs)
    expect(asterisk.channels.get(others)?.app).toBe('other')
  })
})

describe('the lease', () => {
  it('is renewed three times within its length, while the caller is there', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const { leg } = await liveCall(parley, asterisk.call())
    for (let count = 1; count <= 4; count++) {
      await parley.pass(LEASE_MS / 3)
      await until(() => renewals(asterisk.requests, leg.id).length === count)
    }
    expect(asterisk.channels.get(leg.id)?.variables.get('TIMEOUT(absolute)')).toBe('15')
    asterisk.hangUp(leg.id)
    await parley.gone(leg.id)
    await leg.close()
    await parley.pass(LEASE_MS)
    expect(renewals(asterisk.requests, leg.id).length).toBe(4)
  })

  it('that has run out ends the leg, and what it made goes', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const { leg } = await liveCall(parley, asterisk.call())
    asterisk.takeBack(leg.id)
    expect(await parley.gone(leg.id)).toBe('left the application')
    await leg.close()
    expect([...asterisk.channels.keys()]).toEqual([leg.id])
    expect(asterisk.bridges.size).toBe(0)
  })

  it('of a channel that is gone unnoticed tells the end at the next renewal', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const { leg } = await liveCall(parley, asterisk.call())
    asterisk.channels.delete(leg.id)
    await parley.pass(LEASE_MS / 3)
    expect(await parley.gone(leg.id)).toBe('not found')
    await leg.close()
    expect(asterisk.channels.size + asterisk.bridges.size).toBe(0)
  })
})

describe('a leg whose caller has gone', () => {
  it('refuses what needs the caller, and is content to hang up', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const leg = await parley.offered(asterisk.call())
    asterisk.hangUp(leg.id)
    await parley.gone(leg.id)
    asterisk.requests.length = 0
    await expect(leg.connect(fakeLine().line)).rejects.toMatchObject({ code: 'CHANNEL_GONE' })
    await expect(leg.answer()).rejects.toMatchObject({ code: 'CHANNEL_GONE' })
    await expect(leg.handBack('late')).rejects.toMatchObject({ code: 'CHANNEL_GONE' })
    await leg.hangup('normal')
    await leg.close()
    await leg.close()
    expect(asterisk.requests).toEqual([])
  })
})

describe('the end of the process', () => {
  it('hands every caller to the fallback and leaves nothing behind', async () => {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const calls = await Promise.all([asterisk.call(), asterisk.call()].map(id => liveCall(parley, id)))
    await parley.scope.close()
    expect(calls.map(({ leg }) => asterisk.channels.get(leg.id)?.place)).toEqual(['fallback,s,1', 'fallback,s,1'])
    expect(asterisk.channels.size).toBe(2)
    expect(asterisk.bridges.size).toBe(0)
    expect(parley.telephony.ready).toBe(false)
    expect(parley.clock.pending).toBe(0)
    await until(() => asterisk.applications.length === 0)
    expect(parley.leaks).toEqual([])
  })
})
