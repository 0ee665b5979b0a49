import { limits } from '../limits.ts'
import { FRAME_MS, FRAME_SAMPLES, type FrameKind, type Law, SILENCE } from './audio.ts'
import { DECODED } from './g711.ts'

/** Both are lent. The first pair has place 0, and whatever lies between two places passed without a pair. */
export type PairListener = (received: Uint8Array, sent: Uint8Array, place: number) => void

/** Received, and not paired yet: what is due, a lead that the timeline allows, and a network that stood still. */
const ROWS = 64
/** Places between a frame that is sent and its pair: what is received late has come by then. */
const BEHIND = limits.recording.alignMs / FRAME_MS
/** After a longer stall time goes on without pairs. */
const LONGEST_SKIP = 50
/** Frames between two looks at the shortest delay: a spell of congestion is shorter than two of them. */
const WINDOW = 125
/** In frames: further off, the other frame is taken where nothing is heard, or after a second. */
const SLIP = 0.7
const LONGEST_OWED = 50
/** In frames: that is no drift. */
const LEAP = 5
/** Of 16 bits: nobody misses a frame of this. */
const QUIET = 500

/**
 * Both sides of a call on one clock, ours: beside each frame that is sent, the one that was received at the same time.
 *
 * Received frames have the time of the caller's clock, and come late now and then. **The shortest delay of the last seconds
 * tells how the two clocks stand**, for queues only ever add to it; where that has moved by a frame, one is left out or
 * repeated.
 */
export class Pairing {
  readonly #law: Law
  readonly #onPair: PairListener
  readonly #silence: Uint8Array
  readonly #received = rows(ROWS)
  /** Which frame of the caller's stands in each row. */
  readonly #ordinals = new Int32Array(ROWS).fill(-1)
  readonly #sent = rows(BEHIND + 1)
  /** Of the window before, and of this one: arrival less media time. */
  #shortestBeforeMs = Number.POSITIVE_INFINITY
  #shortestMs = Number.POSITIVE_INFINITY
  #inWindow = 0
  /** Our time at place 0. */
  #originMs = Number.NaN
  #nextPlace = 0
  #nextPair = 0
  /** A place's frame of the caller is that many further on; NaN before there is any. */
  #ahead = Number.NaN
  /** Pairs since they were found to be apart. */
  #owed = 0

  constructor(law: Law, onPair: PairListener) {
    this.#law = law
    this.#onPair = onPair
    this.#silence = new Uint8Array(FRAME_SAMPLES).fill(SILENCE[law])
  }

  received(frame: Uint8Array, mediaTimeMs: number, kind: FrameKind, nowMs: number): void {
    const ordinal = mediaTimeMs / FRAME_MS
    this.#received[ordinal % ROWS]!.set(frame)
    this.#ordinals[ordinal % ROWS] = ordinal
    // What was made up came when it was given up, and tells nothing of the way.
    if (kind === 'heard') this.#delayed(nowMs - mediaTimeMs)
  }

  /** A frame is sent, whose time by our clock is `dueMs`; before it so many were left out. */
  tick(sent: Uint8Array, dueMs: number, skipped: number): void {
    if (Number.isNaN(this.#originMs)) this.#originMs = dueMs
    else if (skipped > LONGEST_SKIP) {
      this.end()
      this.#nextPlace += skipped
      this.#nextPair = this.#nextPlace
    } else for (let left = skipped; left > 0; left--) this.#put(this.#silence)
    this.#put(sent)
  }

  /** All that is still to be paired is, with what there is. */
  end(): void {
    while (this.#nextPair < this.#nextPlace) this.#pair()
  }

  #delayed(delayMs: number): void {
    this.#shortestMs = Math.min(this.#shortestMs, delayMs)
    this.#inWindow += 1
    if (this.#inWindow < WINDOW) return
    this.#shortestBeforeMs = this.#shortestMs
    this.#shortestMs = delayMs
    this.#inWindow = 0
  }

  #put(sent: Uint8Array): void {
    this.#sent[this.#nextPlace % this.#sent.length]!.set(sent)
    this.#nextPlace += 1
    if (this.#nextPlace - this.#nextPair > BEHIND) this.#pair()
  }

  #pair(): void {
    const place = this.#nextPair
    this.#align(place)
    this.#nextPair += 1
    this.#onPair(this.#frameAt(place + this.#ahead) ?? this.#silence, this.#sent[place % this.#sent.length]!, place)
  }

  /** Which of the caller's frames belongs to this place. */
  #align(place: number): void {
    const delayMs = Math.min(this.#shortestMs, this.#shortestBeforeMs)
    if (delayMs === Number.POSITIVE_INFINITY) return
    const wanted = (this.#originMs - delayMs) / FRAME_MS
    const off = wanted - this.#ahead
    if (Math.abs(off) <= SLIP) {
      this.#owed = 0
      return
    }
    if (Number.isNaN(off) || Math.abs(off) > LEAP) this.#ahead = Math.round(wanted)
    else if (this.#owed >= LONGEST_OWED || this.#isQuiet(place + this.#ahead - (off < 0 ? 1 : 0))) {
      this.#ahead += Math.sign(off)
      this.#owed = 0
    } else this.#owed += 1
  }

  #frameAt(ordinal: number): Uint8Array | undefined {
    if (!(ordinal >= 0)) return undefined
    return this.#ordinals[ordinal % ROWS] === ordinal ? this.#received[ordinal % ROWS] : undefined
  }

  #isQuiet(ordinal: number): boolean {
    const decoded = DECODED[this.#law]
    return this.#frameAt(ordinal)?.every(code => Math.abs(decoded[code]!) < QUIET) ?? true
  }
}

function rows(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, () => new Uint8Array(FRAME_SAMPLES))
}
