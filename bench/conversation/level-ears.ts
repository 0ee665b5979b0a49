import type { EarsListener, Hearing } from '../../src/fake-openai/ears.ts'
import { FRAME_MS, FRAME_SAMPLES, type Law } from '../../src/media/audio.ts'
import { type Mark, markOf } from './marks.ts'

/** Hears marked voices and nothing else, for next to nothing: its words for one are `mark 17`. */
export class LevelEars implements Hearing {
  readonly #law: Law
  readonly #silenceMs: number
  readonly #listener: EarsListener
  readonly #onMark: (mark: Mark) => void
  #heardMs = 0
  #voiceEndMs = 0
  /** Of the voice that is on. */
  #mark: Mark | undefined

  constructor(law: Law, silenceMs: number, listener: EarsListener, onMark: (mark: Mark) => void) {
    this.#law = law
    this.#silenceMs = silenceMs
    this.#listener = listener
    this.#onMark = onMark
  }

  hear(audio: Uint8Array): void {
    for (let at = 0; at < audio.length; at += FRAME_SAMPLES) this.#frame(audio.subarray(at, at + FRAME_SAMPLES))
  }

  #frame(frame: Uint8Array): void {
    const startMs = this.#heardMs
    this.#heardMs += FRAME_MS
    const mark = markOf(this.#law, frame)
    if (mark === undefined) return this.#silence()
    this.#onMark(mark)
    this.#voiceEndMs = this.#heardMs
    const begins = this.#mark === undefined
    this.#mark = mark
    if (begins) this.#listener.started(startMs)
  }

  #silence(): void {
    if (this.#mark === undefined || this.#heardMs - this.#voiceEndMs < this.#silenceMs) return
    const words = `mark ${this.#mark}`
    this.#mark = undefined
    this.#listener.stopped(this.#voiceEndMs, words)
  }
}
