import { describe, expect, it } from 'vitest'
import { headerOf, type SipMessage, type SipRequest, type SipResponse } from '../../src/caller/message.ts'
import { responseTo } from '../../src/caller/response.ts'
import { Transactions } from '../../src/caller/transactions.ts'
import { limits } from '../../src/limits.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

function request(method: string, branch: string): SipRequest {
  return {
    kind: 'request',
    method,
    uri: 'sip:b@h',
    headers: [
      ['Via', `SIP/2.0/UDP h;branch=z9hG4bK${branch};rport`],
      ['From', '<sip:a@h>;tag=1'],
      ['To', '<sip:b@h>'],
      ['Call-ID', 'c'],
      ['CSeq', `1 ${method}`],
      ['Route', '<sip:p;lr>'],
    ],
    body: '',
  }
}

function response(to: SipRequest, status: number): SipResponse {
  const like = responseTo(to, 200, { source: { address: '192.0.2.1', port: 5060 }, tag: 'callee' })
  return { ...like, status }
}

class Line {
  readonly clock = new VirtualClock()
  readonly sent: { message: SipMessage; atMs: number }[] = []
  readonly told: (number | 'timed out')[] = []
  readonly transactions: Transactions

  constructor(reliable = false) {
    const send = (message: SipMessage) => this.sent.push({ message, atMs: this.clock.now() })
    this.transactions = new Transactions(this.clock, { reliable, send })
  }

  request(message: SipRequest): void {
    this.transactions.request(message, {
      responded: ({ status }) => this.told.push(status),
      timedOut: () => this.told.push('timed out'),
    })
  }

  get timesMs(): number[] {
    return this.sent.map(({ atMs }) => atMs)
  }

  get methods(): string[] {
    return this.sent.map(({ message }) => (message.kind === 'request' ? message.method : String(message.status)))
  }
}

const invite = request('INVITE', 'i')
const bye = request('BYE', 'b')

describe('an INVITE over UDP', () => {
  it('is sent again at doubling intervals and given up after 32 seconds (timers A and B)', () => {
    const line = new Line()
    line.request(invite)
    line.clock.advance(60_000)
    expect(line.timesMs).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 31_500])
    expect(line.told).toEqual(['timed out'])
    expect(line.clock.pending).toBe(0)
  })

  it('is sent no more once anything was heard, and then has all the time it needs', () => {
    const line = new Line()
    line.request(invite)
    line.clock.advance(600)
    line.transactions.received(response(invite, 100))
    line.clock.advance(100_000)
    line.transactions.received(response(invite, 180))
    line.transactions.received(response(invite, 200))
    expect(line.timesMs).toEqual([0, 500])
    expect(line.told).toEqual([100, 180, 200])
  })

  it('acknowledges a refusal as often as it comes, and tells it once', () => {
    const line = new Line()
    line.request(invite)
    line.transactions.received(response(invite, 486))
    line.transactions.received(response(invite, 486))
    line.transactions.received(response(invite, 180))
    expect(line.told).toEqual([486])
    expect(line.methods).toEqual(['INVITE', 'ACK', 'ACK'])
    const ack = line.sent[1]!.message
    expect(headerOf(ack, 'Via')).toBe(headerOf(invite, 'Via'))
    expect(headerOf(ack, 'Route')).toBe('<sip:p;lr>')
    expect(headerOf(ack, 'To')).toBe('<sip:b@h>;tag=callee')
    expect(headerOf(ack, 'CSeq')).toBe('1 ACK')
  })

  it('tells every success, for each needs an ACK of its own', () => {
    const line = new Line()
    line.request(invite)
    for (let i = 0; i < 3; i++) line.transactions.received(response(invite, 200))
    expect(line.told).toEqual([200, 200, 200])
  })
})

describe('another request over UDP', () => {
  it('is sent again at intervals of at most 4 seconds and given up after 32 (timers E and F)', () => {
    const line = new Line()
    line.request(bye)
    line.clock.advance(60_000)
    expect(line.timesMs).toEqual([0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
    expect(line.told).toEqual(['timed out'])
  })

  it('is over with its final response', () => {
    const line = new Line()
    line.request(bye)
    line.transactions.received(response(bye, 200))
    line.transactions.received(response(bye, 200))
    line.clock.advance(60_000)
    expect(line.timesMs).toEqual([0])
    expect(line.told).toEqual([200])
  })

  it('ignores a response that belongs to nothing', () => {
    const line = new Line()
    line.request(bye)
    line.transactions.received(response(request('BYE', 'other'), 200))
    line.transactions.received(response({ ...bye, headers: request('OPTIONS', 'b').headers }, 200))
    expect(line.told).toEqual([])
  })
})

it('sends nothing twice over TCP, and gives up all the same', () => {
  const line = new Line(true)
  line.request(invite)
  line.request(bye)
  line.clock.advance(60_000)
  expect(line.timesMs).toEqual([0, 0])
  expect(line.told).toEqual(['timed out', 'timed out'])
})

describe('requests of the other side', () => {
  it('are answered alike when they come again', () => {
    const line = new Line()
    expect(line.transactions.isNew(bye)).toBe(true)
    expect(line.transactions.isNew(bye)).toBe(false)
    expect(line.sent).toEqual([])
    line.transactions.answer(bye, response(bye, 200))
    expect(line.transactions.isNew(bye)).toBe(false)
    expect(line.methods).toEqual(['200', '200'])
  })

  it('of the kind INVITE are answered until the ACK comes, on any carrier', () => {
    const line = new Line(true)
    let missing = 0
    const acknowledged = line.transactions.answerUntilAcknowledged(invite, response(invite, 200), () => missing++)
    line.clock.advance(4_000)
    acknowledged()
    line.clock.advance(60_000)
    expect(line.timesMs).toEqual([0, 500, 1_500, 3_500])
    expect(missing).toBe(0)
  })

  it('of the kind INVITE whose ACK never comes are told', () => {
    const line = new Line(true)
    let missing = 0
    line.transactions.answerUntilAcknowledged(invite, response(invite, 200), () => missing++)
    line.clock.advance(60_000)
    expect(line.timesMs.at(-1)).toBe(31_500)
    expect(missing).toBe(1)
  })
})

it('leaves no timer behind when it is closed', () => {
  const line = new Line()
  line.request(invite)
  line.request(bye)
  line.transactions.answerUntilAcknowledged(invite, response(invite, 200), () => {})
  line.transactions.close()
  expect(line.clock.pending).toBe(0)
})

it('forgets the oldest at its bound, timers included', () => {
  const line = new Line()
  for (let i = 0; i <= limits.caller.transactions; i++) line.request(request('INFO', `n${i}`))
  line.transactions.received(response(request('INFO', 'n0'), 200))
  line.transactions.received(response(request('INFO', 'n1'), 200))
  expect(line.told).toEqual([200])
  line.transactions.close()
  expect(line.clock.pending).toBe(0)
})
