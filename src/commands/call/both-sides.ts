import { Recording } from '../../caller/recording.ts'
import type { Law } from '../../media/audio.ts'
import { decode } from '../../media/g711.ts'
import { PAYLOAD_TYPE, parseRtp, RtpPacket } from '../../media/rtp.ts'
import { writeStereoWav } from '../../media/wav.ts'

const RATE = 8_000
const SAMPLES_PER_MS = RATE / 1_000
const laws = new Map<number, Law>((['ulaw', 'alaw'] as const).map(law => [PAYLOAD_TYPE[law], law]))

/**
 * Lays a stream on the clock by the packet that was the least late: that some come late, as on a busy machine, moves no
 * sound from its place.
 */
export class Rhythm {
  #startMs = Number.POSITIVE_INFINITY

  /** When the stream began; undefined before it has. */
  get startMs(): number | undefined {
    return Number.isFinite(this.#startMs) ? this.#startMs : undefined
  }

  /** When this place of the stream came, or should have come. */
  at(positionMs: number, nowMs: number): number {
    this.#startMs = Math.min(this.#startMs, nowMs - positionMs)
    return this.#startMs + positionMs
  }
}

/** What the caller sent, laid out in time so that it can stand beside what was heard. */
export class SaidSide {
  readonly #recording = new Recording()
  readonly #rhythm = new Rhythm()
  readonly #packet = new RtpPacket()
  #untilMs = 0

  /** Keypad digits are no sound. */
  sent(bytes: Uint8Array, nowMs: number): void {
    const packet = parseRtp(bytes, this.#packet)
    const law = packet && laws.get(packet.payloadType)
    if (!packet || law === undefined) return
    const samples = new Int16Array(packet.end - packet.start)
    decode(law, bytes.subarray(packet.start, packet.end), samples)
    const positionMs = this.#recording.write(packet.ssrc, packet.timestamp, samples, nowMs)
    if (positionMs === undefined) return
    // A packet leaves when its last sample has been spoken.
    const lastsMs = samples.length / SAMPLES_PER_MS
    this.#untilMs = this.#rhythm.at(positionMs, nowMs - lastsMs) + lastsMs
  }

  /** When the last sample so far was spoken. */
  get untilMs(): number {
    return this.#untilMs
  }

  /** On the call's clock from `sinceMs` on. */
  since(sinceMs: number): Int16Array {
    return placed(this.#recording.heard(), (this.#rhythm.startMs ?? sinceMs) - sinceMs)
  }
}

/** The whole call from `sinceMs` on: on the left what was said, on the right what was heard. */
export function wavOfCall(sides: {
  sinceMs: number
  said: SaidSide
  heard: Int16Array
  heardFromMs: number | undefined
}): Uint8Array {
  const { sinceMs, said, heard, heardFromMs = sinceMs } = sides
  return writeStereoWav(said.since(sinceMs), placed(heard, heardFromMs - sinceMs), RATE)
}

function placed(samples: Int16Array, atMs: number): Int16Array {
  const at = Math.round(atMs * SAMPLES_PER_MS)
  const shifted = new Int16Array(Math.max(0, samples.length + at))
  shifted.set(samples.subarray(Math.max(0, -at)), Math.max(0, at))
  return shifted
}
