import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Call } from '../../../src/caller/call.ts'
import { type Segment, segments, traceDb } from '../../../src/caller/tones.ts'
import { word } from '../../../src/caller/voice.ts'
import type { Law } from '../../../src/media/audio.ts'
import { seeded } from '../../support/random.ts'
import { greeted, greetingHz, House } from './house.ts'

let house: House
beforeAll(async () => {
  house = await House.open({ environment: { RTP_TIMEOUT_SECONDS: '3' } })
})
afterAll(() => house[Symbol.asyncDispose]())

/** A spoken word whose marker tells the scripted engine what to do; the reply to most is a tone half as high. */
function spoken(markerHz: number, ms = 600): Int16Array {
  return word({ f0: 130 + (markerHz % 7) * 10, markerHz, ms, level: -16, random: seeded(markerHz) })
}

/** One frame of another call's tone, as loud as one's own, would show at -26 dB or more; edges of the own tone at -34. */
const FOREIGN_FRAME_DB = -30

const longReplyHz = 700
const asksForLongReply = 3_100

/** A machine that stood still has torn a hole: cut out where the caller itself missed its time as well, and only there. */
function withoutStandstills(call: Call): Int16Array {
  const stoodStill = call.figures().sent.skippedFrames > 0
  const gaps = stoodStill ? call.gaps() : []
  const startsMs = [0, ...gaps.map(gap => gap.toMs)]
  const parts = startsMs.map((fromMs, index) => call.heard(fromMs, gaps[index]?.fromMs))
  return Int16Array.from(parts.flatMap(part => [...part]))
}

function tonesIn(call: Call, grid: readonly number[]): Segment[] {
  return segments(withoutStandstills(call), grid).filter(segment => segment.sound === 'tone')
}

function totalMs(found: readonly Segment[], hz: number): number {
  return found.filter(segment => segment.hz === hz).reduce((sum, segment) => sum + segment.toMs - segment.fromMs, 0)
}

it.concurrent.each([
  ['mu-law over TCP', { laws: ['ulaw'], transport: 'tcp' }],
  ['A-law over TCP', { laws: ['alaw'], transport: 'tcp' }],
  ['mu-law over UDP', { laws: ['ulaw'], transport: 'udp' }],
] as const)('greets whole, hears a turn and answers it: %s', async (_, options) => {
  const call = await greeted(await house.dial(options))
  await call.play(spoken(1_300))
  await call.hearsTone(650, { forMs: 700 })
  await call.hearsSilence(200)
  await call.hangup()
  const tones = tonesIn(call, [greetingHz, 650])
  expect(tones.map(tone => tone.hz)).toEqual([greetingHz, 650])
  expect(Math.abs(tones[0]!.toMs - tones[0]!.fromMs - 600)).toBeLessThanOrEqual(8)
  expect(Math.abs(tones[1]!.toMs - tones[1]!.fromMs - 800)).toBeLessThanOrEqual(8)
})

it.concurrent.each([
  ['mu-law', 'ulaw', 'ulaw'],
  ['A-law', 'ulaw', 'alaw'],
  ['mu-law', 'alaw', 'ulaw'],
] as const)('hears and is heard when the caller goes on at another port in %s, which was %s', async (_, law, then) => {
  const call = await greeted(await house.dial({ laws: [law] }))
  expect(await call.offerAgain([then])).toBe(200)
  await call.play(spoken(1_300))
  const laws = new Set<Law>()
  call.onFrame(frame => laws.add(frame.law))
  await call.hearsTone(650, { forMs: 700 })
  await call.hangup()
  expect(tonesIn(call, [greetingHz, 650]).map(tone => tone.hz)).toEqual([greetingHz, 650])
  expect([...laws]).toEqual([then])
})

it.concurrent('falls silent when the caller speaks, and answers what was said', async () => {
  const call = await greeted(await house.dial())
  await call.play(spoken(asksForLongReply))
  await call.hearsTone(longReplyHz, { forMs: 1_000 })
  await call.play(spoken(1_500, 800))
  await call.hearsTone(750, { forMs: 700 })
  await call.hearsSilence(500)
  await call.hangup()
  const tones = tonesIn(call, [greetingHz, longReplyHz, 750])
  expect(tones.map(tone => tone.hz)).toEqual([greetingHz, longReplyHz, 750])
  // A second was awaited; the word began then. What is heard beyond it is the time to notice, not ten seconds.
  expect(totalMs(tones, longReplyHz)).toBeLessThan(2_000)
})

