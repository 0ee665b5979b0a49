import type { Clock } from '../clock.ts'
import type { Law } from '../media/audio.ts'
import { EDGE_MS, Ring, type RingingTone } from '../media/ringing.ts'
import type { Speech, Utterance } from './speech.ts'

/** Handed over ahead of what is heard: a thread that is busy for less leaves no hole in it, and it ends so soon. */
const LEAD_MS = 300
const PIECE_MS = 100

/**
 * The ringing that a caller hears while somebody else is called: made here, and no part of the conversation. Between two
 * rings nothing waits to be heard, so that whatever is said next is heard at once.
 */
export class Ringback {
  readonly #speech: Speech
  readonly #clock: Clock
  readonly #law: Law
  readonly #tone: RingingTone
  /** What is heard of it now, and what ends that. */
  #ringing: { readonly ring: Ring; readonly utterance: Utterance } | undefined
  #cancelNext: (() => void) | undefined

  constructor(speech: Speech, clock: Clock, law: Law, tone: RingingTone) {
    this.#speech = speech
    this.#clock = clock
    this.#law = law
    this.#tone = tone
  }

  start(): void {
    if (!this.#cancelNext) this.#ring(0)
  }

  /** What follows is heard right behind it. */
  stop(): void {
    this.#cancelNext?.()
    this.#cancelNext = undefined
    this.#endRing()
  }

  /** The one at this place of the cadence, and all that follow. */
  #ring(place: number): void {
    const ring = new Ring(this.#law, this.#tone)
    const utterance = this.#speech.utterance('ringing')
    this.#ringing = { ring, utterance }
    const { cadenceMs } = this.#tone
    const soundMs = cadenceMs[place]! - EDGE_MS
    const beganMs = this.#clock.now()
    let handedOverMs = 0
    const feed = () => {
      const ms = Math.min(soundMs, Math.floor(this.#clock.now() - beganMs) + LEAD_MS) - handedOverMs
      utterance.write(ring.next(ms), '')
      handedOverMs += ms
      if (handedOverMs < soundMs) {
        this.#cancelNext = this.#clock.after(PIECE_MS, feed)
        return
      }
      this.#endRing()
      const nextMs = beganMs + cadenceMs[place]! + cadenceMs[place + 1]!
      const next = () => this.#ring((place + 2) % cadenceMs.length)
      this.#cancelNext = this.#clock.after(nextMs - this.#clock.now(), next)
    }
    feed()
  }

  #endRing(): void {
    if (!this.#ringing) return
    const { ring, utterance } = this.#ringing
    utterance.write(ring.end(), '')
    utterance.end()
    this.#ringing = undefined
  }
}
