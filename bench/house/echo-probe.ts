import { createSocket, type Socket } from 'node:dgram'
import { every, systemClock } from '../../src/clock.ts'
import { FRAME_SAMPLES } from '../../src/media/audio.ts'
import { RTP_HEADER_BYTES } from '../../src/media/rtp.ts'

const PERIOD_MS = 10

/** Sends datagrams of a call's size to a process that only sends them back, and measures how long each took. */
export class EchoProbe {
  readonly #socket: Socket
  readonly #stop: () => void
  readonly #sentMs: number[] = []
  readonly #tookMs: number[] = []

  constructor(port: number) {
    this.#socket = createSocket({ type: 'udp4', lookup: (numeric, _options, done) => done(null, numeric, 4) })
    this.#socket.on('message', datagram => {
      this.#tookMs.push(systemClock.now() - this.#sentMs[datagram.readUInt32BE(0)]!)
    })
    const datagram = Buffer.alloc(RTP_HEADER_BYTES + FRAME_SAMPLES)
    this.#stop = every(systemClock, PERIOD_MS, () => {
      datagram.writeUInt32BE(this.#sentMs.length, 0)
      this.#sentMs.push(systemClock.now())
      this.#socket.send(Buffer.from(datagram), port, '127.0.0.1')
    })
  }

  /** Milliseconds there and back. */
  stop(): number[] {
    this.#stop()
    this.#socket.close()
    return this.#tookMs
  }
}
