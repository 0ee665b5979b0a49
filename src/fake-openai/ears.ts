import { type Clock, pause } from '../clock.ts'
import { type AudioFormat, type AudioSink, FRAME_MS } from '../media/audio.ts'
import { converterTo } from '../media/convert.ts'
import { VoiceActivity } from '../media/voice-activity.ts'
import { scriptedRecognizer } from '../providers/scripted/recognizer.ts'

export interface EarsListener {
  /** Times in milliseconds of the audio that was sent. */
  started(atMs: number): void
  /** And what was said, once it is known. */
  stopped(atMs: number, text: string): void
}

/** What a session hears with. */
export interface Hearing {
  hear(audio: Uint8Array): void
}

export type OpenEars = (
  format: AudioFormat,
  silenceMs: number,
  clock: Clock,
  listener: EarsListener,
  signal: AbortSignal,
) => Hearing

export const openEars: OpenEars = (format, silenceMs, clock, listener, signal) =>
  new Ears(format, silenceMs, clock, listener, signal)

/** For the last words of a segment to be understood. */
const UNDERSTANDING_MS = 20

/** Hears where a voice begins and ends in what a client sends, and what it says. */
class Ears implements Hearing {
  readonly #format: AudioFormat
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #listener: EarsListener
  readonly #sinks: readonly AudioSink[]
  readonly #ear
  readonly #bytesPerMs: number
  #bytes = 0
  #rest: Uint8Array = new Uint8Array(0)
  #words: string[] = []

  constructor(format: AudioFormat, silenceMs: number, clock: Clock, listener: EarsListener, signal: AbortSignal) {
    this.#format = format
    this.#clock = clock
    this.#signal = signal
    this.#listener = listener
    this.#bytesPerMs = format.encoding === 'pcm16' ? (2 * format.rate) / 1_000 : 8
    this.#ear = scriptedRecognizer({ clock, latencyMs: 0 }).open({ encoding: 'pcm16', rate: 8_000 }, signal)
    const activity = new VoiceActivity(({ kind, atMs }) => {
      if (kind === 'voiceStarted') this.#listener.started(atMs)
      else void this.#stopped(atMs)
    }, silenceMs)
    this.#sinks = [activity, this.#ear].map(sink => converterTo(sink, format))
    void this.#listen()
  }

  hear(audio: Uint8Array): void {
    const bytes = Buffer.concat([this.#rest, audio])
    const frameBytes = FRAME_MS * this.#bytesPerMs
    let at = 0
    for (; at + frameBytes <= bytes.length; at += frameBytes) {
      const frame = Uint8Array.from(bytes.subarray(at, at + frameBytes))
      const samples = this.#format.encoding === 'pcm16' ? new Int16Array(frame.buffer) : frame
      for (const sink of this.#sinks) sink.write(samples, this.#bytes / this.#bytesPerMs, 'heard')
      this.#bytes += frameBytes
    }
    this.#rest = bytes.subarray(at)
  }

  async #stopped(atMs: number): Promise<void> {
    this.#ear.finish()
    await pause(this.#clock, UNDERSTANDING_MS, this.#signal).catch(() => {})
    if (this.#signal.aborted) return
    const text = this.#words.join(' ')
    this.#words = []
    this.#listener.stopped(atMs, text)
  }

  async #listen(): Promise<void> {
    for await (const { kind, text } of this.#ear.results) if (kind === 'final') this.#words.push(text)
  }
}
