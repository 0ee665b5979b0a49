import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CallEvent } from '../../src/call/events.ts'
import { createLog } from '../../src/log.ts'
import { answeredByWebhook } from '../../src/twilio/answered-by.ts'
import { CarrierError } from '../../src/twilio/errors.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const sid = `CA${'0'.repeat(31)}1`
const query = { record: 'out-1-1', business: 'dentist' }

const log = createLog('silent')

function edge(voicemail?: string, goOn?: () => Promise<void>) {
  const events: CallEvent[] = []
  const told: string[] = []
  const business = { id: 'dentist', outbound: { voicemail }, telephone: { voice: 'Polly.Joanna' } } as never
  const webhook = answeredByWebhook({
    businesses: () => ({
      standard: business,
      find: id => (id === 'dentist' ? business : undefined),
      withNumber: () => undefined,
    }),
    tell: event => void events.push(event),
    kept: async () => {},
    clock: new VirtualClock(),
    log,
    rest: { goOn: goOn ?? (async (_, twiml) => void told.push(twiml)) },
  })
  const ask = (AnsweredBy: string, also = {}) =>
    webhook.answer({ query, fields: { CallSid: sid, AnsweredBy, ...also } })
  return { webhook, ask, events, told }
}

describe('whoever has answered a call out', () => {
  it('is left with the agent when it is a person, or may be one', async () => {
    const { ask, events, told } = edge('Please call back.')
    for (const answerer of ['human', 'unknown']) expect(await ask(answerer)).toEqual({ kind: 'taken' })
    expect(told).toEqual([])
    expect(events).toMatchObject([
      { call: 'out-1-1', business: 'dentist', fact: { name: 'answererTold', answeredBy: 'human' } },
      { fact: { answeredBy: 'unknown' } },
    ])
  })

  it('gets the message at its tone when it is a machine', async () => {
    const { ask, told } = edge('Please call <back> & soon.')
    await ask('machine_end_beep')
    expect(told).toHaveLength(1)
    expect(told[0]).toContain('<Say voice="Polly.Joanna">Please call &lt;back&gt; &amp; soon.</Say><Hangup/>')
  })

  it('is told once, however often that is asked: the message does not begin again', async () => {
    const { webhook } = edge('Please call back.')
    const key = (AnsweredBy: string) => webhook.repeats?.({ query, fields: { CallSid: sid, AnsweredBy } })
    expect(key('machine_end_beep')).toBe(key('machine_end_beep'))
    expect(key('machine_end_beep')).not.toBe(key('human'))
    expect([webhook.repeats?.({ query, fields: {} }), key('fax')]).toEqual([undefined, expect.any(String)])
  })

  it('is hung up when nothing is to be said to it', async () => {
    for (const [answerer, message] of [
      ['machine_start'],
      ['machine_end_silence'],
      ['fax', 'Please call back.'],
    ] as const) {
      const { ask, told } = edge(message)
      await ask(answerer)
      expect([answerer, told.length, told[0]?.includes('<Hangup/>'), told[0]?.includes('<Say')]).toEqual([
        ...[answerer, 1, true, false],
      ])
    }
  })

  it('is known even when the carrier does not do what it is asked', async () => {
    const { ask, events } = edge(undefined, () => Promise.reject(new CarrierError('CARRIER_AWAY', 'away')))
    expect(await ask('machine_start')).toEqual({ kind: 'taken' })
    expect(events).toHaveLength(1)
  })

  it('is refused when it is of no call of ours, whatever was sent', async () => {
    const { webhook, events } = edge()
    const texts = fc.string({ unit: 'binary' })
    const fields = fc.record({ CallSid: texts, AnsweredBy: texts }, { requiredKeys: [] })
    await fc.assert(
      fc.asyncProperty(fields, fc.dictionary(fc.constantFrom('record', 'business'), texts), async (sent, at) => {
        const answer = await webhook.answer({ query: at, fields: sent as Record<string, string> })
        expect(answer).toMatchObject({ kind: 'refused', status: 400 })
      }),
    )
    expect(events).toEqual([])
  })
})
