import { describe, expect, it } from 'vitest'
import { headerOf, type SipMessage, type SipRequest } from '../../src/caller/message.ts'
import { responseTo } from '../../src/caller/response.ts'
import { describe as description, withStaticTypes } from '../../src/caller/sdp.ts'
import type { Path } from '../../src/caller/session.ts'
import { type Audio, Signalling } from '../../src/caller/signalling.ts'
import { seeded } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const sdp = description(
  {
    address: '192.0.2.1',
    port: 4_000,
    laws: withStaticTypes(['ulaw']),
    digitsPayloadType: 101,
    direction: 'sendrecv',
    ptimeMs: 20,
  },
  { id: 1, version: 1 },
)
const callee = { address: '192.0.2.1', port: 5_060 }

/** A call over a UDP path that the test holds the other end of. */
class Caller {
  readonly clock = new VirtualClock()
  readonly sent: SipMessage[] = []
  readonly told: string[] = []
  readonly signalling: Signalling
  released = 0
  #deliver: (message: SipMessage) => void = () => {}

  constructor() {
    const path: Path = {
      local: { address: '192.0.2.9', port: 40_000 },
      target: callee,
      transport: 'UDP',
      reliable: false,
      send: message => void this.sent.push(message),
      attach: (_, { received }) => {
        this.#deliver = received
        return () => {}
      },
    }
    const audio: Audio = {
      offer: () => sdp,
      answered: () => void this.told.push('answered'),
      changed: () => sdp,
      ended: () => void this.told.push('ended'),
    }
    const invitation = { uri: 'sip:b@192.0.2.1', from: 'sip:a@h', to: 'sip:b@192.0.2.1', contactUser: 'a', headers: [] }
    this.signalling = new Signalling({ clock: this.clock, random: seeded(3), path }, invitation, audio, () => {
      this.released += 1
    })
    this.signalling.start()
  }

  get invite(): SipRequest {
    return this.sent[0] as SipRequest
  }

  get methods(): string[] {
    return this.sent.map(message => (message.kind === 'request' ? message.method : String(message.status)))
  }

  answer(request: SipRequest, status: number, tag = 'callee'): void {
    const ok = responseTo(request, 200, { source: callee, tag }, { headers: [['Contact', '<sip:d@h>']], body: sdp })
    this.#deliver({ ...ok, status })
  }

  receive(method: string, sequence: number): void {
    this.#deliver({
      kind: 'request',
      method,
      uri: 'sip:a@192.0.2.9',
      headers: [
        ['Via', `SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${method}${sequence}`],
        ['From', '<sip:b@192.0.2.1>;tag=callee'],
        ['To', headerOf(this.invite, 'From')!],
        ['Call-ID', headerOf(this.invite, 'Call-ID')!],
        ['CSeq', `${sequence} ${method}`],
      ],
      body: '',
    })
  }
}

describe('signalling over UDP', () => {
  it('acknowledges a success each time it is repeated, because the ACK was lost', () => {
    const caller = new Caller()
    for (let i = 0; i < 3; i++) caller.answer(caller.invite, 200)
    expect(caller.methods).toEqual(['INVITE', 'ACK', 'ACK', 'ACK'])
    expect(caller.told).toEqual(['answered'])
  })

  it('takes one answer of a fork and hangs up on the other', () => {
    const caller = new Caller()
    caller.answer(caller.invite, 200, 'callee')
    caller.answer(caller.invite, 200, 'other')
    expect(caller.methods).toEqual(['INVITE', 'ACK', 'ACK', 'BYE'])
    expect(headerOf(caller.sent[3]!, 'To')).toContain('tag=other')
    expect(caller.told).toEqual(['answered'])
  })

  it('says BYE again until it is confirmed, and gives up in time', async () => {
    const caller = new Caller()
    caller.answer(caller.invite, 200)
    const hungUp = caller.signalling.hangup()
    caller.clock.advance(40_000)
    expect(caller.methods.filter(method => method === 'BYE')).toHaveLength(11)
    expect(await hungUp).toMatchObject({ by: 'caller', how: 'bye', reason: 'the callee did not respond' })
  })

  it('fails when nobody responds', async () => {
    const caller = new Caller()
    caller.clock.advance(32_000)
    expect(await caller.signalling.answered).toEqual({ kind: 'failed', reason: 'the callee did not respond' })
    expect(await caller.signalling.ended).toMatchObject({ by: 'nobody', how: 'failed' })
  })

  it('gives up a cancelled call that is never refused (RFC 3261 section 9.1)', async () => {
    const caller = new Caller()
    caller.answer(caller.invite, 180)
    const hungUp = caller.signalling.hangup()
    caller.clock.advance(32_000)
    expect(await hungUp).toMatchObject({ by: 'caller', how: 'cancelled' })
  })

  it('takes back an answer that comes when the call was given up long ago', () => {
    const caller = new Caller()
    caller.answer(caller.invite, 180)
    void caller.signalling.hangup()
    caller.clock.advance(33_000)
    caller.answer(caller.invite, 200)
    expect(caller.methods.slice(-2)).toEqual(['ACK', 'BYE'])
    expect(caller.told).toEqual(['ended'])
  })

  it('answers a repeated BYE for 32 seconds after the end, then lets go of everything', () => {
    const caller = new Caller()
    caller.answer(caller.invite, 200)
    caller.receive('BYE', 1)
    caller.clock.advance(31_000)
    caller.receive('BYE', 1)
    expect(caller.methods).toEqual(['INVITE', 'ACK', '200', '200'])
    expect(caller.released).toBe(0)
    caller.clock.advance(1_000)
    expect(caller.released).toBe(1)
    expect(caller.clock.pending).toBe(0)
  })

  it('repeats its answer to a change until it is acknowledged', () => {
    const caller = new Caller()
    caller.answer(caller.invite, 200)
    caller.receive('INVITE', 1)
    caller.clock.advance(600)
    caller.receive('ACK', 1)
    caller.clock.advance(60_000)
    expect(caller.methods).toEqual(['INVITE', 'ACK', '200', '200'])
  })

  it('hangs up when its answer to a change is never acknowledged', () => {
    const caller = new Caller()
    caller.answer(caller.invite, 200)
    caller.receive('INVITE', 1)
    caller.clock.advance(32_000)
    expect(caller.methods.at(-1)).toBe('BYE')
  })

  it('leaves no timer behind when it vanishes, whatever it was about', () => {
    const caller = new Caller()
    caller.answer(caller.invite, 180)
    void caller.signalling.hangup()
    caller.signalling.vanish()
    expect(caller.clock.pending).toBe(0)
    expect(caller.released).toBe(1)
  })
})
