import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { AudioFormat, AudioSink, Law } from '../media/audio.ts'
import { converterTo } from '../media/convert.ts'
import { Pace } from './captions.ts'
import { guarded } from './iterate.ts'
import type { Speaker } from './ports.ts'

export interface Voiced {
  readonly audio: Uint8Array
  /** The words that this audio says. */
  readonly text: string
}

const BYTES_PER_MS = 8
/** Brings out what a filter still holds: longer than any. */
const FLUSH_MS = 10

/** A speaker in the law of one line. */
export class Voice {
  readonly #speaker: Speaker
  readonly law: Law
  readonly #clock: Clock
  readonly #stepMs: number
  readonly #pace = new Pace()

  constructor(speaker: Speaker, law: Law, clock: Clock, stepMs: number) {
    this.#speaker = speaker
    this.law = law
    this.#clock = clock
    this.#stepMs = stepMs
  }

  async *speak(text: string, signal: AbortSignal): AsyncGenerator<Voiced, void, undefined> {
    const late = () => new GatewayError('ENGINE_FAILED', `The speaker gave nothing for ${this.#stepMs} ms.`)
    const pieces = guarded(this.#speaker.speak(text, signal), signal, { clock: this.#clock, ms: this.#stepMs, late })
    const captions = this.#pace.captions(text)
    const recoding = new Recoding(this.#speaker.format, this.law)
    let ms = 0
    for await (const piece of pieces) {
      const audio = recoding.process(piece)
      if (audio.length === 0) continue
      ms += audio.length / BYTES_PER_MS
      yield { audio, text: captions.during(audio.length / BYTES_PER_MS) }
    }
    this.#pace.learn(text, ms)
    yield { audio: recoding.flush(), text: captions.rest() }
  }
}

/** One stream of audio on its way from a speaker's format to a law. */
class Recoding implements AudioSink {
  readonly format: AudioFormat
  readonly #from: AudioFormat
  readonly #input: AudioSink
  #parts: Uint8Array[] = []
  #half = new Uint8Array(0)

  constructor(from: AudioFormat, law: Law) {
    this.format = { encoding: law, rate: 8_000 }
    this.#from = from
    this.#input = converterTo(this, from)
  }

  process(piece: Uint8Array): Uint8Array {
    this.#input.write(this.#from.encoding === 'pcm16' ? this.#samplesOf(piece) : piece, 0, 'heard')
    return this.#take()
  }

  /** What a filter still holds. */
  flush(): Uint8Array {
    const { encoding, rate } = this.#from
    if (encoding === 'pcm16' && rate !== 8_000) this.#input.write(new Int16Array((rate * FLUSH_MS) / 1_000), 0, 'heard')
    return this.#take()
  }

  /** The output of the converters. */
  write(frame: Uint8Array): void {
    this.#parts.push(frame.slice())
  }

  /** Pieces are cut anywhere, also within a sample: the half of one waits for its other half. */
  #samplesOf(piece: Uint8Array): Int16Array {
    const bytes = concatenated([this.#half, piece])
    const whole = bytes.length & ~1
    this.#half = bytes.slice(whole)
    return new Int16Array(bytes.buffer, 0, whole / 2)
  }

  #take(): Uint8Array {
    const parts = this.#parts
    this.#parts = []
    return parts.length === 1 ? parts[0]! : concatenated(parts)
  }
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
