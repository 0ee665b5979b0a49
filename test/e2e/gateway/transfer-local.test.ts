import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CallFact } from '../../../src/call/events.ts'
import type { IncomingCall } from '../../../src/caller/incoming-call.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import { throughPhone } from '../../corpus/line.ts'
import { type Callers, openCallers } from '../../corpus/voices.ts'
import { type Pbx, pbxHz, startPbx } from '../../support/pbx.ts'
import { House } from './house.ts'

const callerHz = 1_900
/** People answer a question once they have heard it. */
const ANSWER_MS = 600

let callers: Callers
let pbx: Pbx
let house: House
beforeAll(async () => {
  ;[callers, pbx] = await Promise.all([openCallers(), startPbx()])
  house = await House.open({
    greeting: 'Hello.',
    business: {
      timeZone: 'Europe/Zurich',
      destinations: [{ name: 'billing', address: pbx.address('2000'), mode: 'attended' }],
    },
    environment: { AGENT_ENGINE: 'local' },
  })
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  await pbx[Symbol.asyncDispose]()
})

const facts = async () => (await house.events()).map(({ fact }) => fact)
const has = (isIt: (fact: CallFact) => boolean) => house.until(async () => (await facts()).some(isIt))
const hasSaid = (words: RegExp) => has(fact => fact.name === 'agentSpoke' && words.test(fact.private.text))
const attempts = async () => (await facts()).filter(({ name }) => name === 'transferBegan').length

/** Says it until what is to come of it has come, as people do. */
async function says(call: Pick<IncomingCall, 'play'>, text: string, done: () => Promise<boolean>, seed = 1) {
  for (let attempt = 0; !(await done()); attempt++) {
    expect(attempt).toBeLessThan(4)
    await call.play(throughPhone(await callers.speak(text, 'flite rms'), seed + attempt))
    for (let ms = 0; ms < 6_000 && !(await done()); ms += 200) await pause(systemClock, 200)
  }
}

it('connects by words alone: the caller’s, and the yes of whoever answers', async () => {
  const call = await house.dial()
  await hasSaid(/Hello\./)
  const answered = pbx.phone.nextCall()
  await says(call, 'please connect me with billing', async () => (await attempts()) === 1)
  const accepts = await answered
  accepts.hum(undefined)
  // The story, and most of the question.
  const loudMs = () => accepts.heard().filter(sample => Math.abs(sample) > 300).length / 8
  while (loudMs() < 2_500) await pause(systemClock, 100)
  await accepts.hearsSilence(ANSWER_MS)
  const connected = async () =>
    (await facts()).some(fact => fact.name === 'transferEnded' && fact.outcome === 'connected')
  await says(accepts, 'yes', connected, 20)
  accepts.hum(pbxHz.phone)
  call.hum(callerHz)
  await Promise.all([call.hearsTone(pbxHz.phone, { forMs: 300 }), accepts.hearsTone(callerHz, { forMs: 300 })])
  await call.hangup()
  await Promise.all([house.isEmpty(), pbx.idle()])
  const outcomes = (await facts()).flatMap(fact => (fact.name === 'transferEnded' ? [fact.outcome] : []))
  expect(outcomes).toEqual(['connected'])
})
