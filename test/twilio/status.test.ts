import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CallEvent } from '../../src/call/events.ts'
import { createLog } from '../../src/log.ts'
import { statusWebhook, toldBy, toldByRest } from '../../src/twilio/status.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const sid = `CA${'0'.repeat(31)}1`
const numbers = { From: '+15550100177', To: '+15550100200' }

function edge() {
  const clock = new VirtualClock()
  const events: CallEvent[] = []
  const order: string[] = []
  const named = (id: string) => ({ id }) as never
  const webhook = statusWebhook({
    businesses: () => ({
      standard: named('dentist'),
      find: () => undefined,
      withNumber: number => (number === '+15550100201' ? named('plumber') : undefined),
    }),
    tell(event) {
      events.push(event)
      order.push('told')
    },
    kept: async () => void order.push('kept'),
    clock,
    log: createLog('silent'),
  })
  const ask = (fields: Record<string, string>, query = {}) => webhook.answer({ query, fields })
  return { ask, events, order, clock }
}

describe('what Twilio tells of a call', () => {
  it('is on the disk before it is acknowledged', async () => {
    const { ask, events, order } = edge()
    const fields = { ...numbers, CallSid: sid, CallStatus: 'completed', SequenceNumber: '3', CallDuration: '61' }
    expect(await ask(fields)).toEqual({ kind: 'taken' })
    expect(order).toEqual(['told', 'kept'])
    expect(events).toMatchObject([
      {
        call: sid,
        business: 'dentist',
        fact: {
          ...{ name: 'carrierTold', status: 'completed', sequence: 3, seconds: 61, direction: 'inbound' },
          private: { callerNumber: numbers.From, calledNumber: numbers.To },
        },
      },
    ])
  })

  it('is refused when it is of no call, or no state, whatever else has that name', async () => {
    const { ask, events } = edge()
    for (const CallStatus of ['constructor', '__proto__', 'toString', 'Completed', ''])
      expect(await ask({ ...numbers, CallSid: sid, CallStatus })).toMatchObject({ kind: 'refused', status: 400 })
    expect(await ask({ ...numbers, CallSid: 'CA1', CallStatus: 'ringing' })).toMatchObject({ kind: 'refused' })
    expect(events).toEqual([])
  })

  it('is of the business whose number it is, and of the call that was asked for', async () => {
    const { ask, events } = edge()
    await ask({ CallSid: sid, CallStatus: 'ringing', From: '+15550100177', To: '+15550100201' })
    const made = { CallSid: sid, CallStatus: 'in-progress', Direction: 'outbound-api', AnsweredBy: 'machine_end_beep' }
    await ask({ ...made, From: '+15550100201', To: '+15550100177' }, { record: 'out-1' })
    expect(events).toMatchObject([
      { call: sid, business: 'plumber' },
      { call: 'out-1', business: 'plumber', fact: { direction: 'outbound', answeredBy: 'machineEnded', carrier: sid } },
    ])
  })

  it('is none of the way to the agent', async () => {
    const { ask, events } = edge()
    expect(await ask({ CallSid: sid, ParentCallSid: sid, CallStatus: 'completed' })).toEqual({ kind: 'taken' })
    expect(events).toEqual([])
  })

  it('says the same when it is asked for', () => {
    const now = { status: 'no-answer', direction: 'outbound-api', from: numbers.From, to: numbers.To, unit: 'USD' }
    expect(toldByRest({ ...now, seconds: 0, price: '-0.0085' })).toEqual({
      ...{
        name: 'carrierTold',
        status: 'noAnswer',
        direction: 'outbound',
        seconds: 0,
        price: '-0.0085',
        priceUnit: 'USD',
      },
      private: { callerNumber: numbers.From, calledNumber: numbers.To },
    })
    expect(toldByRest({ ...now, status: 'asleep', seconds: undefined, price: undefined })).toBeUndefined()
  })

  it('is refused when it is none', async () => {
    const { ask, events } = edge()
    for (const fields of [
      {},
      { CallSid: sid },
      { CallSid: 'CA1', CallStatus: 'ringing' },
      { CallSid: sid, CallStatus: 'x' },
    ]) {
      expect(await ask(fields as Record<string, string>)).toMatchObject({ kind: 'refused', status: 400 })
    }
    expect(events).toEqual([])
  })

  it('throws at nothing', () => {
    const names = fc.constantFrom('CallSid', 'CallStatus', 'SequenceNumber', 'CallDuration', 'ErrorCode', 'AnsweredBy')
    const values = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(sid, 'completed', 'ringing', '-1', '9'.repeat(20)),
    )
    fc.assert(
      fc.property(fc.dictionary(names, values), fields => {
        const told = toldBy(fields)
        for (const value of [told?.sequence, told?.seconds, told?.errorCode]) {
          expect(value === undefined || (Number.isSafeInteger(value) && value >= 0)).toBe(true)
        }
      }),
    )
  })
})
