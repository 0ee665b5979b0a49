import { limits } from '../limits.ts'

const SAMPLES_PER_MS = 8
const FIRST_CAPACITY_MS = 5_000
/** Timestamps that are further than this from the time of arrival belong to a stream that began anew. */
const JUMP_MS = 2_000

export interface Gap {
  readonly fromMs: number
  readonly toMs: number
}

interface Anchor {
  readonly ssrc: number
  readonly arrivedMs: number
  readonly position: number
  timestamp: number
  timestampPosition: number
}

/**
 * Everything heard in a call, laid out on the RTP clock: what was lost, or never sent, is silence of its exact length and
 * listed as a gap. Millisecond 0 is the first packet.
 */
export class Recording {
  #samples = new Int16Array(FIRST_CAPACITY_MS * SAMPLES_PER_MS)
  #present = new Uint8Array(FIRST_CAPACITY_MS)
  #length = 0
  #anchor: Anchor | undefined
  #jumps = 0

  /** How often the stream began anew: another source, or timestamps from nowhere. */
  get jumps(): number {
    return this.#jumps
  }

  get lengthMs(): number {
    return this.#length / SAMPLES_PER_MS
  }

  /** Puts the samples where their timestamp says; returns that place in milliseconds, undefined beyond the bound. */
  write(ssrc: number, timestamp: number, samples: Int16Array, arrivedMs: number): number | undefined {
    const position = this.#positionOf(ssrc, timestamp, arrivedMs)
    const end = position + samples.length
    if (position < 0 || end > limits.caller.recordedMs * SAMPLES_PER_MS) return undefined
    this.#reserve(end)
    this.#samples.set(samples, position)
    this.#present.fill(1, Math.floor(position / SAMPLES_PER_MS), Math.ceil(end / SAMPLES_PER_MS))
    this.#length = Math.max(this.#length, end)
    return position / SAMPLES_PER_MS
  }

  #positionOf(ssrc: number, timestamp: number, arrivedMs: number): number {
    const anchor = this.#anchor
    if (!anchor) return this.#anchorAt(ssrc, timestamp, arrivedMs, 0)
    const byTimestamp = anchor.timestampPosition + ((timestamp - anchor.timestamp) | 0)
    const byArrival = anchor.position + Math.round((arrivedMs - anchor.arrivedMs) * SAMPLES_PER_MS)
    if (ssrc !== anchor.ssrc || Math.abs(byTimestamp - byArrival) > JUMP_MS * SAMPLES_PER_MS) {
      this.#jumps += 1
      return this.#anchorAt(ssrc, timestamp, arrivedMs, Math.max(this.#length, byArrival))
    }
    anchor.timestamp = timestamp
    anchor.timestampPosition = byTimestamp
    return byTimestamp
  }

  #anchorAt(ssrc: number, timestamp: number, arrivedMs: number, position: number): number {
    this.#anchor = { ssrc, arrivedMs, position, timestamp, timestampPosition: position }
    return position
  }

  #reserve(samples: number): void {
    let capacity = this.#samples.length
    while (capacity < samples) capacity *= 2
    if (capacity === this.#samples.length) return
    const grown = new Int16Array(capacity)
    grown.set(this.#samples)
    this.#samples = grown
    const present = new Uint8Array(capacity / SAMPLES_PER_MS)
    present.set(this.#present)
    this.#present = present
  }

  /** A copy of what was heard within these milliseconds; of all by default. */
  heard(fromMs = 0, toMs = this.lengthMs): Int16Array {
    return this.#samples.slice(fromMs * SAMPLES_PER_MS, Math.min(this.#length, toMs * SAMPLES_PER_MS))
  }

  /** Whether no part of it was lost or never sent. */
  isWhole(fromMs: number, toMs: number): boolean {
    return !this.#present.subarray(Math.floor(fromMs), Math.ceil(toMs)).includes(0)
  }

  gaps(): Gap[] {
    const gaps: Gap[] = []
    const endMs = Math.ceil(this.lengthMs)
    let fromMs = this.#present.indexOf(0)
    while (fromMs !== -1 && fromMs < endMs) {
      const toMs = this.#present.indexOf(1, fromMs)
      gaps.push({ fromMs, toMs })
      fromMs = this.#present.indexOf(0, toMs)
    }
    return gaps
  }
}
