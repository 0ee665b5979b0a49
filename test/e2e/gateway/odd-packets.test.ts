import { afterAll, beforeAll, expect, it } from 'vitest'
import { limits } from '../../../src/limits.ts'
import { rawCall } from '../asterisk/raw-call.ts'
import { greetingHz, House } from './house.ts'

interface CallDetails {
  readonly state: string
  readonly channels: { readonly media: string }
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

it('goes on with a call whose media channel ends, again and again, then leaves the caller to the fallback', async () => {
  const call = await house.dial()
  await call.hearsTone(greetingHz, { forMs: 200 })
  const [{ id = '' } = {}] = await house.liveCalls()
  for (let count = 0; count < limits.call.mediaReplacements; count++) {
    const { media } = (await details(id)).channels
    await endChannel(media)
    await house.until(async () => (await details(id)).channels.media !== media)
    const before = (await details(id)).rtp.received.packets
    await house.until(async () => (await details(id)).rtp.received.packets > before + 10)
    await call.hearsSilence(200, { sinceMs: call.heardMs })
  }
  await endChannel((await details(id)).channels.media)
  const factsOfCall = async () =>
    (await house.events()).filter(event => event.call === id).map(event => event.fact.name)
  await house.until(async () => (await factsOfCall()).includes('ended'))
  const facts = await factsOfCall()
  expect(facts.filter(name => name === 'degraded')).toHaveLength(limits.call.mediaReplacements + 1)
  expect(facts.slice(-4)).toEqual(['degraded', 'handedBack', 'mediaClosed', 'ended'])
  // The caller is in the fallback.
  expect((await house.get<{ channels: unknown[] }>('/v1/channels')).body.channels).toHaveLength(1)
  await call.hangup()
})

async function endChannel(channel: string): Promise<void> {
  const authorization = `Basic ${Buffer.from(`parley:${await house.ariPassword()}`).toString('base64')}`
  const ari = house.environment['ARI_URL']
  const reply = await fetch(`${ari}/ari/channels/${encodeURIComponent(channel)}`, {
    method: 'DELETE',
    headers: { authorization },
  })
  expect(reply.status).toBe(204)
}
