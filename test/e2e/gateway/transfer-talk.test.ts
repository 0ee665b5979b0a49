import { afterAll, beforeAll, expect, it } from 'vitest'
import { word } from '../../../src/caller/voice.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import { type Pbx, pbxHz, startPbx } from '../../support/pbx.ts'
import { seeded } from '../../support/random.ts'
import { greeted, House } from './house.ts'

/** Markers that the scripted engine takes for a wish: the first destination, and the second. */
const toFirst = 500
const toSecond = 400
const callerHz = 1_900
const phrases = { handingOver: '[tone 900 300ms]', notReached: '[tone 1000 300ms]', broughtBack: '[tone 1200 300ms]' }

let pbx: Pbx
let house: House
beforeAll(async () => {
  pbx = await startPbx()
  house = await House.open({
    business: {
      timeZone: 'Europe/Zurich',
      destinations: [
        { name: 'reception', address: pbx.address('2000'), mode: 'attended' },
        { name: 'billing', address: pbx.address('2001') },
        { name: 'nobody', address: pbx.address('2003') },
      ],
      transfers: { keys: { '9': 'nobody' } },
      conversation: { phrases },
    },
  })
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  await pbx[Symbol.asyncDispose]()
})

/** Of all that was heard, what was no silence. */
function loudMs(samples: Int16Array): number {
  return samples.filter(sample => Math.abs(sample) > 300).length / 8
}

function spoken(markerHz: number): Int16Array {
  return word({ f0: 145, markerHz, ms: 700, level: -16, random: seeded(markerHz) })
}

it.concurrent('tells whoever answers who calls, rings for the caller meanwhile, and connects them', async () => {
  const answered = pbx.phone.nextCall()
  const call = await greeted(await house.dial())
  await call.play(spoken(toFirst))
  await call.hearsTone(650, { forMs: 300 })
  await call.hearsTone(425, { forMs: 800 })
  const far = await answered
  // The words of who calls, and of the question.
  while (loudMs(far.heard()) < 1_500) await pause(systemClock, 100)
  await far.digits('1')
  call.hum(callerHz)
  await Promise.all([call.hearsTone(pbxHz.phone, { forMs: 300 }), far.hearsTone(callerHz, { forMs: 300 })])
  await far.hangup()
  await Promise.all([house.isEmpty(), pbx.idle()])
})

it.concurrent('has a caller back at once when the line is busy', async () => {
  const call = await greeted(await house.dial())
  await call.play(spoken(toSecond))
  await call.hearsTone(650, { forMs: 300 })
  await call.hearsTone(1_000, { forMs: 250, timeoutMs: 10_000 })
  await call.hearsTone(500, { forMs: 300 })
  await call.play(spoken(1_300))
  await call.hearsTone(650, { forMs: 600 })
  await call.hangup()
  const facts = (await house.events()).map(({ fact }) => fact)
  expect(facts).toContainEqual(expect.objectContaining({ name: 'transferEnded', outcome: 'busy' }))
  await Promise.all([house.isEmpty(), pbx.idle()])
})

it.concurrent('is a key’s, and a key’s to take back', async () => {
  const call = await greeted(await house.dial())
  await call.digits('9')
  await call.hearsTone(900, { forMs: 250 })
  await call.hearsTone(425, { forMs: 800 })
  await call.digits('*')
  await call.hearsTone(1_200, { forMs: 250 })
  await call.hangup()
  await Promise.all([house.isEmpty(), pbx.idle()])
})
