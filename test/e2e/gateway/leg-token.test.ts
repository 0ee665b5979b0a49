import { afterAll, beforeAll, expect, it } from 'vitest'
import { authToken, publicBaseUrl, signatureOf } from '../../twilio/signed.ts'
import { greeted, House } from './house.ts'

let house: House
beforeAll(async () => {
  house = await House.open({
    environment: {
      ...{ TWILIO_AUTH_TOKEN: authToken, PUBLIC_BASE_URL: publicBaseUrl, SIP_DOMAIN: '127.0.0.1' },
      TWILIO_LEG_TOKEN: 'required',
    },
  })
})
afterAll(() => house[Symbol.asyncDispose]())

const sidOf = (number: number) => `CA${String(number).padStart(32, '0')}`

async function webhook(path: string, fields: Record<string, string>): Promise<{ status: number; body: string }> {
  const answer = await fetch(`http://127.0.0.1:${house.httpPort}${path}`, {
    method: 'POST',
    headers: { 'x-twilio-signature': signatureOf(`${publicBaseUrl}${path}`, fields) },
    body: new URLSearchParams(fields),
  })
  return { status: answer.status, body: await answer.text() }
}

/** What the address carries that the webhook has Twilio dial. */
async function announced(callSid: string) {
  const fields = { CallSid: callSid, From: '+15550100177', To: '+15550100200', CallStatus: 'ringing' }
  const { body } = await webhook('/v1/twilio/call?patientId=4711', { ...fields, Direction: 'inbound' })
  const [, parameters = ''] = /<Sip>sip:bianca@127\.0\.0\.1:\d+;transport=tcp;([^?]*)\?/.exec(body) ?? []
  const pairs = parameters.split(';').map(pair => pair.split('='))
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [name, decodeURIComponent(value)]))
}

const dialled = (parameters: Record<string, string>, headers: Record<string, string> = {}) =>
  house.dial({ from: '+15550100177', parameters, headers })

const refused = { kind: 'refused', status: 403 }

it('lets in the leg that a webhook has led here, once, by its address or by its headers, and nobody else', async () => {
  const first = await announced(sidOf(1))
  const call = await dialled(first)
  await greeted(call)
  expect(await (await dialled(first)).answered).toMatchObject(refused)
  const second = await announced(sidOf(2))
  for (const forged of [
    {},
    { callSid: sidOf(2) },
    { ...second, callSid: sidOf(1) },
    { ...second, business: 'another' },
    { ...second, token: second['token']!.replace(/.$/, last => (last === 'A' ? 'B' : 'A')) },
  ]) {
    expect(await (await dialled(forged)).answered).toMatchObject(refused)
  }
  // What was forged has not spent it.
  const another = await greeted(await dialled(second))
  for (const each of [call, another]) await each.hangup()
  const third = await announced(sidOf(3))
  const headers = Object.fromEntries(Object.entries(third).map(([name, value]) => [`X-${name}`, value]))
  const byHeaders = await dialled({}, headers)
  await greeted(byHeaders)
  const { body } = await house.get<{ private: { parameters: object } }>(`/v1/calls/${sidOf(3)}?private=true`)
  expect(body.private.parameters).toMatchObject({ callSid: sidOf(3), patientId: '4711' })
  await byHeaders.hangup()
  await house.isEmpty()
})

it('makes one record of what came by webhook, by SIP and by status, whatever name it is asked by', async () => {
  const sid = sidOf(4)
  const call = await dialled(await announced(sid))
  await greeted(call)
  interface Told {
    readonly id: string
    readonly state: string
    readonly outcome: string | null
    readonly channels: { readonly caller: string }
    readonly carrier: { readonly status: string; readonly seconds: number } | null
    readonly events: readonly { readonly name: string }[]
  }
  const live = (await house.get<Told>(`/v1/calls/${sid}`)).body
  expect([live.id, live.state]).toEqual([sid, 'live'])
  expect(live.channels.caller).not.toBe(sid)
  await call.hangup()
  await house.isEmpty()
  const fields = { CallSid: sid, From: '+15550100177', To: '+15550100200', Direction: 'inbound' }
  const over = { ...fields, CallStatus: 'completed', SequenceNumber: '2', CallDuration: '3' }
  expect((await webhook('/v1/twilio/status', over)).status).toBe(204)
  const record = async (name: string) => (await house.get<Told>(`/v1/calls/${name}`)).body
  await house.until(async () => (await record(sid)).carrier !== null)
  for (const name of [sid, live.channels.caller]) {
    const told = await record(name)
    expect(told).toMatchObject({ id: sid, state: 'ended', outcome: 'callerHungUp' })
    expect(told.carrier).toMatchObject({ status: 'completed', seconds: 3 })
    const names = told.events.map(event => event.name)
    expect(names.filter(each => ['announced', 'offered', 'answered', 'ended', 'carrierTold'].includes(each))).toEqual([
      ...['announced', 'offered', 'answered', 'ended', 'carrierTold'],
    ])
  }
  const { calls } = (await house.get<{ calls: Told[] }>('/v1/calls')).body
  expect(calls.filter(({ id }) => id === sid || id === live.channels.caller)).toHaveLength(1)
})
