import { describe, expect, it } from 'vitest'
import { click, loudSound } from '../../../bench/conversation/sounds.ts'
import { type Caller, Talker } from '../../../bench/conversation/talker.ts'
import type { ReceivedFrame } from '../../../src/caller/receiver.ts'
import { encode } from '../../../src/media/g711.ts'
import { RTP_HEADER_BYTES } from '../../../src/media/rtp.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const silence = new Int16Array(160)
const speech = loudSound(20)

/** A call whose packets the test sends and receives. */
function conversation() {
  const clock = new VirtualClock()
  const lateMs: number[] = [9]
  let sent: (packet: Uint8Array) => void = () => {}
  let received: (frame: ReceivedFrame) => void = () => {}
  const asked: Int16Array[] = []
  const caller: Caller = {
    play: async samples => {
      asked.push(samples)
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
    sendLateMs: () => lateMs,
  }
  const talker = new Talker({ clock, random: () => 0.5 }, caller, 'ulaw')
  let timestamp = 0
  return {
    clock,
    talker,
    asked,
    lateMs,
    send(samples: Int16Array) {
      const packet = new Uint8Array(RTP_HEADER_BYTES + samples.length)
      encode('ulaw', samples, packet.subarray(RTP_HEADER_BYTES))
      sent(packet)
    },
    receive(samples: Int16Array, frames = 1) {
      timestamp = (timestamp + 160 * frames) >>> 0
      const arrivedMs = clock.now()
      received({ positionMs: 0, arrivedMs, sequence: 0, timestamp, ssrc: 1, marker: false, law: 'ulaw', samples })
    },
  }
}

describe('a talker', () => {
  it('measures from its click to the first packet of the reply, and between the packets of it', () => {
    const { clock, talker, send, receive } = conversation()
    receive(silence)
    send(silence)
    clock.advance(20)
    send(click)
    clock.advance(3)
    receive(silence)
    clock.advance(4)
    receive(speech)
    clock.advance(21)
    receive(speech)
    clock.advance(19)
    receive(silence)
    clock.advance(20)
    receive(speech)
    expect(talker.finish()).toMatchObject({ pathMs: [7], spacingMs: [21], packets: 6, missing: 0, unanswered: 0 })
  })

  it('counts frames that never came, across the wrap of timestamps too', () => {
    const { talker, receive } = conversation()
    receive(silence, 26_843_543)
    receive(silence, 3)
    receive(speech, 2)
    expect(talker.finish()).toMatchObject({ packets: 3, missing: 3 })
  })

  it('counts a click that nobody replied to before the next one, and the last one', () => {
    const { clock, talker, asked, send } = conversation()
    talker.click(100)
    clock.advance(50)
    send(click)
    clock.advance(100)
    expect(asked).toHaveLength(2)
    send(click)
    talker.stopClicking()
    clock.advance(1_000)
    expect(asked).toHaveLength(2)
    expect(talker.finish().unanswered).toBe(2)
  })

  it('tells only of its own time how late packets left', () => {
    const { talker, lateMs } = conversation()
    lateMs.push(1, 2)
    expect(talker.finish().callerLateMs).toEqual([1, 2])
  })
})
