import { afterAll, beforeAll, expect, it } from 'vitest'
import { TwilioServer } from '../../support/twilio-server.ts'
import { greeted, type House } from '../gateway/house.ts'
import { actionOf, Carried, openHouse } from './carrier.ts'

let twilio: TwilioServer
let house: House
beforeAll(async () => {
  twilio = await TwilioServer.start()
  house = await openHouse({
    environment: {
      ...{ TWILIO_BASE_URL: twilio.url, FREEPBX_DOMAIN: '127.0.0.1', FREEPBX_SIP_PORT: '5080' },
      ...{ TWILIO_API_KEY: TwilioServer.account.apiKey, TWILIO_API_SECRET: TwilioServer.account.apiSecret },
    },
    business: {
      telephone: { context: ['patientId'] },
      destinations: [{ name: 'reception', address: '2000', via: 'carrier', ringSeconds: 15 }],
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
  readonly transfers: readonly { readonly destination: string; readonly outcome: string | null }[]
  readonly events: readonly { readonly name: string }[]
}

const recordOf = async (id: string) => (await house.get<Told>(`/v1/calls/${id}`)).body
const recordsOf = async (from: string) =>
  (await house.get<{ calls: Told[] }>(`/v1/calls?number=${encodeURIComponent(from)}`)).body.calls

/** With the agent, and taken from there: what Twilio is told to do with them. */
async function taken(carried: Carried) {
  twilio.calls.set(carried.sid, { sid: carried.sid, status: 'in-progress' } as never)
  const call = await greeted(await carried.dial((await carried.comesIn('?patientId=4711')).text))
  expect((await house.post(`/v1/calls/${carried.sid}/transfer`, { destination: 'reception' })).status).toBe(202)
  const asked = () => twilio.asked.find(({ endpoint, sid }) => endpoint === 'POST /Calls/{Sid}' && sid === carried.sid)
  await house.until(async () => asked() !== undefined)
  // Twilio asks the new address, and what it had dialled is over.
  const told = await carried.ask(asked()!.parameters.get('Url')!)
  await call.hangup()
  expect(told.verbs).toEqual(['Dial'])
  expect(told.text).toMatch(/timeout="15".*<Sip>sip:2000@127\.0\.0\.1:5080;transport=udp<\/Sip>/)
  return told
}

it('takes a caller from the agent and connects them, by Twilio alone', async () => {
  const from = '+15550100211'
  const carried = new Carried(house, from)
  const { text } = await taken(carried)
  const end = await carried.ask(actionOf(text), { DialCallStatus: 'completed', DialCallDuration: '0' })
  expect(end.verbs).toEqual(['Hangup'])
  await carried.tells('completed', 4, { CallDuration: '50' })
  const isOver = ({ state, transfers }: Told) => state === 'ended' && transfers[0]?.outcome === 'connected'
  await house.until(async () => isOver(await recordOf(carried.sid)))
  expect((await recordsOf(from)).map(({ id }) => id)).toEqual([carried.sid])
  expect(twilio.problems).toEqual([])
})

it.each([
  ['no-answer', 'noAnswer'],
  ['busy', 'busy'],
])('brings back to the agent whom nobody has answered (%s), and it stays one call', async (status, outcome) => {
  const from = status === 'busy' ? '+15550100212' : '+15550100213'
  const carried = new Carried(house, from)
  const { text } = await taken(carried)
  const back = await carried.ask(actionOf(text), { DialCallStatus: status, DialSipResponseCode: '480' })
  expect(back.verbs).toEqual(['Dial'])
  expect(back.text).toContain('patientId=4711')
  const call = await carried.dial(back.text)
  expect((await call.answered).kind).toBe('answered')
  const speaksAgain = async () => {
    const facts = (await house.events()).filter(each => each.fact.name === 'offered' && each.fact.again)
    const channel = facts.find(({ fact }) => 'partOf' in fact && fact.partOf === carried.sid)?.call
    return (await house.events()).some(({ call, fact }) => call === channel && fact.name === 'agentSpoke')
  }
  await house.until(speaksAgain)
  await call.hangup()
  await carried.tells('completed', 4)
  const isOver = ({ state, transfers }: Told) => state === 'ended' && transfers[0]?.outcome === outcome
  await house.until(async () => isOver(await recordOf(carried.sid)))
  expect(await recordOf(carried.sid)).toMatchObject({
    outcome: 'callerHungUp',
    transfers: [{ destination: 'reception', outcome }],
  })
  expect((await recordsOf(from)).map(({ id }) => id)).toEqual([carried.sid])
  expect(twilio.problems).toEqual([])
})

it('leaves the caller with the agent when Twilio refuses', async () => {
  const carried = new Carried(house, '+15550100214')
  twilio.calls.set(carried.sid, { sid: carried.sid, status: 'completed' } as never)
  const call = await greeted(await carried.dial((await carried.comesIn()).text))
  expect((await house.post(`/v1/calls/${carried.sid}/transfer`, { destination: 'reception' })).status).toBe(202)
  await house.until(async () => (await recordOf(carried.sid)).transfers[0]?.outcome === 'failed')
  expect((await recordOf(carried.sid)).state).toBe('live')
  await call.hangup()
  await carried.tells('completed', 4)
})

it('connects nobody with what the business does not list, whoever asks for it', async () => {
  const carried = new Carried(house, '+15550100215')
  await carried.comesIn()
  const { verbs, text } = await carried.ask('/v1/twilio/transfer?extension=0900')
  expect([verbs, text]).toEqual([['Dial'], expect.stringContaining('<Sip>sip:bianca@')])
  const listed = await carried.ask('/v1/twilio/transfer?extension=2000')
  expect(listed.text).toContain('<Sip>sip:2000@127.0.0.1:5080')
})
