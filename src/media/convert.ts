import type { AudioFormat, AudioSink, FrameKind, Law } from './audio.ts'
import { decode, encode } from './g711.ts'
import { Resampler } from './resample.ts'

const LINEAR = { encoding: 'pcm16', rate: 8000 } as const

/** A sink for audio of the format `from`, which hands it on to `sink` in that one's own; the sink itself if they agree. */
export function converterTo(sink: AudioSink, from: AudioFormat): AudioSink {
  const to = sink.format
  if (to.encoding === from.encoding && to.rate === from.rate) return sink
  if (to.encoding !== 'pcm16') return converterTo(new Encoder(to.encoding, sink), from)
  if (from.encoding !== 'pcm16') return new Decoder(from.encoding, converterTo(sink, LINEAR))
  return new RateChanger(from.rate, sink)
}

class Decoder implements AudioSink {
  readonly format: AudioFormat
  readonly #law: Law
  readonly #next: AudioSink
  #samples = new Int16Array(0)

  constructor(law: Law, next: AudioSink) {
    this.format = { encoding: law, rate: 8000 }
    this.#law = law
    this.#next = next
  }

  write(frame: Uint8Array, mediaTimeMs: number, kind: FrameKind): void {
    if (this.#samples.length !== frame.length) this.#samples = new Int16Array(frame.length)
    decode(this.#law, frame, this.#samples)
    this.#next.write(this.#samples, mediaTimeMs, kind)
  }
}

class Encoder implements AudioSink {
  readonly format = LINEAR
  readonly #law: Law
  readonly #next: AudioSink
  #bytes = new Uint8Array(0)

  constructor(law: Law, next: AudioSink) {
    this.#law = law
    this.#next = next
  }

  write(frame: Int16Array, mediaTimeMs: number, kind: FrameKind): void {
    if (this.#bytes.length !== frame.length) this.#bytes = new Uint8Array(frame.length)
    encode(this.#law, frame, this.#bytes)
    this.#next.write(this.#bytes, mediaTimeMs, kind)
  }
}

class RateChanger implements AudioSink {
  readonly format: AudioFormat
  readonly #resampler: Resampler
  readonly #next: AudioSink

  constructor(rate: number, next: AudioSink) {
    this.format = { encoding: 'pcm16', rate }
    this.#resampler = new Resampler(rate, next.format.rate)
    this.#next = next
  }

  /** What comes out is a little older than the frame that brought it out, so its media time is earlier. */
  write(frame: Int16Array, mediaTimeMs: number, kind: FrameKind): void {
    const output = this.#resampler.process(frame)
    if (output.length > 0) this.#next.write(output, mediaTimeMs - this.#resampler.delayMs, kind)
  }
}
