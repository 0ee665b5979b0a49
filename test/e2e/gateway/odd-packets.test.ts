import { afterAll, beforeAll, expect, it } from 'vitest'
import { rawCall } from '../asterisk/raw-call.ts'
import { House } from './house.ts'

interface CallDetails {
  readonly state: string
  readonly rtp: { readonly received: { readonly packets: number } }
}

let house: House
beforeAll(async () => {
  house = await House.open()
})
afterAll(() => house[Symbol.asyncDispose]())

async function details(id: string): Promise<CallDetails> {
  return (await house.get<CallDetails>(`/v1/calls/${id}`)).body
}

it('goes on with a call that sends comfort noise of any size, and sound of payload types that nobody agreed on', async () => {
  const call = await rawCall({ port: house.sipPort, sound: true })
  expect(call.status).toBe(200)
  const [{ id = '' } = {}] = await house.liveCalls()
  for (const bytes of [1, 2, 11, 23, 24]) call.sendRtp(13, new Uint8Array(bytes).fill(0x40))
  for (const payloadType of [3, 8, 18, 19, 34, 72, 96, 98, 121, 127]) {
    for (const bytes of [0, 4, 160]) call.sendRtp(payloadType, new Uint8Array(bytes).fill(0x20))
  }
  const before = (await details(id)).rtp.received.packets
  await house.until(async () => (await details(id)).rtp.received.packets > before + 25)
  expect((await details(id)).state).toBe('live')
  await call.hangUp()
  await house.isEmpty()
  const facts = (await house.events()).map(event => event.fact.name)
  expect(facts).toContain('ended')
  expect(facts).not.toContain('degraded')
  expect(facts).not.toContain('handedBack')
})
