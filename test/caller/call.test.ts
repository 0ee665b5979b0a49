import { afterEach, describe, expect, it } from 'vitest'
import { type Call, placeCall } from '../../src/caller/call.ts'
import { Connection } from '../../src/caller/connection.ts'
import type { CallOptions } from '../../src/caller/invitation.ts'
import { type Header, headerOf, type SipRequest } from '../../src/caller/message.ts'
import { systemClock } from '../../src/clock.ts'
import { FRAME_SAMPLES } from '../../src/media/audio.ts'
import { DECODED } from '../../src/media/g711.ts'
import { parseRtp, RtpPacket, RtpWriter } from '../../src/media/rtp.ts'
import { toneGenerator, toneLevelDb } from '../../src/media/tone.ts'
import { Wheel } from '../../src/media/wheel.ts'
import { seeded } from '../support/random.ts'
import { Callee } from './callee.ts'

const deps = { clock: systemClock, wheel: new Wheel(systemClock), random: seeded(1) }
const opened: { close(): void }[] = []

afterEach(() => {
  for (const { close } of opened.splice(0)) close()
  expect(deps.wheel.memberCount).toBe(0)
})

async function tcpCallee(): Promise<Callee> {
  const callee = await Callee.tcp()
  opened.push({ close: () => callee.close() })
  return callee
}

async function call(callee: Callee, options: Partial<CallOptions> = {}): Promise<Call> {
  const target = { address: '127.0.0.1', port: callee.port }
  const placed = await placeCall(deps, { target, transport: 'tcp', user: 'bianca', ...options })
  opened.push({ close: () => placed.vanish() })
  return placed
}

/** A call that the callee has answered. */
async function answered(
  callee: Callee,
  options: Partial<CallOptions> = {},
): Promise<{ call: Call; invite: SipRequest }> {
  const placed = await call(callee, options)
  const invite = await callee.request('INVITE')
  callee.accept(invite)
  await callee.request('ACK')
  return { call: placed, invite }
}

