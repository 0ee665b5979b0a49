import { Recording } from '../../caller/recording.ts'
import type { Law } from '../../media/audio.ts'
import { decode } from '../../media/g711.ts'
import { PAYLOAD_TYPE, parseRtp, RtpPacket } from '../../media/rtp.ts'
import { writeStereoWav } from '../../media/wav.ts'

const RATE = 8_000
const SAMPLES_PER_MS = RATE / 1_000
const laws = new Map<number, Law>((['ulaw', 'alaw'] as const).map(law => [PAYLOAD_TYPE[law], law]))

/** What the caller sent, laid out in time so that it can stand beside what was heard. */
export class SaidSide {
  readonly #recording = new Recording()
  readonly #packet = new RtpPacket()
  #fromMs = 0

  /** Keypad digits are no sound. */
  sent(bytes: Uint8Array, nowMs: number): void {
    const packet = parseRtp(bytes, this.#packet)
    const law = packet && laws.get(packet.payloadType)
    if (!packet || law === undefined) return
    const samples = new Int16Array(packet.end - packet.start)
    decode(law, bytes.subarray(packet.start, packet.end), samples)
    // A packet leaves when its last sample has been spoken.
    if (this.#recording.lengthMs === 0) this.#fromMs = nowMs - samples.length / SAMPLES_PER_MS
    this.#recording.write(packet.ssrc, packet.timestamp, samples, nowMs)
  }

  /** On the call's clock from `sinceMs` on. */
  since(sinceMs: number): Int16Array {
    return placed(this.#recording.heard(), this.#fromMs - sinceMs)
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
