import { FRAME_MS, FRAME_SAMPLES, type FrameKind, type Law, SILENCE } from './audio.ts'
import { Concealer } from './conceal.ts'
import type { ReceiveFigures } from './receive-figures.ts'
import { unwrapTimestamp } from './sequence.ts'

/** Gets every frame, 20 ms in the call's law, as soon as it is whole. It is lent: copy it to keep it. */
export type FrameListener = (frame: Uint8Array, mediaTimeMs: number, kind: FrameKind) => void

const SAMPLES_PER_MS = FRAME_SAMPLES / FRAME_MS
/** So long after the last packet the far end is taken to send nothing. */
export const STOPPED_MS = 60
/** Where packets have come later than that, it is awaited so much longer; half of it is forgotten in half a minute. */
const LONGEST_STOPPED_MS = 200
const PATIENCE_KEPT = 0.9995
/** Silence is supplied once media time is so far behind; what then comes on time is not cut. */
const SUPPLY_BEHIND = 40 * SAMPLES_PER_MS
/** Timestamps ahead of real time by more, or behind what was supplied meanwhile by more, are not believed. */
const LEAD = 100 * SAMPLES_PER_MS
const LAG = 100 * SAMPLES_PER_MS
/** As LAG, while nothing had to be supplied: packets that waited behind a gap, or that our own thread read late. */
const UNBROKEN_LAG = 250 * SAMPLES_PER_MS
/** So long one packet after the other may be later than that before it is the timestamps that are wrong. */
const DOUBT_MS = 30
/** Where timestamps begin anew in mid-speech, so small a difference is jitter: no gap is made of it. */
const SNAP = 20 * SAMPLES_PER_MS
/** A step of time longer than this was no call time: the machine slept. */
const LONGEST_STEP_MS = 2_000
/** How far the far clock may carry media time away from ours: some at once, the rest as fast as bad quartz drifts. */
const FLOOR_RANGE_MS = 100
const FLOOR_RANGE_PPM = 500
/** The floor of the delay follows a packet that comes earlier by a sixteenth, one that comes later within seconds. */
const FLOOR_FALL = 1 / 16
const FLOOR_RISE_MS = 5_000

/**
 * Puts audio, which comes in the order of sequence numbers, at the time its timestamp stands for, and cuts the result
 * into frames of 20 ms.
 *
 * **Samples out equal time passed.** The n-th frame has the media time n * 20 ms. Timestamps are believed as long as
 * they agree with real time to a tenth of a second or so; where they do not (a restarted sender, a clock that stood
 * still while the caller was muted, nonsense) audio goes where real time is. So media time follows the far clock, as
 * long as that is a clock, and never leaves ours.
 */
export class Timeline {
  readonly #silence: number
  readonly #figures: ReceiveFigures
  readonly #onFrame: FrameListener
  readonly #concealer: Concealer
  readonly #frame = new Uint8Array(FRAME_SAMPLES)
  #filled = 0
  #frames = 0
  #kind: FrameKind = 'missing'

  /** Timestamp minus position, modulo 2^32; NaN before the first packet. */
  #offset = Number.NaN
  /** The position behind the last packet, and its length. */
  #end = 0
  #packetSamples = FRAME_SAMPLES
  /** Since when packets have been too late to be believed; NaN when they are not. */
  #doubtedMs = Number.NaN

  #nowMs = 0
  /** Since the first packet. */
  #elapsedMs = 0
  #placedMs = 0
  #patienceMs = 0
  /** What elapsed time is ahead of media time by, when a packet arrives as fast as packets do. */
  #floorMs = 0
  /** What packets are mostly later by. */
  #usualMs = 0

  constructor(law: Law, figures: ReceiveFigures, onFrame: FrameListener) {
    this.#silence = SILENCE[law]
    this.#figures = figures
    this.#onFrame = onFrame
    this.#concealer = new Concealer(law)
  }

