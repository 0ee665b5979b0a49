import { FRAME_SAMPLES, type Law, SILENCE } from './audio.ts'
import { DECODED, ENCODED } from './g711.ts'

const SAMPLES_PER_MS = 8
/** What the pitch is looked for in: three of the longest periods and some to spare, as in G.711 Appendix I. */
const HISTORY = 48.75 * SAMPLES_PER_MS
const PAST_FRAMES = Math.ceil(HISTORY / FRAME_SAMPLES)
const SHORTEST_PERIOD = 5 * SAMPLES_PER_MS
const LONGEST_PERIOD = 15 * SAMPLES_PER_MS
/** The stretch at the end of the history that is compared with what was a period earlier. */
const COMPARED = 20 * SAMPLES_PER_MS
const FULL_LEVEL = 10 * SAMPLES_PER_MS
const SILENT_AFTER = 60 * SAMPLES_PER_MS
const SEAM = 5 * SAMPLES_PER_MS
/** Over this the step between the last sample heard and the first one made up is levelled out. */
const STEP = 4 * SAMPLES_PER_MS

/**
 * Fills holes with the last pitch period, repeated and fading to silence within 60 ms, and blends what is heard after a
 * hole into it: the idea of G.711 Appendix I, without its delay.
 *
 * Works in place on frames in the call's law: `conceal` and `rejoin` take the parts of a frame in the order in which
 * they are played, `sent` every frame once it is whole, silent ones too.
 */
export class Concealer {
  readonly #decoded: Int16Array
  readonly #encoded: Uint8Array
  /** The last whole frames. */
  readonly #past: Uint8Array
  readonly #history = new Float64Array(HISTORY)
  readonly #period = new Float64Array(LONGEST_PERIOD)
  #periodLength = LONGEST_PERIOD
  /** The loudest sample of the history: what is made of it is never louder. */
  #peak = 0
  /** What the first sample made up is short of going on from the last one heard. */
  #step = 0
  /** Samples made up since the hole began. */
  #made = 0
  #inHole = false
  #seamLeft = 0

  constructor(law: Law) {
    this.#decoded = DECODED[law]
    this.#encoded = ENCODED[law]
    this.#past = new Uint8Array(PAST_FRAMES * FRAME_SAMPLES).fill(SILENCE[law])
  }

  /** Fills a hole, or goes on filling it; the frame up to `from` is what was played just before. */
  conceal(frame: Uint8Array, from: number, to: number): void {
    if (!this.#inHole) this.#begin(frame, from)
    for (let i = from; i < to; i++) frame[i] = this.#encode(this.#next())
  }

  /** Audio heard: if it follows a hole, its first 5 ms are blended with what would have gone on there. */
  rejoin(frame: Uint8Array, from: number, to: number): void {
    if (this.#inHole) {
      this.#inHole = false
      this.#seamLeft = SEAM
    }
    for (let i = from; i < to && this.#seamLeft > 0; i++) {
      const made = this.#seamLeft / (SEAM + 1)
      frame[i] = this.#encode(made * this.#next() + (1 - made) * this.#decoded[frame[i]!]!)
      this.#seamLeft--
    }
  }

  sent(frame: Uint8Array): void {
    this.#past.copyWithin(0, FRAME_SAMPLES)
    this.#past.set(frame, this.#past.length - FRAME_SAMPLES)
  }

  /** The far end fell silent: there is nothing to blend into. */
  rest(): void {
    this.#inHole = false
    this.#seamLeft = 0
  }

  #begin(frame: Uint8Array, from: number): void {
    this.#inHole = true
    this.#seamLeft = 0
    this.#made = 0
    this.#recall(frame, from)
    this.#periodLength = pitchPeriod(this.#history)
    this.#closePeriod()
  }

  #recall(frame: Uint8Array, from: number): void {
    const older = HISTORY - from
    const start = this.#past.length - older
    this.#peak = 0
    for (let i = 0; i < HISTORY; i++) {
      const sample = this.#decoded[i < older ? this.#past[start + i]! : frame[i - older]!]!
      this.#history[i] = sample
      if (Math.abs(sample) > this.#peak) this.#peak = Math.abs(sample)
    }
  }

  /** Copies the last period and bends its last quarter towards what came before its beginning, so that it can repeat. */
  #closePeriod(): void {
    const length = this.#periodLength
    const quarter = length >> 2
    const begin = HISTORY - length
    for (let i = 0; i < length; i++) {
      const bend = Math.max(0, i + 1 - (length - quarter)) / quarter
      this.#period[i] = (1 - bend) * this.#history[begin + i]! + bend * this.#history[begin + i - length]!
    }
    this.#step = this.#history[HISTORY - 1]! - this.#history[begin - 1]!
  }

  #next(): number {
    const n = this.#made++
    if (n >= SILENT_AFTER) return 0
    const level = n < FULL_LEVEL ? 1 : (SILENT_AFTER - n) / (SILENT_AFTER - FULL_LEVEL)
    const levelled = this.#period[n % this.#periodLength]! + this.#step * Math.max(0, 1 - n / STEP)
    return level * Math.max(-this.#peak, Math.min(this.#peak, levelled))
  }

  #encode(sample: number): number {
    return this.#encoded[Math.round(sample) & 0xffff]!
  }
}

/** The lag at which the end of the history is most like itself, by normalized correlation. */
function pitchPeriod(history: Float64Array): number {
  const begin = HISTORY - COMPARED
  let best = LONGEST_PERIOD
  let bestLikeness = 0
  for (let lag = SHORTEST_PERIOD; lag <= LONGEST_PERIOD; lag++) {
    let product = 0
    let energy = 0
    for (let i = begin; i < HISTORY; i++) {
      const earlier = history[i - lag]!
      product += history[i]! * earlier
      energy += earlier * earlier
    }
    const likeness = energy === 0 ? 0 : product / Math.sqrt(energy)
    if (likeness > bestLikeness) {
      best = lag
      bestLikeness = likeness
    }
  }
  return best
}
