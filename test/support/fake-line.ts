import { type Clock, every } from '../../src/clock.ts'
import { type AudioSink, FRAME_MS, FRAME_SAMPLES, type Law, SILENCE } from '../../src/media/audio.ts'
import { converterTo } from '../../src/media/convert.ts'
import { decode, encode } from '../../src/media/g711.ts'
import { Playout } from '../../src/media/playout.ts'
import type { Heard, Line, LineEvent, LineFigures, SpokenChunk } from '../../src/plane/line.ts'

/**
 * A line in virtual time, with the real playout: a frame out and a frame in every 20 ms once it is connected, and a record
 * of every sample that the caller has heard.
 */
export class FakeLine implements Line {
  readonly law: Law
  readonly local = { address: '127.0.0.1', port: 40_000 }
  readonly #clock: Clock
  readonly #playout: Playout
  readonly #sinks = new Set<AudioSink>()
  readonly #listeners = new Set<(event: LineEvent) => void>()
  readonly #sent: Uint8Array[] = []
  readonly #incoming: { sound: Uint8Array; at: number }[] = []
  #stop = () => {}
  #framesIn = 0
  /** Chunks that were handed over before anybody could hear them. */
  spokenTooEarly = 0
  connected = false

  constructor(clock: Clock, law: Law = 'ulaw') {
    this.#clock = clock
    this.law = law
    this.#playout = new Playout(law, event => this.tell(event))
  }

  /** What is still attached to it. */
  get attached(): number {
    return this.#sinks.size + this.#listeners.size
  }

  get playedMs(): number {
    return this.#sent.length * FRAME_MS
  }

  /** All that was heard so far: for a call that is long. */
  forget(): void {
    this.#sent.length = 0
  }

  connect(): void {
    if (this.connected) return
    this.connected = true
    this.#stop = every(this.#clock, FRAME_MS, () => this.#tick())
  }

  /** The caller makes this sound, from the next frame on. */
  callerSays(samples: Int16Array): void {
    const sound = new Uint8Array(samples.length)
    encode(this.law, samples, sound)
    this.#incoming.push({ sound, at: 0 })
  }

  /** What the caller has heard. */
  heard(fromMs = 0, toMs = this.playedMs): Int16Array {
    const frames = this.#sent.slice(fromMs / FRAME_MS, toMs / FRAME_MS)
    const samples = new Int16Array(frames.length * FRAME_SAMPLES)
    frames.forEach((frame, i) => {
      decode(this.law, frame, samples.subarray(i * FRAME_SAMPLES, (i + 1) * FRAME_SAMPLES))
    })
    return samples
  }

  /** Frames with any sound in them. */
  get soundingFrames(): number[] {
    const silence = SILENCE[this.law]
    return this.#sent.flatMap((frame, i) => (frame.some(byte => byte !== silence) ? [i] : []))
  }

  tell(event: LineEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }

  speak(chunk: SpokenChunk): void {
    if (!this.connected) this.spokenTooEarly += 1
    this.#playout.write({ ...chunk, audio: chunk.audio.slice() })
  }

  pause(): void {
    this.#playout.pause()
  }

  resume(): void {
    this.#playout.resume()
  }

  async cancel(): Promise<Heard[]> {
    return this.#playout.cancel()
  }

  record(): boolean {
    return true
  }

  capture(): boolean {
    return true
  }

  recordNoMore(): void {}

  digitReleased(): void {}

  hear(sink: AudioSink): () => void {
    const converter = converterTo(sink, { encoding: this.law, rate: 8_000 })
    this.#sinks.add(converter)
    return () => this.#sinks.delete(converter)
  }

  tap(): () => void {
    return () => {}
  }

  onEvent(listener: (event: LineEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  figures(): Promise<LineFigures> {
    return Promise.reject(new Error('A fake line has no figures.'))
  }

  async close(): Promise<void> {
    this.#stop()
  }

  #tick(): void {
    this.#sent.push(this.#playout.next().audio.slice())
    const frame = this.#nextIncoming()
    const atMs = this.#framesIn * FRAME_MS
    this.#framesIn += 1
    for (const sink of [...this.#sinks]) sink.write(frame, atMs, 'heard')
  }

  #nextIncoming(): Uint8Array {
    const frame = new Uint8Array(FRAME_SAMPLES).fill(SILENCE[this.law])
    const incoming = this.#incoming[0]
    if (!incoming) return frame
    frame.set(incoming.sound.subarray(incoming.at, incoming.at + FRAME_SAMPLES))
    incoming.at += FRAME_SAMPLES
    if (incoming.at >= incoming.sound.length) this.#incoming.shift()
    return frame
  }
}
