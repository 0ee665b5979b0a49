import { linkSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallEvent } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { type Segment, segments, traceDb } from '../../../src/caller/tones.ts'
import { word } from '../../../src/caller/voice.ts'
import { decode } from '../../../src/media/g711.ts'
import { readAuHeader } from '../../../src/recording/au.ts'
import { seeded } from '../../support/random.ts'
import { greeted, greetingHz, House } from './house.ts'

const announcedHz = 500
const grid = [announcedHz, greetingHz, 650, 700, 750]

let house: House
beforeAll(async () => {
  const recording = { enabled: true, announcement: `[tone ${announcedHz} 400ms]` }
  house = await House.open({ business: { recording }, environment: { LEASE_SECONDS: '60' } })
})
afterAll(() => house[Symbol.asyncDispose]())

function spoken(markerHz: number, ms = 600): Int16Array {
  return word({ f0: 130 + (markerHz % 7) * 10, markerHz, ms, level: -16, random: seeded(markerHz) })
}

const folder = () => join(house.stateDir, 'state/recordings')

/** The same file under a name that outlives the conversion, which begins as soon as the call is over. */
const held = (recording: string) => join(house.stateDir, `${recording}.au`)

/** As it was written during the call: who called, and who answered them. */
function sidesOf(recording: string): { caller: Int16Array; agent: Int16Array } {
  const file = readFileSync(held(recording))
  const header = readAuHeader(file)!
  const bytes = file.subarray(header.dataAt)
  const [caller, agent] = [0, 1].map(side => {
    const channel = bytes.filter((_, index) => index % 2 === side)
    const samples = new Int16Array(channel.length)
    decode(header.law, channel, samples)
    return samples
  })
  return { caller: caller!, agent: agent! }
}

const tonesIn = (samples: Int16Array) => segments(samples, grid).filter(({ sound }) => sound === 'tone')
const toneOf = (tones: readonly Segment[], hz: number) => tones.find(tone => tone.hz === hz)!
const lengthMs = ({ fromMs, toMs }: Segment) => toMs - fromMs

/** When a side is first loud: where a word begins. */
function loudAfter(samples: Int16Array, fromMs: number): number {
  const at = samples.findIndex((sample, index) => index >= fromMs * 8 && Math.abs(sample) > 1_500)
  return at / 8
}

async function told(call: Call): Promise<string> {
  await call.hearsTone(announcedHz, { forMs: 300 })
  await greeted(call)
  const [view] = await house.liveCalls()
  const began = async () =>
    (await house.events()).find(({ call, fact }) => call === view!.id && fact.name === 'recordingBegan')?.fact
  await house.until(async () => (await began()) !== undefined)
  const { recording } = (await began()) as Extract<CallEvent['fact'], { name: 'recordingBegan' }>
  linkSync(join(folder(), `${recording}.au`), held(recording))
  return view!.id
}

type RecordingEnded = Extract<CallEvent['fact'], { name: 'recordingEnded' }>

async function endOf(id: string): Promise<RecordingEnded> {
  const ends = async () =>
    (await house.events()).filter(({ call, fact }) => call === id && fact.name === 'recordingEnded')
  await house.until(async () => (await ends()).length > 0)
  return (await ends())[0]!.fact as RecordingEnded
}

it('keeps both sides where they were heard, from after the announcement; a reply that was cut ends where it was cut', async () => {
  const call = await house.dial()
  const id = await told(call)
  await call.play(spoken(1_300))
  await call.hearsTone(650, { forMs: 700 })
  await call.play(spoken(3_100))
  await call.hearsTone(700, { forMs: 1_000 })
  const cutsInMs = call.heardMs
  await call.play(spoken(1_500, 800))
  await call.hearsTone(750, { forMs: 700 })
  await call.hangup()
  const { recording, why, seconds, shedFrames } = await endOf(id)
  expect({ why, shedFrames }).toEqual({ why: 'callEnded', shedFrames: 0 })

  const { caller, agent } = sidesOf(recording)
  expect(Math.abs(agent.length / 8_000 - seconds)).toBeLessThanOrEqual(1)
  const [heard, kept] = [tonesIn(call.heard()), tonesIn(agent)]
  expect(kept.map(({ hz }) => hz)).toEqual([greetingHz, 650, 700, 750])
  expect(lengthMs(toneOf(kept, greetingHz))).toBeGreaterThan(540)
  // What the caller's own ear has, to the frame: also the reply that they cut short.
  expect(Math.abs(lengthMs(toneOf(kept, 700)) - lengthMs(toneOf(heard, 700)))).toBeLessThanOrEqual(20)
  for (const hz of [700, 750]) {
    const [inFile, inEar] = [kept, heard].map(tones => toneOf(tones, hz).fromMs - toneOf(tones, 650).fromMs)
    expect(Math.abs(inFile! - inEar!)).toBeLessThanOrEqual(40)
  }
  // Their own words stand on their side alone, and before what they cut off is over, as they heard it.
  for (const hz of [1_300, 3_100, 1_500]) expect(traceDb(caller, hz)).toBeGreaterThan(traceDb(agent, hz) + 20)
  const said = loudAfter(caller, toneOf(kept, 700).fromMs + 500)
  const inFile = toneOf(kept, 700).toMs - said
  const inEar = toneOf(heard, 700).toMs - cutsInMs
  expect(Math.abs(inFile - inEar)).toBeLessThanOrEqual(120)

  expect(statSync(folder()).mode & 0o077).toBe(0)
  const row = async () => (await house.get(`/v1/recordings/${recording}`)).body as { endedWhy: string | null }
  await house.until(async () => typeof (await row()).endedWhy === 'string')
  expect(await row()).toMatchObject({ call: id, endedWhy: 'callEnded' })
})

it('ends when an operator wants it to, and the call goes on; what nobody was told of is not on the disk', async () => {
  const written = () => readdirSync(folder()).filter(name => name.endsWith('.au'))
  // Of the call before: its form may still be changed.
  await house.until(async () => written().length === 0)
  const call = await house.dial()
  await call.hearsTone(announcedHz, { forMs: 100 })
  expect(written()).toEqual([])
  const id = await told(call)
  const path = `/v1/calls/${id}/recording/stop`
  expect((await house.post(path, {})).status).toBe(202)
  const { recording, why } = await endOf(id)
  expect(why).toBe('stopped')
  const before = sidesOf(recording).agent.length
  await call.play(spoken(1_300))
  await call.hearsTone(650, { forMs: 700 })
  expect(sidesOf(recording).agent).toHaveLength(before)
  expect((await house.post(path, {})).status).toBe(409)
  await call.hangup()
  await house.isEmpty()
})
