import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { word } from '../../../src/caller/voice.ts'
import { dialledBy } from '../../../src/twilio/dialled.ts'
import { seeded } from '../../support/random.ts'
import { greeted, greetingHz, type House } from '../gateway/house.ts'
import { actionOf, Carried, openHouse } from './carrier.ts'

let house: House
beforeAll(async () => {
  house = await openHouse({ business: { telephone: { context: ['patientId'], welcome: '' } } })
})
afterAll(() => house[Symbol.asyncDispose]())

interface Told {
  readonly id: string
  readonly state: string
  readonly outcome: string | null
  readonly carrier: { readonly status: string; readonly seconds: number | null } | null
  readonly private: { readonly callerNumber: string; readonly parameters: Record<string, string> }
  readonly events: readonly { readonly name: string }[]
}

const recordOf = async (id: string) => (await house.get<Told>(`/v1/calls/${id}?private=true`)).body

const recordsOf = async (from: string) =>
  (await house.get<{ calls: Told[] }>(`/v1/calls?number=${encodeURIComponent(from)}`)).body.calls

describe('a call that Twilio brings', () => {
  it.each([
    ['both forms of its context', 'both', '+15550100171'],
    ['parameters alone', 'parameters', '+15550100172'],
    ['headers alone', 'headers', '+15550100173'],
  ] as const)('is answered, talked with, and one record in the end: by %s', async (_, kept, from) => {
    const twilio = new Carried(house, from)
    const { verbs, text } = await twilio.comesIn('?patientId=47%2F11+%C3%A9&nobody=asked')
    expect(verbs).toEqual(['Dial'])
    const call = await greeted(await twilio.dial(text, kept))
    const live = await recordOf(twilio.sid)
    expect(live).toMatchObject({ id: twilio.sid, state: 'live' })

    // The accounts of it come in any order, and more than once.
    await twilio.tells('completed', 3, { CallDuration: '7' })
    await call.hangup()
    const after = await twilio.ask(actionOf(text), { DialCallStatus: 'completed', DialCallDuration: '5' })
    expect(after.verbs).toEqual(['Hangup'])
    for (const [status, sequence] of [
      ['ringing', 1],
      ['in-progress', 2],
      ['completed', 3],
      ['ringing', 1],
    ] as const)
      expect((await twilio.tells(status, sequence)).status).toBe(204)
    await house.until(async () => (await recordOf(twilio.sid)).state === 'ended')
    await house.until(async () => (await recordsOf(from))[0]?.carrier?.status === 'completed')
    await house.until(async () => (await recordOf(twilio.sid)).events.some(({ name }) => name === 'wayEnded'))

    const record = await recordOf(twilio.sid)
    expect(record).toMatchObject({
      ...{ id: twilio.sid, outcome: 'callerHungUp', carrier: { status: 'completed', seconds: 7 } },
      private: { callerNumber: from, parameters: expect.objectContaining({ patientId: '47/11 é' }) },
    })
    expect(JSON.stringify(record)).not.toContain('"nobody"')
    expect(record.events.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['announced', 'offered', 'answered', 'wayEnded', 'carrierTold', 'ended']),
    )
    expect((await recordsOf(from)).map(({ id }) => id)).toEqual([twilio.sid])
  })

  it('whose webhook is asked again gets an answer that leads here as well', async () => {
    const twilio = new Carried(house, '+15550100174')
    const [first, second] = [await twilio.comesIn(), await twilio.comesIn()]
    expect([first.verbs, second.verbs]).toEqual([['Dial'], ['Dial']])
    const call = await greeted(await twilio.dial(second.text))
    await call.hangup()
    await house.until(async () => (await recordOf(twilio.sid)).state === 'ended')
    expect((await recordsOf('+15550100174')).map(({ id }) => id)).toEqual([twilio.sid])
  })

  it('is recorded where nothing of it but its accounts has ever come', async () => {
    const twilio = new Carried(house, '+15550100175')
    expect((await twilio.tells('no-answer', 2)).status).toBe(204)
    await house.until(async () => (await recordsOf('+15550100175'))[0]?.carrier?.status === 'noAnswer')
    expect(await recordOf(twilio.sid)).toMatchObject({ id: twilio.sid, state: 'ended' })
  })

  it.each(['busy', 'no-answer', 'failed'])('that comes to %s may leave a message, and no error', async status => {
    const twilio = new Carried(house, '+15550100176')
    const { text } = await twilio.comesIn()
    const { verbs } = await twilio.ask(actionOf(text), { DialCallStatus: status, DialSipResponseCode: '486' })
    expect(verbs).toEqual(['Say', 'Record'])
  })

  it('is none when nobody has signed it, and the house goes on', async () => {
    const twilio = new Carried(house)
    const forged = await twilio.ask('/v1/twilio/call', {}, 'x'.repeat(28))
    expect([forged.status, forged.verbs]).toEqual([403, []])
    const { text } = await twilio.comesIn()
    const call = await greeted(await twilio.dial(text))
    await call.hangup()
  })
})

