import { FRAME_MS, FRAME_SAMPLES } from './audio.ts'
import { DigitGaps } from './digit-gaps.ts'
import { timestampDistance } from './sequence.ts'

const SAMPLES_PER_MS = FRAME_SAMPLES / FRAME_MS
/** A longer leap between two packets is a new beginning of the far end's timestamps, not jitter. */
const LEAP_MS = 1_000

/** What is known of a line's incoming stream. */
export class ReceiveFigures {
  readonly counts = {
    packets: 0,
    lost: 0,
    late: 0,
    duplicated: 0,
    reordered: 0,
    concealedFrames: 0,
    missingFrames: 0,
    /** Counted by the socket's owner. */
    strangers: 0,
    invalid: 0,
    jitterMs: 0,
    driftPpm: 0,
    ssrcChanges: 0,
  }
  readonly #drift = new ClockDrift()
  readonly #digitGaps = new DigitGaps()
  #timestamp = 0
  #arrivedMs = Number.NEGATIVE_INFINITY

  /** Each audio packet as it arrives, for the jitter: RFC 3550, 6.4.1 and A.8. */
  arrived(timestamp: number, nowMs: number): void {
    const elapsedMs = nowMs - this.#arrivedMs
    const differenceMs = Math.abs(elapsedMs - timestampDistance(timestamp, this.#timestamp) / SAMPLES_PER_MS)
    if (differenceMs < LEAP_MS) this.counts.jitterMs += (differenceMs - this.counts.jitterMs) / 16
    this.#timestamp = timestamp
    this.#arrivedMs = nowMs
  }

  /** So many packets are waited for no longer; since then they were known to be missing. */
  gaveUp(packets: number, sinceMs: number): void {
    this.counts.lost += this.#digitGaps.missing(packets, sinceMs)
  }

  /** One of them has come after all. */
  cameLate(): void {
    this.counts.late++
    // Where a digit explained its gap it was not counted.
    if (this.counts.lost > 0) this.counts.lost--
  }

  digitReleased(heldMs: number, nowMs: number): void {
    this.counts.lost -= Math.min(this.counts.lost, this.#digitGaps.released(heldMs, nowMs))
  }

  /** How far each packet is behind the time that its timestamp stands for, for the drift. */
  delayed(nowMs: number, delayMs: number): void {
    if (this.#drift.delayed(nowMs, delayMs)) this.counts.driftPpm = this.#drift.ppm()
  }

  /** Delays from now on cannot be compared with those before. */
  delaysRestarted(): void {
    this.#drift.restart()
  }
}

const BUCKET_MS = 2_000
const BUCKETS = 60
/** Under 20 seconds say nothing. */
const FEWEST_BUCKETS = 10

/**
 * How much faster the far clock runs than ours. Queues only ever add to a delay, so the shortest delay of each two
 * seconds is free of most jitter; its slope over two minutes is the drift. The median of slopes between buckets half the
 * window apart (Theil's incomplete method) shrugs off spells of congestion that would bend a line of least squares.
 */
class ClockDrift {
  readonly #times = new Float64Array(BUCKETS)
  readonly #delays = new Float64Array(BUCKETS)
  readonly #slopes = new Float64Array(BUCKETS / 2)
  #count = 0
  #openedMs = Number.NaN
  #shortestMs = Number.POSITIVE_INFINITY
  #shortestAtMs = 0

  /** Whether there is news. */
  delayed(nowMs: number, delayMs: number): boolean {
    const full = nowMs - this.#openedMs >= BUCKET_MS
    if (full) this.#close()
    if (full || Number.isNaN(this.#openedMs)) {
      this.#openedMs = nowMs
      this.#shortestMs = Number.POSITIVE_INFINITY
    }
    if (delayMs < this.#shortestMs) {
      this.#shortestMs = delayMs
      this.#shortestAtMs = nowMs
    }
    return full && this.#count >= FEWEST_BUCKETS
  }

  restart(): void {
    this.#count = 0
    this.#openedMs = Number.NaN
  }

  ppm(): number {
    const half = this.#count >> 1
    for (let i = 0; i < half; i++) {
      const delay = this.#delays[i + half]! - this.#delays[i]!
      this.#slopes[i] = delay / (this.#times[i + half]! - this.#times[i]!)
    }
    const slopes = this.#slopes.subarray(0, half).sort()
    return -1e6 * ((slopes[(half - 1) >> 1]! + slopes[half >> 1]!) / 2)
  }

  #close(): void {
    if (this.#count === BUCKETS) {
      this.#times.copyWithin(0, 1)
      this.#delays.copyWithin(0, 1)
      this.#count--
    }
    this.#times[this.#count] = this.#shortestAtMs
    this.#delays[this.#count] = this.#shortestMs
    this.#count++
  }
}
