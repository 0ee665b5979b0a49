import { expect, it } from 'vitest'
import { loudSound } from '../../../bench/conversation/sounds.ts'
import { TurnTaker } from '../../../bench/conversation/turn-taker.ts'
import { FakeCaller } from './fake-caller.ts'

const silence = new Int16Array(160)
const speech = loudSound(20)
const PACKET_MS = 20
const AWAY_MS = 3

/** A call whose packets leave and come every 20 ms, these a little later than those. */
function conversation() {
  const caller = new FakeCaller()
  const { clock, asked } = caller
  let unsaid: Int16Array = new Int16Array(0)
  let marks = 40
  const manner = { voiceMs: [60], replyMs: 100, waitMs: { least: 40, most: 40 } }
  const deps = { clock, random: () => 0.5, nextMark: () => ++marks }
  const taker = new TurnTaker(deps, caller, 'ulaw', manner)
  const tick = (heard: Int16Array) => {
    clock.advance(PACKET_MS - AWAY_MS)
    unsaid = asked.shift() ?? unsaid
    const next = new Int16Array(160)
    next.set(unsaid.subarray(0, 160))
    unsaid = unsaid.slice(160)
    caller.send(next)
    clock.advance(AWAY_MS)
    caller.receive(heard)
  }
  const hear = (count: number, heard: Int16Array) => {
    for (let at = 0; at < count; at++) tick(heard)
  }
  return { taker, hear }
}

it('measures from its last packet to the first of the reply', () => {
  const { taker, hear } = conversation()
  hear(10, silence)
  hear(5, speech)
  expect(taker.finish()).toMatchObject({
    turns: [{ mark: 41, voiceMs: 60, sentMs: 77, heardMs: 220, cutMs: undefined }],
    spacingMs: [20, 20, 20, 20],
    packets: 15,
    missing: 0,
    unanswered: 0,
  })
})

it('speaks into a reply, and tells the last packet of it that came', () => {
  const { taker, hear } = conversation()
  hear(10, silence)
  // The second utterance begins within it, and it ends at once.
  hear(4, speech)
  hear(8, silence)
  hear(1, speech)
  expect(taker.finish().turns).toMatchObject([
    { mark: 41, heardMs: 220 },
    { mark: 42, heardMs: 460, cutMs: 280 },
  ])
})

it('takes no reply that was heard to its end for one that was cut off', () => {
  const { taker, hear } = conversation()
  hear(10, silence)
  hear(5, speech)
  hear(8, silence)
  hear(1, speech)
  expect(taker.finish().turns.map(({ cutMs }) => cutMs)).toEqual([undefined, undefined])
})

it('counts an utterance that nobody replied to, and speaks again', () => {
  const { taker, hear } = conversation()
  hear(220, silence)
  hear(1, speech)
  const { turns, unanswered } = taker.finish()
  expect(unanswered).toBe(1)
  expect(turns).toMatchObject([{ mark: 42 }])
})
