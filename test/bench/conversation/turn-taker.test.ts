import { expect, it } from 'vitest'
import { loudSound } from '../../../bench/conversation/sounds.ts'
import type { Caller } from '../../../bench/conversation/talker.ts'
import { TurnTaker } from '../../../bench/conversation/turn-taker.ts'
import type { ReceivedFrame } from '../../../src/caller/receiver.ts'
import { encode } from '../../../src/media/g711.ts'
import { RTP_HEADER_BYTES } from '../../../src/media/rtp.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const silence = new Int16Array(160)
const speech = loudSound(20)
const PACKET_MS = 20
const AWAY_MS = 3

/** A call whose packets leave and come every 20 ms, these a little later than those. */
function conversation() {
  const clock = new VirtualClock()
  let sent: (packet: Uint8Array) => void = () => {}
  let received: (frame: ReceivedFrame) => void = () => {}
  let unsaid: Int16Array = new Int16Array(0)
  let timestamp = 0
  let marks = 40
  const caller: Caller = {
    play: async samples => {
      unsaid = samples
      return 'sent'
    },
    onSent: listener => {
      sent = listener
      return () => {}
    },
    onFrame: listener => {
      received = listener
      return () => {}
    },
    sendLateMs: () => [],
  }
  const manner = { voiceMs: [60], replyMs: 100, waitMs: { least: 40, most: 40 } }
  const deps = { clock, random: () => 0.5, nextMark: () => ++marks }
  const taker = new TurnTaker(deps, caller, 'ulaw', manner)
  const tick = (heard: Int16Array) => {
    clock.advance(PACKET_MS - AWAY_MS)
    const packet = new Uint8Array(RTP_HEADER_BYTES + 160)
    const next = new Int16Array(160)
    next.set(unsaid.subarray(0, 160))
    unsaid = unsaid.slice(160)
    encode('ulaw', next, packet.subarray(RTP_HEADER_BYTES))
    sent(packet)
    clock.advance(AWAY_MS)
    timestamp += 160
    const arrivedMs = clock.now()
    received({ positionMs: 0, arrivedMs, sequence: 0, timestamp, ssrc: 1, marker: false, law: 'ulaw', samples: heard })
  }
  const hear = (count: number, heard: Int16Array) => {
    for (let at = 0; at < count; at++) tick(heard)
  }
  return { clock, taker, hear }
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
