import type { ReceivedFrame } from '../../src/caller/receiver.ts'
import type { Clock } from '../../src/clock.ts'
import { FRAME_MS, FRAME_SAMPLES, type Law } from '../../src/media/audio.ts'
import { RTP_HEADER_BYTES } from '../../src/media/rtp.ts'
import { type Mark, markedVoice, markOf } from './marks.ts'
import { isLoud } from './sounds.ts'
import { Stream, type StreamFigures } from './stream.ts'
import type { Caller } from './talker.ts'

/** How a caller talks. */
export interface Manner {
  /** Each utterance lasts as long as one of these. */
  readonly voiceMs: readonly number[]
  /** As long as the agent's replies are. */
  readonly replyMs: number
  /** From the beginning of a reply to the next utterance: less than the reply lasts is an interruption. */
  readonly waitMs: { readonly least: number; readonly most: number }
}

/** One utterance and the reply to it, on the clock of the caller. */
export interface CallerTurn {
  readonly mark: Mark
  readonly voiceMs: number
  /** When its last packet left. */
  sentMs: number
  /** When the first packet of the reply came. */
  heardMs: number
  /** When the last packet of the reply came that it has cut off. */
  cutMs: number | undefined
}

export interface TurnFigures extends StreamFigures {
  /** Those that had their reply. */
  readonly turns: readonly CallerTurn[]
  readonly callerLateMs: readonly number[]
  readonly unanswered: number
}

interface Dependencies {
  readonly clock: Clock
  readonly random: () => number
  readonly nextMark: () => Mark
}

interface Reply {
  frames: number
  lastMs: number
}

/** For a reply to begin. */
const LONGEST_ANSWER_MS = 4_000

/** One caller in a conversation: speaks, hears a reply, and speaks again, every so often before it is over. */
export class TurnTaker {
  readonly #with: Dependencies
  readonly #caller: Caller
  readonly #law: Law
  readonly #manner: Manner
  readonly #stream = new Stream()
  readonly #turns: CallerTurn[] = []
  readonly #lateBefore: number
  readonly #stopListening: readonly (() => void)[]
  /** Not answered yet. */
  #turn: CallerTurn | undefined
  #unsentMs = 0
  #reply: Reply | undefined
  #unanswered = 0
  #cancelNext = () => {}

  constructor(deps: Dependencies, caller: Caller, law: Law, manner: Manner) {
    this.#with = deps
    this.#caller = caller
    this.#law = law
    this.#manner = manner
    this.#lateBefore = caller.sendLateMs().length
    this.#stopListening = [caller.onSent(packet => this.#sent(packet)), caller.onFrame(frame => this.#received(frame))]
    this.#speakWithin(0, manner.waitMs.most)
  }

  finish(): TurnFigures {
    this.#cancelNext()
    for (const stop of this.#stopListening) stop()
    return {
      ...this.#stream.figures(),
      turns: this.#turns,
      callerLateMs: Array.from(this.#caller.sendLateMs()).slice(this.#lateBefore),
      unanswered: this.#unanswered,
    }
  }

  #speakWithin(least: number, most: number): void {
    const { clock, random } = this.#with
    this.#cancelNext = clock.after(least + (most - least) * random(), () => this.#speak())
  }

  #speak(): void {
    const { clock, random, nextMark } = this.#with
    const { voiceMs } = this.#manner
    if (this.#turn) this.#unanswered += 1
    const ms = voiceMs[Math.floor(voiceMs.length * random())]!
    this.#turn = { mark: nextMark(), voiceMs: ms, sentMs: Number.NaN, heardMs: Number.NaN, cutMs: undefined }
    this.#unsentMs = ms
    void this.#caller.play(markedVoice(this.#turn.mark, ms))
    this.#cancelNext = clock.after(ms + LONGEST_ANSWER_MS, () => this.#speak())
  }

  #sent(packet: Uint8Array): void {
    const turn = this.#turn
    if (!turn || markOf(this.#law, packet.subarray(RTP_HEADER_BYTES)) !== turn.mark) return
    turn.sentMs = this.#with.clock.now()
    this.#unsentMs -= FRAME_MS
  }

  #received(frame: ReceivedFrame): void {
    // The edges of a reply are soft, but not for as long as half a frame.
    const loud = frame.samples.subarray(FRAME_SAMPLES / 2, FRAME_SAMPLES / 2 + 8).some(isLoud)
    const begins = this.#stream.take(frame, loud)
    if (begins && this.#turn && this.#unsentMs === 0) this.#answered(this.#turn, frame.arrivedMs)
    if (!loud || !this.#reply) return
    this.#reply.frames += 1
    this.#reply.lastMs = frame.arrivedMs
  }

  #answered(turn: CallerTurn, heardMs: number): void {
    turn.heardMs = heardMs
    const before = this.#reply
    if (before && before.frames * FRAME_MS < this.#manner.replyMs) turn.cutMs = before.lastMs
    this.#turns.push(turn)
    this.#turn = undefined
    this.#reply = { frames: 0, lastMs: heardMs }
    this.#cancelNext()
    this.#speakWithin(this.#manner.waitMs.least, this.#manner.waitMs.most)
  }
}
