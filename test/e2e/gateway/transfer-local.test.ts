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
      transfers: { onFailure: 'billing' },
    },
    environment: { AGENT_ENGINE: 'local', LOCAL_CALLS: '1' },
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

it('connects a caller for whom the engine has no place, after it has said so', async () => {
  const since = (await house.events()).length
  const seated = await house.dial()
  const later = async () => (await house.events()).slice(since).map(({ fact }) => fact)
  const until = (isIt: (fact: CallFact) => boolean) => house.until(async () => (await later()).some(isIt))
  await until(fact => fact.name === 'agentSpoke' && /Hello\./.test(fact.private.text))
  const beyond = await house.dial()
  const phone = await pbx.phone.nextCall()
  beyond.hum(callerHz)
  await Promise.all([beyond.hearsTone(pbxHz.phone, { forMs: 300 }), phone.hearsTone(callerHz, { forMs: 300 })])
  await until(({ name }) => name === 'transferEnded')
  const facts = (await later()).filter(fact => fact.name !== 'transferRang')
  const last = facts.findIndex(fact => fact.name === 'degraded')
  expect(facts.slice(last)).toMatchObject(
    expect.arrayContaining([
      expect.objectContaining({ name: 'degraded', code: 'CAPACITY' }),
      expect.objectContaining({
        name: 'agentSpoke',
        private: { text: expect.stringMatching(/as many calls as it can/) },
      }),
      expect.objectContaining({ name: 'transferBegan', by: 'failure', destination: 'billing', mode: 'blind' }),
      expect.objectContaining({ name: 'transferEnded', outcome: 'connected' }),
    ]),
  )
  await Promise.all([beyond.hangup(), seated.hangup()])
  await Promise.all([house.isEmpty(), pbx.idle()])
})
