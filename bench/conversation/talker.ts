import type { Call } from '../../src/caller/call.ts'
import type { ReceivedFrame } from '../../src/caller/receiver.ts'
import type { Clock } from '../../src/clock.ts'
import type { Law } from '../../src/media/audio.ts'
import { RTP_HEADER_BYTES } from '../../src/media/rtp.ts'
import { beginsLoud, click, isLoud } from './sounds.ts'
import { Stream, type StreamFigures } from './stream.ts'

export interface TalkFigures extends StreamFigures {
  /** From a click leaving the caller to the first packet of the reply. */
  readonly pathMs: readonly number[]
  /** How long after its deadline each of the caller's own packets left. */
  readonly callerLateMs: readonly number[]
  readonly unanswered: number
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
  readonly #stream = new Stream()
  readonly #lateBefore: number
  readonly #stopListening: readonly (() => void)[]
  #unanswered = 0
  #clickedMs: number | undefined
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
      ...this.#stream.figures(),
      pathMs: this.#pathMs,
      callerLateMs: Array.from(this.#caller.sendLateMs()).slice(this.#lateBefore),
      unanswered: this.#unanswered,
    }
  }

  #sent(packet: Uint8Array): void {
    if (beginsLoud(this.#law, packet.subarray(RTP_HEADER_BYTES))) this.#clickedMs = this.#clock.now()
  }

  #received(frame: ReceivedFrame): void {
    const begins = this.#stream.take(frame, isLoud(frame.samples[0]))
    if (!begins || this.#clickedMs === undefined) return
    this.#pathMs.push(frame.arrivedMs - this.#clickedMs)
    this.#clickedMs = undefined
  }
}
