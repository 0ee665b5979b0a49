import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { FRAME_MS, FRAME_SAMPLES, type Law } from '../media/audio.ts'
import { RTP_HEADER_BYTES, RtpWriter } from '../media/rtp.ts'
import type { Member, Wheel } from '../media/wheel.ts'
import { Outgoing } from './outgoing.ts'
import { Spread, type SpreadFigures } from './spread.ts'

/** How the callee wants to be sent to. */
export interface SendFormat {
  readonly law: Law
  readonly payloadType: number
  readonly digitsPayloadType: number
}

export interface SentFigures {
  readonly packets: number
  /** Of these, the packets of keypad digits. */
  readonly keyPackets: number
  /** How long after its time each packet left: what the caller's own process adds. */
  readonly lateMs: SpreadFigures
  /** Frames that a stall of the process swallowed. */
  readonly skippedFrames: number
}

/** Sends one packet every 20 ms, or what the packet time is, on the wheel's absolute deadlines. */
export class Sender {
  readonly outgoing = new Outgoing()
  readonly #clock: Clock
  readonly #wheel: Wheel
  readonly #random: () => number
  readonly #send: (packet: Uint8Array) => void
  readonly #framesAPacket: number
  readonly #frame: Uint8Array
  readonly #lateMs = new Spread(limits.caller.intervals)
  #member: Member | undefined
  #writer: RtpWriter | undefined
  #format: SendFormat | undefined
  #silent = false
  #resuming = false
  #ticks = 0
  #keyTimestamp = 0
  #packets = 0
  #keyPackets = 0
  #skippedFrames = 0

  constructor(
    deps: { clock: Clock; wheel: Wheel; random: () => number },
    ptimeMs: number,
    send: (packet: Uint8Array) => void,
  ) {
    this.#clock = deps.clock
    this.#wheel = deps.wheel
    this.#random = deps.random
    this.#send = send
    this.#framesAPacket = ptimeMs / FRAME_MS
    this.#frame = new Uint8Array(this.#framesAPacket * FRAME_SAMPLES)
  }

  /** Begins to send, or goes on in another format. */
  start(format: SendFormat): void {
    if (format.payloadType !== this.#format?.payloadType) {
      this.#writer = new RtpWriter(format.payloadType, this.#random)
      this.#resuming = true
    }
    this.#format = format
    this.#member ??= this.#wheel.add((dueMs, skippedTicks) => this.#tick(dueMs, skippedTicks))
  }

  stop(): void {
    this.#member?.remove()
    this.outgoing.end()
  }

  /** While silenced truly nothing leaves: no packet. What was to be said waits. */
  silence(silent: boolean): void {
    this.#silent = silent
  }

  figures(): SentFigures {
    return {
      packets: this.#packets,
      keyPackets: this.#keyPackets,
      lateMs: this.#lateMs.figures(),
      skippedFrames: this.#skippedFrames,
    }
  }

  #tick(dueMs: number, skippedTicks: number): void {
    const writer = this.#writer!
    writer.skip(skippedTicks * FRAME_SAMPLES)
    this.#skippedFrames += skippedTicks
    this.#ticks += 1
    if (this.#ticks % this.#framesAPacket !== 0) return
    if (this.#silent) {
      this.#resuming = true
      return writer.skip(this.#frame.length)
    }
    const packet = this.#nextPacket(writer, this.#format!)
    this.#lateMs.add(Math.max(0, this.#clock.now() - dueMs))
    this.#send(packet)
    this.#packets += 1
  }

  #nextPacket(writer: RtpWriter, { law, digitsPayloadType }: SendFormat): Uint8Array {
    const key = this.outgoing.next(this.#frame, law)
    if (!key) {
      const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + this.#frame.length)
      writer.write(packet, this.#frame, this.#resuming)
      this.#resuming = false
      return packet
    }
    // Marker and timestamp belong to the key as a whole, while time runs on for the audio after it (RFC 4733, 2.5.1).
    if (key.first) this.#keyTimestamp = writer.timestamp
    const packet = Buffer.allocUnsafe(RTP_HEADER_BYTES + key.payload.length)
    writer.writeAs(digitsPayloadType, this.#keyTimestamp, packet, key.payload, key.first)
    writer.skip(this.#frame.length)
    this.#keyPackets += 1
    return packet
  }
}
