import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { systemClock } from '../src/clock.ts'
import { FRAME_SAMPLES, SILENCE } from '../src/media/audio.ts'
import { parseRtp, RTP_HEADER_BYTES, RtpPacket, RtpWriter } from '../src/media/rtp.ts'
import { Wheel } from '../src/media/wheel.ts'
import { nowMs, readStamp, stamp } from './plane-stamp.ts'

/** The far end of bench/plane.ts, in a process of its own: sends on every line and measures what comes back. */

export interface PeerFigures {
  /** Between two packets of a spurt, from its second packet on. */
  readonly gapsMs: number[]
  /** From the first audio handed over to the first packet of it. */
  readonly firstAudioMs: number[]
  /** When the last packet of each utterance came, by line and utterance. */
  readonly lastPacketMs: [key: string, atMs: number][]
  readonly missing: number
  readonly sentLateMs: number[]
  readonly cpuMs: number
}

export type ToPeer = { readonly connect: readonly number[] } | 'reset' | 'figures'

const packet = new RtpPacket()
const wheel = new Wheel(systemClock)

class Far {
  readonly socket: Socket
  readonly #figures: Figures
  readonly #line: number
  #port = 0
  #lastMs = 0
  #lastSequence = -1
  #spurtPackets = 0

  constructor(line: number, socket: Socket, figures: Figures) {
    this.#line = line
    this.socket = socket
    this.#figures = figures
    // The port may have belonged to another program, whose peer still sends to it.
    socket.on('message', (datagram, from) => {
      if (from.port === this.#port) this.#received(datagram, nowMs())
    })
  }

  talkTo(port: number): void {
    this.#port = port
    const writer = new RtpWriter(0, Math.random)
    const frame = new Uint8Array(FRAME_SAMPLES).fill(0x31)
    const datagram = new Uint8Array(RTP_HEADER_BYTES + FRAME_SAMPLES)
    wheel.add((dueMs, skipped) => {
      writer.skip(skipped * FRAME_SAMPLES)
      this.#figures.sentLateMs.push(Math.max(0, systemClock.now() - dueMs))
      stamp(frame, { atMs: nowMs(), utterance: 0 })
      writer.write(datagram, frame, false)
      this.socket.send(datagram, port, '127.0.0.1')
    })
  }

  #received(datagram: Uint8Array, atMs: number): void {
    const { start, sequence, marker, bytes } = parseRtp(datagram, packet)!
    if (this.#lastSequence >= 0) this.#figures.missing += ((sequence - this.#lastSequence) & 0xffff) - 1
    this.#lastSequence = sequence
    const speech = bytes[datagram.length - 1] !== SILENCE.ulaw
    if (speech) this.#tookSpeech(bytes.subarray(start), marker, atMs)
    else this.#spurtPackets = 0
    this.#lastMs = atMs
  }

  #tookSpeech(audio: Uint8Array, marker: boolean, atMs: number): void {
    const { utterance, atMs: handedOverMs } = readStamp(audio)!
    if (marker) this.#figures.firstAudioMs.push(atMs - handedOverMs)
    if (this.#spurtPackets > 0) this.#figures.gapsMs.push(atMs - this.#lastMs)
    this.#spurtPackets += 1
    this.#figures.lastPacketMs.set(`${this.#line}/${utterance}`, atMs)
  }
}

class Figures {
  gapsMs: number[] = []
  firstAudioMs: number[] = []
  lastPacketMs = new Map<string, number>()
  missing = 0
  sentLateMs: number[] = []
  #cpu = process.cpuUsage()

  reset(): void {
    this.gapsMs = []
    this.firstAudioMs = []
    this.lastPacketMs = new Map()
    this.missing = 0
    this.sentLateMs = []
    this.#cpu = process.cpuUsage()
  }

  told(): PeerFigures {
    const { user, system } = process.cpuUsage(this.#cpu)
    const { gapsMs, firstAudioMs, missing, sentLateMs } = this
    const lastPacketMs = [...this.lastPacketMs]
    return { gapsMs, firstAudioMs, lastPacketMs, missing, sentLateMs, cpuMs: (user + system) / 1_000 }
  }
}

const figures = new Figures()
const fars: Far[] = []
for (let line = 0; line < Number(process.argv[2]); line++) {
  const socket = createSocket({ type: 'udp4', lookup: (address, _options, done) => done(null, address, 4) })
  const listening = once(socket, 'listening')
  socket.bind(0, '127.0.0.1')
  await listening
  fars.push(new Far(line, socket, figures))
}
process.on('message', (message: ToPeer) => {
  if (message === 'reset') figures.reset()
  else if (message === 'figures') process.send!(figures.told())
  else for (const [line, port] of message.connect.entries()) fars[line]!.talkTo(port)
})
process.on('disconnect', () => process.exit())
process.send!(fars.map(far => far.socket.address().port))