  /** The audio from `start` up to `end`, before which `lost` packets are known to be missing. */
  place(timestamp: number, lost: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    if (Number.isNaN(this.#offset)) this.#begin(timestamp, nowMs)
    this.#advance(nowMs)
    const position = this.#locate(timestamp)
    const gap = position - this.#cursor
    if (gap > 0) {
      const concealed = Math.min(gap, lost * this.#packetSamples)
      this.#conceal(concealed)
      this.#supply(gap - concealed)
    }
    this.#packetSamples = end - start
    this.#end = position + this.#packetSamples
    // What time has been filled for already is not played a second time.
    const from = start + Math.max(0, -gap)
    if (from < end) this.#hear(bytes, from, end)
    else this.#figures.counts.late++
    this.#learnPatience(gap)
    if (Number.isNaN(this.#doubtedMs)) this.#observe(position)
    this.#placedMs = this.#elapsedMs
  }

  /** Supplies silence when packets have stopped; to be called every 20 ms, and not while any are held back. */
  tick(nowMs: number): void {
    if (Number.isNaN(this.#offset)) return
    this.#advance(nowMs)
    if (this.#elapsedMs - this.#placedMs < Math.max(STOPPED_MS, this.#patienceMs)) return
    while (this.#due - this.#cursor >= SUPPLY_BEHIND) this.#supply(FRAME_SAMPLES)
  }

  /** Silence was supplied in a packet's place: the far end had not stopped, and next time is given as long. */
  #learnPatience(gap: number): void {
    this.#patienceMs *= PATIENCE_KEPT
    const awaitedMs = this.#elapsedMs - this.#placedMs + FRAME_MS
    if (gap < 0 && awaitedMs <= LONGEST_STOPPED_MS) this.#patienceMs = Math.max(this.#patienceMs, awaitedMs)
  }

  /** The position that comes next: samples given out or waiting in a frame begun. */
  get #cursor(): number {
    return this.#frames * FRAME_SAMPLES + this.#filled
  }

  /** The position of a packet that arrived now and as fast as packets do. */
  get #due(): number {
    return (this.#elapsedMs - this.#floorMs) * SAMPLES_PER_MS
  }

  #begin(timestamp: number, nowMs: number): void {
    this.#offset = timestamp
    this.#nowMs = nowMs
  }

  #advance(nowMs: number): void {
    const stepMs = nowMs - this.#nowMs
    this.#elapsedMs += Math.min(stepMs, LONGEST_STEP_MS)
    this.#nowMs = nowMs
  }

  #locate(timestamp: number): number {
    const position = unwrapTimestamp(timestamp - this.#offset, this.#cursor)
    const ahead = position - this.#due
    if (ahead <= LEAD && ahead >= (position < this.#cursor ? -LAG : -UNBROKEN_LAG)) {
      this.#doubtedMs = Number.NaN
      return position
    }
    if (ahead < 0 && position === this.#end && this.#isDoubtNew()) return position
    this.#figures.delaysRestarted()
    this.#doubtedMs = Number.NaN
    const located = this.#now()
    this.#offset = (timestamp - located) >>> 0
    return located
  }

  /**
   * A network that stood still and a far clock that did look alike at first: the next packet is late by all that time.
   * But of a network the others follow at once, less and less late.
   */
  #isDoubtNew(): boolean {
    if (Number.isNaN(this.#doubtedMs)) this.#doubtedMs = this.#elapsedMs
    return this.#elapsedMs - this.#doubtedMs < DOUBT_MS
  }

  /** Where a packet belongs whose timestamp tells nothing: it is as late as most. */
  #now(): number {
    const now = this.#due - this.#usualMs * SAMPLES_PER_MS
    if (Math.abs(now - this.#cursor) <= SNAP) return this.#cursor
    // Within a frame, the end of this packet and of each that follows would wait for the next one.
    return FRAME_SAMPLES * Math.round(now / FRAME_SAMPLES)
  }

  #observe(position: number): void {
    const delayMs = this.#elapsedMs - position / SAMPLES_PER_MS
    this.#figures.delayed(this.#elapsedMs, delayMs)
    this.#usualMs += (delayMs - this.#floorMs - this.#usualMs) / 16
    const rise = Math.min(1, (this.#elapsedMs - this.#placedMs) / FLOOR_RISE_MS)
    const floorMs = this.#floorMs + (delayMs - this.#floorMs) * (delayMs < this.#floorMs ? FLOOR_FALL : rise)
    const range = FLOOR_RANGE_MS + (this.#elapsedMs * FLOOR_RANGE_PPM) / 1e6
    this.#floorMs = Math.max(-range, Math.min(range, floorMs))
  }

  #hear(bytes: Uint8Array, from: number, end: number): void {
    const frame = this.#frame
    while (from < end) {
      const filled = this.#filled
      const count = Math.min(end - from, FRAME_SAMPLES - filled)
      // Not `set(subarray())`, which allocates a view for each packet.
      for (let i = 0; i < count; i++) frame[filled + i] = bytes[from + i]!
      this.#concealer.rejoin(frame, filled, filled + count)
      from += count
      this.#took(count, 'heard')
    }
  }

  #conceal(samples: number): void {
    while (samples > 0) {
      const count = Math.min(samples, FRAME_SAMPLES - this.#filled)
      this.#concealer.conceal(this.#frame, this.#filled, this.#filled + count)
      samples -= count
      this.#took(count, 'concealed')
    }
  }

  #supply(samples: number): void {
    if (samples > 0) this.#concealer.rest()
    while (samples > 0) {
      const count = Math.min(samples, FRAME_SAMPLES - this.#filled)
      this.#frame.fill(this.#silence, this.#filled, this.#filled + count)
      samples -= count
      this.#took(count, 'missing')
    }
  }

  /** A frame in which anything was heard counts as heard, one in which anything was concealed at least as that. */
  #took(count: number, kind: FrameKind): void {
    if (kind === 'heard' || this.#kind === 'missing') this.#kind = kind
    this.#filled += count
    if (this.#filled < FRAME_SAMPLES) return
    if (this.#kind === 'concealed') this.#figures.counts.concealedFrames++
    if (this.#kind === 'missing') this.#figures.counts.missingFrames++
    this.#concealer.sent(this.#frame)
    const mediaTimeMs = this.#frames * FRAME_MS
    const finished = this.#kind
    this.#frames++
    this.#filled = 0
    this.#kind = 'missing'
    this.#onFrame(this.#frame, mediaTimeMs, finished)
  }
}
