import type { Caller } from '../../../bench/conversation/talker.ts'
import type { ReceivedFrame } from '../../../src/caller/receiver.ts'
import { FRAME_SAMPLES } from '../../../src/media/audio.ts'
import { encode } from '../../../src/media/g711.ts'
import { RTP_HEADER_BYTES } from '../../../src/media/rtp.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

/** A call whose packets a test sends and receives. */
export class FakeCaller implements Caller {
  readonly clock = new VirtualClock()
  /** Sounds that it was asked to play. */
  readonly asked: Int16Array[] = []
  readonly lateMs: number[] = []
  #sent: (packet: Uint8Array) => void = () => {}
  #received: (frame: ReceivedFrame) => void = () => {}
  #timestamp = 0

  async play(samples: Int16Array) {
    this.asked.push(samples)
    return 'sent' as const
  }

  onSent(listener: (packet: Uint8Array) => void) {
    this.#sent = listener
    return () => {}
  }

  onFrame(listener: (frame: ReceivedFrame) => void) {
    this.#received = listener
    return () => {}
  }

  sendLateMs() {
    return this.lateMs
  }

  send(samples: Int16Array): void {
    const packet = new Uint8Array(RTP_HEADER_BYTES + samples.length)
    encode('ulaw', samples, packet.subarray(RTP_HEADER_BYTES))
    this.#sent(packet)
  }

  /** `frames`: how many after the last one, which were lost but for this. */
  receive(samples: Int16Array, frames = 1): void {
    this.#timestamp = (this.#timestamp + FRAME_SAMPLES * frames) >>> 0
    this.#received({
      positionMs: 0,
      arrivedMs: this.clock.now(),
      sequence: 0,
      timestamp: this.#timestamp,
      ssrc: 1,
      marker: false,
      law: 'ulaw',
      samples,
    })
  }
}
