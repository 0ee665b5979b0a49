import type { Ear, Hearing, Recognizer } from '../../agent/ports.ts'
import { Queue } from '../../agent/queue.ts'
import type { Clock } from '../../clock.ts'
import { FRAME_MS, FRAME_SAMPLES, type FrameKind } from '../../media/audio.ts'
import { Marker } from './marker.ts'

export interface RecognizerOptions {
  readonly clock: Clock
  /** From a sound to the words for it. */
  readonly latencyMs: number
}

/** -42 dBFS: quieter is silence. */
const AUDIBLE_POWER = 0.5 * (32_768 * 10 ** (-42 / 20)) ** 2
/** A shorter sound is no word; the first guess is made after as much. */
const WORD_MS = 300
const END_MS = 300

/** Takes every sound of 300 ms for a word and tells the tone that was mixed into it: `tone 1300`, or else `speech`. */
export function scriptedRecognizer(options: RecognizerOptions): Recognizer {
  return { open: (_format, signal) => new ScriptedEar(options, signal) }
}

class ScriptedEar implements Ear {
  readonly format = { encoding: 'pcm16', rate: 8_000 } as const
  readonly results = new Queue<Hearing>()
  readonly #options: RecognizerOptions
  readonly #signal: AbortSignal
  readonly #marker = new Marker()
  readonly #timers = new Set<() => void>()
  #inWord = false
  #startMs = 0
  #endMs = 0
  #heardMs = 0
  #silentMs = 0
  #guessed = false

  constructor(options: RecognizerOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
    const close = () => {
      for (const cancel of this.#timers) cancel()
      this.results.end()
    }
    if (signal.aborted) close()
    signal.addEventListener('abort', close, { once: true })
  }

  write(frame: Int16Array, mediaTimeMs: number, kind: FrameKind): void {
    const audible = powerOf(frame) >= AUDIBLE_POWER
    if (!this.#inWord && !audible) return
    if (!this.#inWord) this.#begin(mediaTimeMs)
    if (audible) {
      // What was made up has the right sound at the wrong time.
      if (kind === 'heard') this.#marker.hear(frame)
      this.#heardMs += FRAME_MS
      this.#silentMs = 0
      this.#endMs = mediaTimeMs + FRAME_MS
    } else {
      this.#silentMs += FRAME_MS
    }
    if (!this.#guessed && this.#heardMs >= WORD_MS) {
      this.#guessed = true
      this.#tell('partial')
    }
    if (this.#silentMs >= END_MS) this.finish()
  }

  finish(): void {
    if (this.#inWord && this.#guessed) this.#tell('final')
    this.#inWord = false
  }

  #begin(atMs: number): void {
    this.#inWord = true
    this.#guessed = false
    this.#startMs = atMs
    this.#heardMs = 0
    this.#silentMs = 0
    this.#marker.reset()
  }

  #tell(kind: Hearing['kind']): void {
    const hz = this.#marker.find()
    const text = hz === undefined ? 'speech' : `tone ${hz}`
    const hearing = { kind, text, startMs: this.#startMs, endMs: this.#endMs }
    if (this.#signal.aborted) return
    const cancel = this.#options.clock.after(this.#options.latencyMs, () => {
      this.#timers.delete(cancel)
      this.results.push(hearing)
    })
    this.#timers.add(cancel)
  }
}

function powerOf(frame: Int16Array): number {
  let energy = 0
  for (let i = 0; i < FRAME_SAMPLES; i++) energy += frame[i]! * frame[i]!
  return energy / FRAME_SAMPLES
}
