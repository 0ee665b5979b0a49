import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { weekdays } from '../../../src/agent/hours.ts'
import type { CallFact } from '../../../src/call/events.ts'
import type { Call } from '../../../src/caller/call.ts'
import { traceDb } from '../../../src/caller/tones.ts'
import { word } from '../../../src/caller/voice.ts'
import { limits } from '../../../src/limits.ts'
import { decode } from '../../../src/media/g711.ts'
import { readAuHeader } from '../../../src/recording/au.ts'
import { seeded } from '../../support/random.ts'
import { greeted, House } from './house.ts'

const toneHz = 1_000
const [askedHz, thanksHz] = [700, 800]
const voicemail = {
  greeting: `[tone ${askedHz} 400ms]`,
  thanks: `[tone ${thanksHz} 400ms]`,
  silenceSeconds: 2,
}
const [troubleHz, handingOverHz] = [540, 560]
const phrases = { trouble: `[tone ${troubleHz} 300ms]`, handingOver: `[tone ${handingOverHz} 300ms]` }
const takesVoicemail = 2_400
const fails = 2_700

let house: House
beforeAll(async () => {
  house = await House.open({ environment: { LEASE_SECONDS: '60' }, business: { voicemail, conversation: { phrases } } })
  const inThreeDays = weekdays[(new Date().getUTCDay() + 2) % 7]!
  const hours = { [inThreeDays]: [{ from: '12:00', to: '12:01' }] }
  const closed = { name: 'Closed', voicemail, hours, telephone: { closed: { kind: 'voicemail' } } }
  await house.until(async () => (await house.post('/v1/businesses', closed)).status !== 503)
})
afterAll(() => house[Symbol.asyncDispose]())

function spoken(markerHz: number, ms = 600): Int16Array {
  return word({ f0: 130, markerHz, ms, level: -16, random: seeded(markerHz) })
}

/** Has heard what they are to do, and the tone. */
async function asked(call: Call, hz = askedHz): Promise<void> {
  await call.hearsTone(hz, { forMs: 300 })
  await call.hearsTone(toneHz, { forMs: limits.recording.voicemail.toneMs - 40 })
  await call.hearsSilence(60)
}

type Left = Extract<CallFact, { name: 'voicemailLeft' }>

async function leftBy(by: string, ended: string): Promise<Left> {
  const find = async () => {
    const facts = (await house.events()).map(({ fact }) => fact)
    return facts.find((fact): fact is Left => fact.name === 'voicemailLeft' && fact.by === by && fact.ended === ended)
  }
  await house.until(async () => (await find()) !== undefined)
  return (await find())!
}

/** The word stands in the file as it was said, by its marker. */
async function holds({ private: { recording } }: Left, markerHz: number): Promise<void> {
  const bytes = await readFile(join(house.stateDir, 'state/voicemail', `${recording}.au`))
  const { law, dataAt } = readAuHeader(bytes)!
  const samples = new Int16Array(bytes.length - dataAt)
  decode(law, bytes.subarray(dataAt), samples)
  expect(traceDb(samples, markerHz)).toBeGreaterThan(-32)
  // And nothing of ours.
  for (const hz of [askedHz, toneHz, thanksHz]) expect(traceDb(samples, hz)).toBeLessThan(-24)
}

it.concurrent('is left with the agent, ends with silence, and is on the disk before its caller is thanked', async () => {
  const call = await greeted(await house.dial())
  await call.play(spoken(takesVoicemail))
  await asked(call)
  await call.play(spoken(1_900, 1_500))
  await call.hearsTone(thanksHz, { forMs: 300, timeoutMs: 8_000 })
  const left = await leftBy('agent', 'silence')
  expect(await call.ended).toMatchObject({ by: 'callee', how: 'bye' })
  expect(left.seconds).toBeGreaterThanOrEqual(3)
  await holds(left, 1_900)
})

it.concurrent('is all that there is outside the hours, and ends with the key', async () => {
  const call = await house.dial({ parameters: { business: 'closed' } })
  await asked(call)
  await call.play(spoken(2_100, 1_500))
  await call.digits('#')
  await call.hearsTone(thanksHz, { forMs: 300, timeoutMs: 5_000 })
  await call.ended
  await holds(await leftBy('closed', 'key'), 2_100)
})

it.concurrent('is what an engine that fails has left for its caller, whose last words are kept', async () => {
  const call = await greeted(await house.dial())
  for (const hz of [troubleHz, troubleHz, handingOverHz]) {
    const sinceMs = call.heardMs
    await call.play(spoken(fails))
    await call.hearsTone(hz, { forMs: 240, sinceMs, timeoutMs: 5_000 })
    await call.hearsSilence(60)
  }
  await call.hearsTone(toneHz, { forMs: 340, timeoutMs: 20_000 })
  await call.play(spoken(2_200, 1_500))
  await call.hangup()
  await holds(await leftBy('failure', 'hungUp'), 2_200)
})

it('is kept as far as it was said when the gateway is killed, and asked for once more by the next', async () => {
  const call = await house.dial({ parameters: { business: 'closed' } })
  await asked(call)
  await call.play(spoken(2_600, 1_500))
  await call.hearsSilence(400)
  await house.signal('SIGKILL')
  const sinceMs = call.heardMs
  await house.start()
  await call.hearsTone(toneHz, { forMs: 340, sinceMs, timeoutMs: 20_000 })
  const cut = await leftBy('closed', 'cut')
  await holds(cut, 2_600)
  await call.play(spoken(2_600, 1_500))
  await call.hangup()
  const again = await leftBy('closed', 'hungUp')
  expect(again.private.recording).not.toBe(cut.private.recording)
  await holds(again, 2_600)
})