it.concurrent('goes on where it paused when the sound was no interruption', async () => {
  const call = await greeted(await house.dial())
  await call.play(spoken(asksForLongReply))
  await call.hearsTone(longReplyHz, { forMs: 1_000 })
  await call.play(spoken(0, 260))
  await call.hearsSilence(300, { timeoutMs: 5_000 })
  await call.hearsTone(longReplyHz, { forMs: 1_000 })
  await call.hearsSilence(500, { timeoutMs: 15_000 })
  await call.hangup()
  const tones = tonesIn(call, [greetingHz, longReplyHz])
  expect(tones.map(tone => tone.hz)).toEqual([greetingHz, longReplyHz, longReplyHz])
  expect(Math.abs(totalMs(tones, longReplyHz) - 10_000)).toBeLessThanOrEqual(12)
})

it.concurrent('hangs up when the agent is done, after its last word was heard', async () => {
  const call = await greeted(await house.dial())
  await call.play(spoken(3_300))
  await call.hearsTone(500, { forMs: 360 })
  expect(await call.ended).toMatchObject({ by: 'callee', how: 'bye' })
})

it.concurrent('hands the caller over to the fallback after the last word was heard', async () => {
  const call = await greeted(await house.dial())
  await call.play(spoken(3_200))
  await call.hearsTone(600, { forMs: 360 })
  const sinceMs = call.heardMs
  await house.eventually('handedBack')
  await house.until(async () => call.heardMs > sinceMs + 2_500)
  // The prompt of the fallback: a voice, no tone of ours.
  expect(segments(call.heard(sinceMs + 1_000), [greetingHz, 600]).some(each => each.sound === 'other')).toBe(true)
  await call.hangup()
})

it.concurrent('hears the keypad', async () => {
  const call = await greeted(await house.dial({ from: '+15550100777' }))
  await call.digits('5')
  await call.hearsTone(1_250, { forMs: 140 })
  await call.digits('12#')
  for (const hz of [1_050, 1_100, 1_550]) await call.hearsTone(hz, { forMs: 140 })
  await call.hangup()
  const facts = (await house.events()).map(event => event.fact)
  const pressed = facts.flatMap(fact => (fact.name === 'digitPressed' ? [fact.private.digit] : []))
  expect(pressed).toEqual(['5', '1', '2', '#'])
  expect(house.log.filter(line => line.includes('+15550100777'))).toEqual([])
})

it.concurrent('passes on what the call brings: parameters, headers, the caller', async () => {
  const parameters = { callSid: 'CA0123', patientId: 'p 7/é;x=1' }
  const call = await house.dial({
    parameters,
    headers: { 'X-Twilio-CallSid': 'CA9', 'X-Note': 'a,b "c" ${EXTEN}' },
    from: '+15550100888',
  })
  await greeted(call)
  const offered = (await house.events())
    .flatMap(event => (event.fact.name === 'offered' ? [event.fact] : []))
    .find(fact => fact.private.callerNumber === '+15550100888')
  expect(offered?.private).toMatchObject({
    calledUser: 'bianca',
    parameters: { ...parameters, transport: 'tcp' },
    headers: { 'x-twilio-callsid': 'CA9', 'x-note': 'a,b "c" ${EXTEN}' },
  })
  await call.hangup()
})

it.concurrent('ends a call whose caller is gone without a word', async () => {
  const from = '+15550100999'
  const call = await greeted(await house.dial({ from }))
  call.vanish()
  await house.until(async () => {
    const events = await house.events()
    const offered = events.find(({ fact }) => fact.name === 'offered' && fact.private.callerNumber === from)
    const ended = events.find(({ call: id, fact }) => id === offered?.call && fact.name === 'ended')?.fact
    if (ended) expect(ended).toMatchObject({ reason: 'callerVanished' })
    return ended !== undefined
  })
})

it('keeps ten calls apart: each hears its own tone and no trace of another', async () => {
  // Above these begin the markers that stand for something else.
  const markers = [...Array.from({ length: 9 }, (_, index) => 600 + 200 * index), 2_300]
  const calls = await Promise.all(
    markers.map(async (markerHz, index) => {
      const call = await greeted(await house.dial({ laws: [index % 2 === 0 ? 'ulaw' : 'alaw'] }))
      for (let turn = 0; turn < 2; turn++) {
        await call.play(spoken(markerHz))
        // Whole replies are other tests' matter: here it is whose they are.
        await call.hearsTone(markerHz / 2, { forMs: 400 })
        await call.hearsSilence(200)
      }
      return call
    }),
  )
  await Promise.all(calls.map(call => call.hangup()))
  for (const [index, call] of calls.entries()) {
    const own = traceDb(call.heard(), markers[index]! / 2)
    for (const [other, markerHz] of markers.entries()) {
      if (other === index) continue
      const foreign = traceDb(call.heard(), markerHz / 2)
      expect(foreign - own, `${markerHz / 2} Hz in the call of ${markers[index]! / 2} Hz`).toBeLessThan(
        FOREIGN_FRAME_DB,
      )
    }
  }
  await house.isEmpty()
})