describe('GET /v1/twilio/test-sip', () => {
  it('walks the whole way, and tells each step', async () => {
    const { status, body } = await house.get<{ ok: boolean; call: string; steps: { name: string; ok: boolean }[] }>(
      '/v1/twilio/test-sip',
    )
    expect([status, body.ok, body.steps.map(({ name }) => name)]).toEqual([
      ...[200, true],
      ['webhook', 'twiml', 'invite', 'answered', 'firstSound', 'hungUp'],
    ])
    await house.until(async () => (await recordOf(body.call)).state === 'ended')
    expect((await recordOf(body.call)).private.parameters).toMatchObject({ test: 'yes' })
  })
})

describe('a house that takes no call without a right token', () => {
  it('takes each once, of its own answers alone', async () => {
    await using strict = await openHouse({ environment: { TWILIO_LEG_TOKEN: 'required' } })
    const twilio = new Carried(strict, '+15550100181')
    const { text } = await twilio.comesIn()
    const call = await greeted(await twilio.dial(text))
    const statusOf = async (dialling: Promise<typeof call>) => {
      const answer = await (await dialling).answered
      return answer.kind === 'refused' ? answer.status : 200
    }
    expect(await statusOf(twilio.dial(text))).toBe(403)
    const other = new Carried(strict, '+15550100182')
    const { parameters, headers } = dialledBy((await other.comesIn()).text)!
    const altered = {
      parameters: { ...parameters, callSid: twilio.sid },
      headers: { ...headers, 'X-callSid': twilio.sid },
    }
    expect(await statusOf(other.dial(text, 'both', altered))).toBe(403)
    expect(await statusOf(strict.dial({ parameters: { callSid: other.sid } }))).toBe(403)
    expect(await statusOf(strict.dial())).toBe(403)
    // Who is refused costs the others nothing, and the caller who was let in is still there.
    await call.play(word({ f0: 130, markerHz: 1_300, ms: 600, level: -16, random: seeded(1) }))
    await call.hearsTone(650, { forMs: 700 })
    await call.hangup()
    const refused = await other.ask(actionOf((await other.comesIn()).text), {
      DialCallStatus: 'failed',
      DialSipResponseCode: '403',
    })
    expect(refused.verbs).toEqual(['Say', 'Record'])
    await Promise.all([twilio.tells('completed', 3), other.tells('completed', 3)])
    await strict.isEmpty()
    expect((await strict.events()).filter(({ fact }) => fact.name === 'refused').length).toBe(4)
  })
})

it('sounds as it should: the greeting of a call by webhook is whole', async () => {
  const twilio = new Carried(house, '+15550100191')
  const call = await twilio.dial((await twilio.comesIn()).text)
  const { fromMs, toMs } = await call.hearsTone(greetingHz, { forMs: 500 })
  expect(toMs - fromMs).toBeGreaterThanOrEqual(500)
  await call.hangup()
})
