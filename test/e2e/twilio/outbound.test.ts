import { afterAll, beforeAll, expect, it } from 'vitest'
import { word } from '../../../src/caller/voice.ts'
import { textOf } from '../../../src/twilio/xml.ts'
import { seeded } from '../../support/random.ts'
import { TwilioServer } from '../../support/twilio-server.ts'
import { judgeTwiml } from '../../support/twiml-judge.ts'
import type { House } from '../gateway/house.ts'
import { actionOf, Carried, openHouse } from './carrier.ts'

/** What the agent says to whomever it has called. */
const openingHz = 900
const voicemail = 'This is the practice. Please call us back.'

let twilio: TwilioServer
let house: House
beforeAll(async () => {
  twilio = await TwilioServer.start()
  house = await openHouse({
    environment: {
      TWILIO_BASE_URL: twilio.url,
      ...{ TWILIO_API_KEY: TwilioServer.account.apiKey, TWILIO_API_SECRET: TwilioServer.account.apiSecret },
    },
    business: {
      telephone: { context: ['patientId'], welcome: 'One moment, please.' },
      outbound: {
        ...{ enabled: true, to: ['+1555'], days: 'everyDay', hours: { from: '00:00', to: '23:59' }, voicemail },
        greeting: `[tone ${openingHz} 600ms]`,
      },
    },
  })
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  await twilio[Symbol.asyncDispose]()
})

interface Told {
  readonly id: string
  readonly state: string
  readonly outcome: string | null
  readonly events: readonly { readonly name: string }[]
}

const recordOf = async (id: string) => (await house.get<Told>(`/v1/calls/${id}?private=true`)).body
const recordsOf = async (number: string) =>
  (await house.get<{ calls: Told[] }>(`/v1/calls?number=${encodeURIComponent(number)}`)).body.calls
const order = (to: string, key: string) =>
  house.post<{ id: string }>(
    '/v1/calls',
    { business: 'practice', to, context: { patientId: '4711' } },
    { 'idempotency-key': key },
  )
const orderOf = async (id: string) => (await house.get<{ state: string; outcome: string }>(`/v1/outbound/${id}`)).body
const said = (markerHz: number) => word({ f0: 130, markerHz, ms: 600, level: -16, random: seeded(markerHz) })

/** The house has asked Twilio for the call, somebody answers, and Twilio asks what they are to hear. */
async function called(to: string, key: string) {
  const { status, body } = await order(to, key)
  expect(status).toBe(202)
  const asked = () =>
    twilio.asked.find(({ endpoint, parameters }) => endpoint === 'POST /Calls' && parameters.get('To') === to)
  await house.until(async () => asked() !== undefined)
  const { parameters } = asked()!
  const resource = () => [...twilio.calls.values()].find(each => each.to === to)
  await house.until(async () => resource() !== undefined)
  const carried = Carried.made(house, resource()!.sid!, to)
  const tell = (CallStatus: string, sequence: number, more: Record<string, string> = {}) =>
    carried.ask(parameters.get('StatusCallback')!, { CallStatus, SequenceNumber: String(sequence), ...more })
  await tell('initiated', 0)
  await tell('ringing', 1)
  resource()!.status = 'in-progress'
  const { verbs, text } = await carried.ask(parameters.get('Url')!)
  expect(verbs).toEqual(['Dial'])
  const call = await carried.dial(text)
  await call.hearsTone(openingHz, { forMs: 400 })
  await call.hearsSilence(60)
  await tell('in-progress', 2)
  const answeredBy = (AnsweredBy: string) =>
    carried.ask(parameters.get('AsyncAmdStatusCallback')!, { AnsweredBy, MachineDetectionDuration: '2000' })
  return { order: body.id, record: `${body.id}-1`, carried, text, call, tell, answeredBy }
}

const goneOn = (sid: string) =>
  twilio.asked.find(({ endpoint, sid: of }) => endpoint === 'POST /Calls/{Sid}' && of === sid)

it('talks with whom it has called, has one record of it, and calls nobody again who does not want that', async () => {
  const to = '+15550100411'
  const made = await called(to, 'first')
  const { call, carried, record } = made
  expect((await made.answeredBy('human')).status).toBe(204)
  await call.play(said(1_300))
  await call.hearsTone(650, { forMs: 700 })
  expect(await recordOf(carried.sid)).toMatchObject({ id: record, state: 'live' })
  // They want to be called no more: the agent's tool has it kept, and it says so.
  await call.play(said(2_500))
  await call.hearsTone(550, { forMs: 300 })
  await call.hangup()
  expect((await carried.ask(actionOf(made.text), { DialCallStatus: 'completed' })).verbs).toEqual(['Hangup'])
  await made.tell('completed', 3, { CallDuration: '9' })
  await house.until(async () => (await orderOf(made.order)).state === 'ended')

  expect(await orderOf(made.order)).toMatchObject({ outcome: 'answered', attempts: 1, calls: [record] })
  await house.until(async () => (await recordOf(record)).events.some(({ name }) => name === 'wayEnded'))
  const told = await recordOf(record)
  expect(told).toMatchObject({
    ...{ id: record, state: 'ended', outcome: 'callerHungUp', direction: 'outbound' },
    carrier: { status: 'completed', seconds: 9, answeredBy: 'human' },
    private: { callerNumber: to, parameters: expect.objectContaining({ patientId: '4711' }) },
  })
  const names = [
    'callAsked',
    'callMade',
    'announced',
    'offered',
    'answered',
    'answererTold',
    'callsForbidden',
    'wayEnded',
    'ended',
  ]
  expect(told.events.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
  expect((await recordsOf(to)).map(({ id }) => id)).toEqual([record])
  expect(goneOn(carried.sid)).toBeUndefined()

  const stops = await house.get<{ numbers: unknown[] }>(`/v1/do-not-call?number=${encodeURIComponent(to)}`)
  expect(stops.body.numbers).toMatchObject([{ number: to, why: 'They have said so on the telephone.' }])
  expect((await order(to, 'second')).status).toBe(409)
  // The order of before stays what it was.
  expect((await order(to, 'first')).status).toBe(202)
  expect(twilio.problems).toEqual([])
})

it('leaves a machine its message, at its tone and instead of the agent', async () => {
  const to = '+15550100412'
  const made = await called(to, 'machine')
  const { call, carried, record } = made
  expect((await made.answeredBy('machine_end_beep')).status).toBe(204)
  await house.until(async () => goneOn(carried.sid) !== undefined)
  const { problems, verbs } = judgeTwiml(goneOn(carried.sid)!.parameters.get('Twiml')!)
  expect(problems).toEqual([])
  expect(verbs.map(verb => [verb.name, textOf(verb)])).toEqual([
    ['Say', voicemail],
    ['Hangup', ''],
  ])
  // Twilio takes them from the agent, speaks, and hangs up.
  await call.hangup()
  await made.tell('completed', 3, { CallDuration: '14' })
  await house.until(async () => (await orderOf(made.order)).state === 'ended')
  expect(await orderOf(made.order)).toMatchObject({ outcome: 'messageLeft', attempts: 1 })
  await house.until(async () => (await recordOf(record)).state === 'ended')
  expect((await recordsOf(to)).map(({ id }) => id)).toEqual([record])
  expect(twilio.problems).toEqual([])
})
