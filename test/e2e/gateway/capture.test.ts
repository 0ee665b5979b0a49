import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallFact } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { segments, traceDb } from '../../../src/caller/tones.ts'
import { word } from '../../../src/caller/voice.ts'
import { FRAME_SAMPLES } from '../../../src/media/audio.ts'
import { decode } from '../../../src/media/g711.ts'
import { readAuHeader } from '../../../src/recording/au.ts'
import { seeded } from '../../support/random.ts'
import { readRtpdump } from '../../support/rtpdump.ts'
import { greeted, greetingHz, House } from './house.ts'

let house: House
beforeAll(async () => {
  house = await House.open({ environment: { LEASE_SECONDS: '60' } })
})
afterAll(() => house[Symbol.asyncDispose]())

const folder = () => join(house.stateDir, 'state/captures')

async function live(): Promise<{ call: Call; id: string; business: string }> {
  const call = await greeted(await house.dial())
  const [view] = await house.liveCalls()
  return { call, ...(view as { id: string; business: string; state: string }) }
}

async function capture(id: string, seconds: number): Promise<string> {
  const { status, body } = await house.post<{ id: string }>(`/v1/calls/${id}/capture`, { seconds })
  expect(status).toBe(202)
  return body.id
}

async function factsOf(call: string): Promise<CallFact[]> {
  return (await house.events()).filter(event => event.call === call).map(({ fact }) => fact)
}

async function fileOf(capture: string, name: string): Promise<Uint8Array> {
  const token = readFileSync(join(house.stateDir, 'state/api-token'), 'utf8').trim()
  const answer = await fetch(`http://127.0.0.1:${house.httpPort}/v1/captures/${capture}/${name}`, {
    headers: { authorization: `Bearer ${token}` },
  })
  expect(answer.status).toBe(200)
  return new Uint8Array(await answer.arrayBuffer())
}

/** Of packets, in the order in which they were sent: their sound, and when it is by their own clock. */
function heardIn(dump: Uint8Array): { samples: Int16Array; steps: Set<number>; types: Set<number> } {
  const packets = readRtpdump(dump).packets.map(({ bytes }) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    expect(bytes[0]! >> 6).toBe(2)
    return { type: bytes[1]! & 0x7f, timestamp: view.getUint32(4), audio: bytes.subarray(12) }
  })
  const audio = Buffer.concat(packets.map(packet => packet.audio))
  const samples = new Int16Array(audio.length)
  decode('ulaw', audio, samples)
  const steps = packets.slice(1).map(({ timestamp }, before) => (timestamp - packets[before]!.timestamp) >>> 0)
  return { samples, steps: new Set(steps), types: new Set(packets.map(({ type }) => type)) }
}

it('has each stage of a call, by readers that know nothing of it: as it came, as it was heard, as it left', async () => {
  const { call, id } = await live()
  const captured = await capture(id, 600)
  expect((await house.post(`/v1/calls/${id}/capture`, { seconds: 600 })).status).toBe(409)
  await call.play(word({ f0: 130, markerHz: 1_300, ms: 600, level: -16, random: seeded(1) }))
  await call.hearsTone(650, { forMs: 700 })
  await call.hangup()
  await house.until(async () => (await factsOf(id)).some(({ name }) => name === 'captureEnded'))
  const told = (await factsOf(id)).filter(({ name }) => name.startsWith('capture'))
  expect(told).toEqual([
    { name: 'captureBegan', capture: captured, seconds: 600 },
    { name: 'captureEnded', capture: captured, seconds: expect.any(Number), why: 'callEnded' },
  ])
  expect(house.log.filter(line => line.includes('captured by request') && line.includes(captured))).toHaveLength(1)

  const [received, sent] = [heardIn(await fileOf(captured, 'received')), heardIn(await fileOf(captured, 'sent'))]
  for (const { types } of [received, sent]) expect([...types]).toEqual([0])
  // The caller's word came, and stands in nothing that left; the reply left, as the caller heard it.
  expect(traceDb(received.samples, 1_300)).toBeGreaterThan(traceDb(sent.samples, 1_300) + 20)
  const reply = (samples: Int16Array) => {
    const [tone, ...others] = segments(samples, [greetingHz, 650]).filter(({ hz }) => hz === 650)
    expect(others).toEqual([])
    return tone!.toMs - tone!.fromMs
  }
  expect(Math.abs(reply(sent.samples) - reply(call.heard()))).toBeLessThanOrEqual(40)
  expect([...sent.steps].every(step => step % FRAME_SAMPLES === 0)).toBe(true)

  const decoded = await fileOf(captured, 'decoded')
  const header = readAuHeader(decoded)!
  const audio = decoded.subarray(header.dataAt)
  const samples = new Int16Array(audio.length)
  decode(header.law, audio, samples)
  expect(Math.abs(traceDb(samples, 1_300) - traceDb(received.samples, 1_300))).toBeLessThan(3)
  const frames = new TextDecoder()
    .decode(await fileOf(captured, 'frames'))
    .trimEnd()
    .split('\n')
  expect(frames).toHaveLength(1 + audio.length / FRAME_SAMPLES)
  expect(frames.filter(line => line.endsWith(',heard')).length).toBeGreaterThan(0.8 * frames.length)

  const { body } = await house.get<{ captures: { id: string; call: string }[] }>('/v1/captures')
  expect(body.captures).toMatchObject([{ id: captured, call: id, files: { decoded: decoded.length } }])
  expect(statSync(join(folder(), captured)).mode & 0o077).toBe(0)
  expect((await house.delete(`/v1/captures/${captured}`)).status).toBe(200)
  expect(readdirSync(folder())).toEqual([])
})

it('ends by itself when its time is over, is no business’s, and of a gateway that is killed nothing grows', async () => {
  const { call, id, business } = await live()
  const { body } = await house.post<{ token: string }>('/v1/tokens', { name: 'for a business', business })
  const asked = await fetch(`http://127.0.0.1:${house.httpPort}/v1/calls/${id}/capture`, {
    method: 'POST',
    headers: { authorization: `Bearer ${body.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ seconds: 1 }),
  })
  expect(asked.status).toBe(403)
  expect(existsSync(folder()) ? readdirSync(folder()) : []).toEqual([])

  await capture(id, 1)
  await house.until(async () => (await factsOf(id)).some(({ name }) => name === 'captureEnded'))
  expect((await factsOf(id)).at(-1)).toMatchObject({ name: 'captureEnded', seconds: 1, why: 'tooLong' })

  const second = await capture(id, 600)
  const sizeOf = (name: string) => statSync(join(folder(), second, name)).size
  const sent = join(folder(), second, 'sent.rtpdump')
  await house.until(async () => existsSync(sent) && statSync(sent).size > 4_000)
  await house.signal('SIGKILL')
  const names = readdirSync(join(folder(), second))
  const before = names.map(sizeOf)
  await house.start()
  await house.until(async () => (await factsOf(id)).some(({ name }) => name === 'takenOver'))
  expect(names.map(sizeOf)).toEqual(before)
  expect(readRtpdump(await fileOf(second, 'sent')).packets.length).toBeGreaterThan(20)
  await call.hangup()
  await house.isEmpty()
})
