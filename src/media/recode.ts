import type { AudioFormat, AudioSink, Law } from './audio.ts'
import { converterTo } from './convert.ts'

/** Brings out what a filter still holds: longer than any. */
const FLUSH_MS = 10

/** One stream of audio, cut anywhere, on its way from the format it comes in to a law. */
export class Recoding implements AudioSink {
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