describe('a call', () => {
  it('asks for whom, with parameters, headers and both laws', async () => {
    const callee = await tcpCallee()
    await call(callee, {
      parameters: { callSid: 'CA1', patientId: '7 é;,', note: '' },
      headers: { 'X-Twilio-CallSid': 'CA1' },
      from: '+15550100123',
    })
    const invite = await callee.request('INVITE')
    expect(invite.uri).toBe(
      `sip:bianca@127.0.0.1:${callee.port};transport=tcp;callSid=CA1;patientId=7%20%C3%A9%3B%2C;note=`,
    )
    expect(headerOf(invite, 'X-Twilio-CallSid')).toBe('CA1')
    expect(headerOf(invite, 'From')).toMatch(/^<sip:\+15550100123@127\.0\.0\.1:\d+>;tag=\w+$/)
    expect(headerOf(invite, 'Via')).toMatch(/^SIP\/2\.0\/TCP 127\.0\.0\.1:\d+;branch=z9hG4bK\w+;rport$/)
    expect(Callee.audioOf(invite).laws.map(({ law }) => law)).toEqual(['ulaw', 'alaw'])
  })

  it.each([
    ['a header that begins another', { headers: { 'X-A': 'b\r\nRoute: <sip:elsewhere>' } }],
    ['a header name that is none', { headers: { 'X A': 'b' } }],
    ['a parameter name that is none', { parameters: { 'a;b': 'c' } }],
  ])('is not placed with %s', async (_, options) => {
    const target = { address: '127.0.0.1', port: 9 }
    await expect(placeCall(deps, { target, transport: 'tcp', user: 'bianca', ...options })).rejects.toThrow(TypeError)
  })

  it.each([0, 10, 30, 220, Number.NaN])('is not placed with packets of %i ms', async ptimeMs => {
    const target = { address: '127.0.0.1', port: 9 }
    await expect(placeCall(deps, { target, transport: 'tcp', user: 'b', ptimeMs })).rejects.toThrow(RangeError)
  })

  it('is answered, and ended by the caller', async () => {
    const callee = await tcpCallee()
    const placed = await call(callee)
    const invite = await callee.request('INVITE')
    callee.answer(invite, 100, 'Trying')
    callee.answer(invite, 180, 'Ringing')
    callee.accept(invite)
    expect(await placed.answered).toMatchObject({
      kind: 'answered',
      status: 200,
      contact: callee.contact[1].slice(1, -1),
    })

    const ack = await callee.request('ACK')
    expect(ack.uri).toBe(`sip:desk@127.0.0.1:${callee.port}`)
    expect(headerOf(ack, 'CSeq')).toBe(headerOf(invite, 'CSeq')!.replace('INVITE', 'ACK'))
    expect(headerOf(ack, 'To')).toBe(`${headerOf(invite, 'To')};tag=callee`)

    const hungUp = placed.hangup()
    const bye = await callee.request('BYE')
    expect(headerOf(bye, 'Call-ID')).toBe(headerOf(invite, 'Call-ID'))
    callee.answer(bye, 200, 'OK')
    expect(await hungUp).toMatchObject({ by: 'caller', how: 'bye' })
    await callee.until(() => callee.closedConnections === 1)
  })

  it('is ended by the callee', async () => {
    const callee = await tcpCallee()
    const { call: placed, invite } = await answered(callee)
    callee.send('BYE', invite, 1, { headers: [['Reason', 'Q.850;cause=16']] })
    await callee.next(200)
    expect(await placed.ended).toMatchObject({ by: 'callee', how: 'bye', reason: 'Q.850;cause=16' })
    await callee.until(() => callee.closedConnections === 1)
  })

  it.each([
    [404, 'Not Found'],
    [486, 'Busy Here'],
    [503, 'Service Unavailable'],
    [603, 'Decline'],
    [302, 'Moved'],
  ])('is refused with %i', async (status, reason) => {
    const callee = await tcpCallee()
    const placed = await call(callee)
    callee.answer(await callee.request('INVITE'), status, reason)
    const ack = await callee.request('ACK')
    expect(headerOf(ack, 'To')).toMatch(/;tag=callee$/)
    expect(await placed.answered).toMatchObject({ kind: 'refused', status, reason })
    expect(await placed.ended).toMatchObject({ by: 'callee', how: 'refused', reason: `${status} ${reason}` })
  })

  it('is given up while it rings', async () => {
    const callee = await tcpCallee()
    const placed = await call(callee)
    const invite = await callee.request('INVITE')
    const hungUp = placed.hangup()
    // Nothing may be cancelled before anything was heard (RFC 3261 section 9.1).
    callee.answer(invite, 180, 'Ringing')
    const cancel = await callee.request('CANCEL')
    expect(headerOf(cancel, 'Via')).toBe(headerOf(invite, 'Via'))
    expect(headerOf(cancel, 'CSeq')).toBe(headerOf(invite, 'CSeq')!.replace('INVITE', 'CANCEL'))
    callee.answer(cancel, 200, 'OK')
    callee.answer(invite, 487, 'Request Terminated')
    await callee.request('ACK')
    expect(await hungUp).toMatchObject({ by: 'caller', how: 'cancelled' })
    expect(await placed.answered).toMatchObject({ kind: 'refused', status: 487 })
  })

  it('is given up at the moment it is answered: the answer wins and is taken back by BYE', async () => {
    const callee = await tcpCallee()
    const placed = await call(callee)
    const invite = await callee.request('INVITE')
    callee.answer(invite, 180, 'Ringing')
    void placed.hangup()
    const cancel = await callee.request('CANCEL')
    callee.accept(invite)
    callee.answer(cancel, 481, 'Call/Transaction Does Not Exist')
    await callee.request('ACK')
    callee.answer(await callee.request('BYE'), 200, 'OK')
    expect(await placed.ended).toMatchObject({ by: 'caller', how: 'bye' })
  })

  it('crosses BYE with BYE', async () => {
    const callee = await tcpCallee()
    const { call: placed, invite } = await answered(callee)
    const hungUp = placed.hangup()
    await callee.request('BYE')
    callee.send('BYE', invite, 1)
    await callee.next(200)
    expect(await hungUp).toMatchObject({ how: 'bye' })
  })

  it('vanishes without a word', async () => {
    const callee = await tcpCallee()
    const { call: placed } = await answered(callee)
    placed.vanish()
    expect(await placed.ended).toMatchObject({ by: 'caller', how: 'vanished' })
    await callee.until(() => callee.closedConnections === 1)
    expect(callee.unread).toEqual([])
  })

  it('fails when the connection is lost, when nobody listens, and when the answer has no audio', async () => {
    const callee = await tcpCallee()
    const { call: lost } = await answered(callee)
    callee.hangConnectionUp()
    expect(await lost.ended).toMatchObject({ by: 'nobody', how: 'failed' })

    const { call: deceived } = await answered(callee)
    callee.sendRaw('HTTP/1.1 200 OK\r\n\r\n')
    expect(await deceived.ended).toMatchObject({
      by: 'nobody',
      reason: 'the other side sent something that is not SIP',
    })

    const mute = await call(callee)
    const invite = await callee.request('INVITE')
    callee.answer(invite, 200, 'OK', { headers: [callee.contact], body: 'v=0\r\n' })
    await callee.request('ACK')
    expect(await mute.answered).toMatchObject({ kind: 'failed' })
    callee.answer(await callee.request('BYE'), 200, 'OK')

    callee.close()
    opened.splice(0)
    await expect(call(callee)).rejects.toThrow('ECONNREFUSED')
  })

  it('comes from the address it is given', async () => {
    const callee = await tcpCallee()
    await call(callee, { localAddress: '127.0.0.2' })
    const invite = await callee.request('INVITE')
    expect(callee.connectionsFrom).toEqual(['127.0.0.2'])
    expect(Callee.audioOf(invite).address).toBe('127.0.0.2')
  })

  it('goes the way that Record-Route says', async () => {
    const callee = await tcpCallee()
    await call(callee)
    const invite = await callee.request('INVITE')
    const routes: [string, string] = ['Record-Route', '<sip:p2;lr>, <sip:p1;lr>']
    callee.accept(invite, {}, [routes])
    const ack = await callee.request('ACK')
    expect(ack.headers.filter(([name]) => name === 'Route').map(([, value]) => value)).toEqual([
      '<sip:p1;lr>',
      '<sip:p2;lr>',
    ])
  })

  it('answers what is asked within the call and refuses what does not belong to it', async () => {
    const callee = await tcpCallee()
    const { invite } = await answered(callee)
    callee.send('OPTIONS', invite, 1)
    expect(headerOf(await callee.next(200), 'Allow')).toContain('INVITE')
    callee.send('REFER', invite, 2)
    await callee.next(405)
    callee.send('INFO', invite, 1)
    await callee.next(500)
    callee.send('BYE', invite, 8, { tag: 'another callee' })
    await callee.next(481)
    const otherCall = invite.headers.map(([name, value]): Header => [name, name === 'From' ? `${value}x` : value])
    callee.send('BYE', { ...invite, headers: otherCall }, 9)
    await callee.next(481)
    const unknown = invite.headers.map(([name, value]): Header => [name, name === 'Call-ID' ? 'unknown' : value])
    callee.send('OPTIONS', { ...invite, headers: unknown }, 1)
    await callee.next(200)
    callee.send('ACK', { ...invite, headers: unknown }, 1)
    callee.send('BYE', { ...invite, headers: unknown }, 2)
    const refusal = await callee.next(481)
    expect(headerOf(refusal, 'Via')).toContain(`;received=127.0.0.1;rport=${callee.port}`)
  })

  it('shares a connection with another call', async () => {
    const callee = await tcpCallee()
    const target = { address: '127.0.0.1', port: callee.port }
    const connection = new Connection({ target, transport: 'tcp' })
    opened.push({ close: () => connection.destroy() })
    const first = await answered(callee, { connection })
    const second = await answered(callee, { connection })
    expect(callee.connectionsFrom).toHaveLength(1)
    callee.send('BYE', first.invite, 1)
    await callee.next(200)
    await first.call.ended
    void second.call.hangup()
    callee.answer(await callee.request('BYE'), 200, 'OK')
    expect(await second.call.ended).toMatchObject({ by: 'caller' })
    expect(callee.closedConnections).toBe(0)
  })

  it('works over UDP', async () => {
    const callee = await Callee.udp()
    opened.push({ close: () => callee.close() })
    const { call: placed, invite } = await answered(callee, { transport: 'udp' })
    expect(invite.uri).not.toContain('transport')
    expect(headerOf(invite, 'Via')).toMatch(/^SIP\/2\.0\/UDP /)
    callee.send('BYE', invite, 1)
    await callee.next(200)
    expect(await placed.ended).toMatchObject({ by: 'callee' })
    // The 200 may have been lost: the same BYE is answered alike after the end.
    callee.send('BYE', invite, 1)
    await callee.next(200)
  })
})

