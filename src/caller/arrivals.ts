import { limits } from '../limits.ts'
import type { RtpPacket } from '../media/rtp.ts'
import { timestampDistance, unwrapSequence } from '../media/sequence.ts'
import { Spread, type SpreadFigures } from './spread.ts'

export interface ArrivalFigures {
  readonly packets: number
  readonly lost: number
  /** Arrived after one that was sent later. */
  readonly reordered: number
  readonly duplicated: number
  /** RFC 3550, 6.4.1. */
  readonly jitterMs: number
  /** From one packet to the next, as they arrived. */
  readonly spacingMs: SpreadFigures
  /** When the first packet came, on the call's clock. */
  readonly firstAtMs: number | undefined
}

const SAMPLES_PER_MS = 8
/** A packet repeated within this many is recognised. */
const REMEMBERED = 256
/** A longer leap between two packets is a new beginning of the timestamps, not jitter. */
const LEAP_MS = 1_000

interface Stream {
  readonly ssrc: number
  readonly seen: Float64Array
  lowest: number
  highest: number
  received: number
}

/** Counts a stream of packets as they arrive. */
export class Arrivals {
  readonly #spacingMs = new Spread(limits.caller.intervals)
  #stream: Stream | undefined
  #firstAtMs: number | undefined
  #lastAtMs = 0
  #lastTimestamp = 0
  #packets = 0
  #lostEarlier = 0
  #reordered = 0
  #duplicated = 0
  #jitterMs = 0

  /** False for what was there already. */
  count({ ssrc, sequence, timestamp }: RtpPacket, arrivedMs: number): boolean {
    if (!this.#isNew(ssrc, sequence)) return false
    this.#packets += 1
    if (this.#firstAtMs === undefined) this.#firstAtMs = arrivedMs
    else this.#spaced(arrivedMs - this.#lastAtMs, timestampDistance(timestamp, this.#lastTimestamp) / SAMPLES_PER_MS)
    this.#lastAtMs = arrivedMs
    this.#lastTimestamp = timestamp
    return true
  }

  /** What stands between the packets of audio: counted as there, and as nothing else. */
  accompanied({ ssrc, sequence }: RtpPacket): void {
    this.#isNew(ssrc, sequence)
  }

  #isNew(ssrc: number, wrapped: number): boolean {
    if (this.#stream?.ssrc !== ssrc) {
      this.#lostEarlier += lostOf(this.#stream)
      const seen = new Float64Array(REMEMBERED).fill(Number.NaN)
      this.#stream = { ssrc, seen, lowest: wrapped, highest: wrapped, received: 0 }
    }
    const stream = this.#stream
    const sequence = unwrapSequence(wrapped, stream.highest)
    if (stream.seen[sequence & (REMEMBERED - 1)] === sequence) {
      this.#duplicated += 1
      return false
    }
    stream.seen[sequence & (REMEMBERED - 1)] = sequence
    stream.received += 1
    if (sequence < stream.highest) this.#reordered += 1
    stream.lowest = Math.min(stream.lowest, sequence)
    stream.highest = Math.max(stream.highest, sequence)
    return true
  }

  #spaced(elapsedMs: number, sentMs: number): void {
    this.#spacingMs.add(elapsedMs)
    const differenceMs = Math.abs(elapsedMs - sentMs)
    if (differenceMs < LEAP_MS) this.#jitterMs += (differenceMs - this.#jitterMs) / 16
  }

  figures(): ArrivalFigures {
    return {
      packets: this.#packets,
      lost: this.#lostEarlier + lostOf(this.#stream),
      reordered: this.#reordered,
      duplicated: this.#duplicated,
      jitterMs: this.#jitterMs,
      spacingMs: this.#spacingMs.figures(),
      firstAtMs: this.#firstAtMs,
    }
  }
}

function lostOf(stream: Stream | undefined): number {
  return stream ? stream.highest - stream.lowest + 1 - stream.received : 0
}
