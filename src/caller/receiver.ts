import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import type { Law } from '../media/audio.ts'
import { decode } from '../media/g711.ts'
import { parseRtp, RtpPacket } from '../media/rtp.ts'
import type { Address } from './address.ts'
import { type ArrivalFigures, Arrivals } from './arrivals.ts'
import { HeardDigits } from './digits.ts'
import { Recording } from './recording.ts'

/** One packet of audio, as it came. Lent: copy the samples to keep them. */
export interface ReceivedFrame {
  /** Its place in the recording; undefined past the recording's bound. */
  readonly positionMs: number | undefined
  /** On the call's clock. */
  readonly arrivedMs: number
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
  readonly marker: boolean
  readonly law: Law
  readonly samples: Int16Array
}

export interface ReceivedFigures extends ArrivalFigures {
  /** Keys that the callee has pressed. */
  readonly digits: string
  /** From an address that the callee did not give: dropped. */
  readonly strangers: number
  /** Not RTP, or of a payload type that carries no voice. */
  readonly invalid: number
  /** Where in the recording packets with a marker stand. */
  readonly markersMs: readonly number[]
  /** How often the stream began anew: another source, or timestamps from nowhere. */
  readonly jumps: number
}

/** Hears what comes in: into the recording, the figures and whoever listens. */
export class Receiver {
  readonly recording = new Recording()
  readonly #clock: Clock
  readonly #laws: ReadonlyMap<number, Law>
  readonly #heard: (frame: ReceivedFrame) => void
  readonly #arrivals = new Arrivals()
  readonly #digitsType: number
  readonly #heardDigits = new HeardDigits()
  readonly #packet = new RtpPacket()
  readonly #decoded = new Int16Array(limits.media.packetBytes)
  readonly #markersMs: number[] = []
  #source: Address | undefined
  #strangers = 0
  #invalid = 0

  /** The payload types that were offered: `laws` and `digits`. */
  constructor(
    clock: Clock,
    { laws, digits }: { readonly laws: ReadonlyMap<number, Law>; readonly digits: number },
    heard: (frame: ReceivedFrame) => void,
  ) {
    this.#clock = clock
    this.#laws = laws
    this.#digitsType = digits
    this.#heard = heard
  }

  /** Hears only this address from now on. */
  pin(source: Address): void {
    this.#source = source
  }

  received(datagram: Uint8Array, from: Address): void {
    const arrivedMs = this.#clock.now()
    if (this.#source && (from.port !== this.#source.port || from.address !== this.#source.address)) {
      this.#strangers += 1
      return
    }
    const packet = parseRtp(datagram, this.#packet)
    // In the same sequence as the audio, but it takes no time of it.
    if (packet?.payloadType === this.#digitsType && this.#heardDigits.hear(packet)) {
      this.#arrivals.accompanied(packet)
      return
    }
    const law = packet && this.#laws.get(packet.payloadType)
    if (!packet || law === undefined || packet.end === packet.start) {
      this.#invalid += 1
      return
    }
    if (this.#arrivals.count(packet, arrivedMs)) this.#keep(packet, law, arrivedMs)
  }

  #keep(packet: RtpPacket, law: Law, arrivedMs: number): void {
    const { ssrc, timestamp, sequence, marker } = packet
    const samples = this.#decoded.subarray(0, packet.end - packet.start)
    decode(law, packet.bytes.subarray(packet.start, packet.end), samples)
    const positionMs = this.recording.write(ssrc, timestamp, samples, arrivedMs)
    if (marker && positionMs !== undefined && this.#markersMs.length < limits.caller.markers) {
      this.#markersMs.push(positionMs)
    }
    this.#heard({ positionMs, arrivedMs, sequence, timestamp, ssrc, marker, law, samples })
  }

  figures(): ReceivedFigures {
    return {
      ...this.#arrivals.figures(),
      digits: this.#heardDigits.digits,
      strangers: this.#strangers,
      invalid: this.#invalid,
      markersMs: [...this.#markersMs],
      jumps: this.recording.jumps,
    }
  }
}
