import type { Call } from '../../src/caller/call.ts'
import type { ReceivedFrame } from '../../src/caller/receiver.ts'
import type { Clock } from '../../src/clock.ts'
import { FRAME_SAMPLES, type Law } from '../../src/media/audio.ts'
import { RTP_HEADER_BYTES } from '../../src/media/rtp.ts'
import { timestampDistance } from '../../src/media/sequence.ts'
import { beginsLoud, click, isLoud } from './sounds.ts'

export interface TalkFigures {
  /** From a click leaving the caller to the first packet of the reply. */
  readonly pathMs: readonly number[]
  /** Between two packets of one reply, as they arrived. */
  readonly spacingMs: readonly number[]
  /** How long after its deadline each of the caller's own packets left. */
  readonly callerLateMs: readonly number[]
  readonly packets: number
  /** Frames that never came, silence included. */
  readonly missing: number
  readonly unanswered: number
}

interface Frame {
  readonly arrivedMs: number
  readonly timestamp: number
  readonly loud: boolean
}

/** Of a call, what a talker needs. */
export type Caller = Pick<Call, 'play' | 'onSent' | 'onFrame'> & {
  /** Of all packets so far. */
  sendLateMs(): ArrayLike<number>
}

/** One caller: clicks now and then, and measures what comes back. */
export class Talker {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #caller: Caller
  readonly #law: Law
  readonly #pathMs: number[] = []
  readonly #spacingMs: number[] = []
  readonly #lateBefore: number
  readonly #stopListening: readonly (() => void)[]
  #packets = 0
  #missing = 0
  #unanswered = 0
  #clickedMs: number | undefined
  #last: Frame | undefined
  #cancelClick = () => {}

  constructor(deps: { clock: Clock; random: () => number }, caller: Caller, law: Law) {
    this.#clock = deps.clock
    this.#random = deps.random
    this.#caller = caller
    this.#law = law
    this.#lateBefore = caller.sendLateMs().length
    this.#stopListening = [caller.onSent(packet => this.#sent(packet)), caller.onFrame(frame => this.#received(frame))]
  }

  /** Clicks every so often, by up to a fifth more or less, so that callers keep no step with one another. */
  click(everyMs: number): void {
    const again = () => {
      if (this.#clickedMs !== undefined) this.#unanswered += 1
      this.#clickedMs = undefined
      void this.#caller.play(click)
      this.#cancelClick = this.#clock.after(everyMs * (0.8 + 0.4 * this.#random()), again)
    }
    this.#cancelClick = this.#clock.after(everyMs * this.#random(), again)
  }

  stopClicking(): void {
    this.#cancelClick()
  }

  finish(): TalkFigures {
    for (const stop of this.#stopListening) stop()
    if (this.#clickedMs !== undefined) this.#unanswered += 1
    return {
      pathMs: this.#pathMs,
      spacingMs: this.#spacingMs,
      callerLateMs: Array.from(this.#caller.sendLateMs()).slice(this.#lateBefore),
      packets: this.#packets,
      missing: this.#missing,
      unanswered: this.#unanswered,
    }
  }

  #sent(packet: Uint8Array): void {
    if (beginsLoud(this.#law, packet.subarray(RTP_HEADER_BYTES))) this.#clickedMs = this.#clock.now()
  }

  #received({ arrivedMs, timestamp, samples }: ReceivedFrame): void {
    const loud = isLoud(samples[0])
    const last = this.#last
    this.#last = { arrivedMs, timestamp, loud }
    this.#packets += 1
    if (!last) return
    this.#missing += Math.max(0, timestampDistance(timestamp, last.timestamp) / FRAME_SAMPLES - 1)
    if (!loud) return
    if (last.loud) this.#spacingMs.push(arrivedMs - last.arrivedMs)
    else if (this.#clickedMs !== undefined) {
      this.#pathMs.push(arrivedMs - this.#clickedMs)
      this.#clickedMs = undefined
    }
  }
}