const tone = (hz: number, ms: number) => toneGenerator(8_000, hz, -12)(new Int16Array(ms * 8))

/** What the callee was sent, as sound. */
function heardBy(callee: Callee): Int16Array {
  const packets = callee.received.map(({ bytes }) => parseRtp(bytes, new RtpPacket())!)
  return Int16Array.from(packets.flatMap(p => [...p.bytes.subarray(p.start, p.end)].map(code => DECODED.ulaw[code]!)))
}

describe('the audio of a call', () => {
  it('is heard by the callee whole, from an address that the offer named', async () => {
    const callee = await tcpCallee()
    const { call: placed, invite } = await answered(callee)
    expect(await placed.play(tone(440, 100))).toBe('sent')
    await callee.until(() =>
      heardBy(callee).some((_, at, all) => toneLevelDb(all.subarray(at, at + 800), 8_000, 440) > -13),
    )
    expect(callee.received[0]!.fromPort).toBe(Callee.audioOf(invite).port)
    expect(placed.figures().sent).toMatchObject({ failed: 0, skippedFrames: 0 })
  })

  it('is shown packet by packet as it leaves, for as long as somebody looks', async () => {
    const callee = await tcpCallee()
    const { call: placed } = await answered(callee)
    const left: string[] = []
    const arrived = () => callee.received.map(({ bytes }) => bytes.toString('hex'))
    const stop = placed.onSent(packet => left.push(Buffer.from(packet).toString('hex')))
    await callee.until(() => left.length >= 3)
    stop()
    const shown = left.length
    await callee.until(() =>
      arrived()
        .slice(0, -2)
        .includes(left[shown - 1]!),
    )
    const first = arrived().indexOf(left[0]!)
    expect(arrived().slice(first, first + shown)).toEqual(left)
  })

  it('is cut by the end of the call', async () => {
    const callee = await tcpCallee()
    const { call: placed, invite } = await answered(callee)
    const playing = placed.play(tone(440, 1_000))
    const listening = placed.hearsTone(700, { forMs: 100 })
    callee.send('BYE', invite, 1)
    expect(await playing).toBe('cut')
    await expect(listening).rejects.toThrow('the call has ended (bye by callee); heard from 0 ms on: nothing at all')
    expect(await placed.play(tone(440, 20))).toBe('cut')
  })

  it('is heard by the caller: tones awaited, strangers kept out, figures counted', async () => {
    const callee = await tcpCallee()
    const { call: placed, invite } = await answered(callee)
    const { address, port } = Callee.audioOf(invite)
    const writer = new RtpWriter(0, seeded(2))
    const codes = Uint8Array.from({ length: FRAME_SAMPLES }, () => 0xff)
    const send = (packet: Uint8Array) => new Promise(resolve => callee.rtp.send(packet, port, address, resolve))
    const frames: number[] = []
    placed.onFrame(({ positionMs }) => frames.push(positionMs!))
    const waits = placed.hearsSilence(60)
    for (let n = 0; n < 5; n++) {
      const packet = new Uint8Array(172)
      writer.write(packet, codes, n === 0)
      if (n !== 2) await send(packet)
    }
    expect(await waits).toEqual({ fromMs: 0, toMs: 80 })
    const stranger = await Callee.udp()
    await new Promise(resolve => stranger.rtp.send(new Uint8Array(172).fill(0x80), port, address, resolve))
    stranger.close()
    await callee.until(() => placed.figures().received.strangers === 1)
    expect(frames).toEqual([0, 20, 60, 80])
    expect(placed.gaps()).toEqual([{ fromMs: 40, toMs: 60 }])
    expect(placed.heard()).toHaveLength(100 * 8)
    expect(placed.figures().received).toMatchObject({ packets: 4, lost: 1, strangers: 1, markersMs: [0], jumps: 0 })
  })

  it('hears what arrived together with the BYE', async () => {
    const callee = await tcpCallee()
    const { call: placed, invite } = await answered(callee)
    const { address, port } = Callee.audioOf(invite)
    const packet = new Uint8Array(172)
    new RtpWriter(0, seeded(2)).write(packet, new Uint8Array(FRAME_SAMPLES).fill(0xff), true)
    const waits = placed.hearsSilence(20)
    callee.send('BYE', invite, 1)
    callee.rtp.send(packet, port, address)
    expect(await waits).toEqual({ fromMs: 0, toMs: 20 })
    expect(await placed.ended).toMatchObject({ by: 'callee', how: 'bye' })
    expect(placed.heardMs).toBe(20)
  })

  it('moves to another port and law when the callee takes the offer, and stays where it was when not', async () => {
    const callee = await tcpCallee()
    const { call: placed, invite } = await answered(callee)
    const formerPort = Callee.audioOf(invite).port

    const refused = placed.offerAgain(['alaw'])
    callee.answer(await callee.request('INVITE'), 488, 'Not Acceptable Here')
    await callee.request('ACK')
    expect(await refused).toBe(488)
    callee.received.length = 0
    await callee.until(() => callee.received.length > 0)
    expect(callee.received[0]).toMatchObject({ fromPort: formerPort })

    const taken = placed.offerAgain(['alaw'])
    const offer = await callee.request('INVITE')
    const { port, laws } = Callee.audioOf(offer)
    expect(port).not.toBe(formerPort)
    expect(laws).toEqual([{ law: 'alaw', payloadType: 8 }])
    callee.accept(offer, { laws })
    await callee.request('ACK')
    expect(await taken).toBe(200)
    await callee.until(() => callee.received.at(-1)?.fromPort === port)
    expect(callee.received.at(-1)!.bytes[1]! & 0x7f).toBe(8)

    const pending = placed.offerAgain()
    await callee.request('INVITE')
    placed.vanish()
    await expect(pending).rejects.toThrow('the call ended first')
    await expect(placed.offerAgain()).rejects.toThrow('there is no call to change')
  })

  it('puts the callee on hold: nothing is sent until something else is offered', async () => {
    const callee = await tcpCallee()
    const { call: placed } = await answered(callee)
    await callee.until(() => callee.received.length > 0)
    const holding = placed.hold()
    const offer = await callee.request('INVITE')
    expect(offer.body).toContain('a=inactive')
    callee.accept(offer, { direction: 'inactive' })
    await callee.request('ACK')
    expect(await holding).toBe(200)
    const { packets } = placed.figures().sent
    const otherCallee = await tcpCallee()
    const { call: other } = await answered(otherCallee)
    await otherCallee.until(() => other.figures().sent.packets > 3)
    expect(placed.figures().sent.packets).toBe(packets)
    other.vanish()
  })

  it('follows what the callee changes: hold, another law, an offer it asks for', async () => {
    const callee = await tcpCallee()
    const { call: placed, invite } = await answered(callee)
    await callee.until(() => callee.received.length > 0)

    callee.send('INVITE', invite, 1, { headers: [callee.contact], body: callee.description({ direction: 'sendonly' }) })
    const held = await callee.next(200)
    expect(held.body).toContain('a=recvonly')
    callee.send('ACK', invite, 1)
    const { packets } = placed.figures().sent
    // While another call speaks, this one does not.
    const otherCallee = await tcpCallee()
    const { call: other } = await answered(otherCallee)
    await otherCallee.until(() => other.figures().sent.packets > 3)
    expect(placed.figures().sent.packets).toBe(packets)
    other.vanish()

    callee.send('INVITE', invite, 2, {
      headers: [callee.contact],
      body: callee.description({ laws: [{ law: 'alaw', payloadType: 8 }] }),
    })
    expect((await callee.next(200)).body).toMatch(/m=audio \d+ RTP\/AVP 8 101\r\n/)
    callee.send('ACK', invite, 2)
    await callee.until(() => (callee.received.at(-1)!.bytes[1]! & 0x7f) === 8)
    expect(placed.figures().sent.packets).toBeGreaterThan(packets)

    callee.send('INVITE', invite, 3, { headers: [callee.contact] })
    expect((await callee.next(200)).body).toMatch(/m=audio \d+ RTP\/AVP 0 8 101\r\n/)
    callee.send('ACK', invite, 3, { body: callee.description() })
    await callee.until(() => (callee.received.at(-1)!.bytes[1]! & 0x7f) === 0)

    callee.send('INVITE', invite, 4, { body: callee.description({ laws: [] }) })
    await callee.next(488)
  })
})
