import { limits } from '../../limits.ts'
import type { AudioFormat, AudioSink } from '../../media/audio.ts'
import type { Connection } from './connection.ts'

/** What the caller says, on its way to the session; what is said while there is none waits for the next. */
export class Ears implements AudioSink {
  readonly format: AudioFormat
  #connection: Connection | undefined
  /** Media time of the first sample that this session has heard. */
  #baseMs: number | undefined
  #nowMs = 0
  #held: { readonly audio: string; readonly atMs: number }[] = []

  constructor(format: AudioFormat) {
    this.format = format
  }

  /** Of the last frame that came. */
  get nowMs(): number {
    return this.#nowMs
  }

  attach(connection: Connection): void {
    this.#connection = connection
    this.#baseMs = undefined
    for (const { audio, atMs } of this.#held.splice(0)) this.#send(connection, audio, atMs)
  }

  detach(): void {
    this.#connection = undefined
  }

  /** Sessions count from the first sample they have heard. */
  mediaTimeMs(sessionMs: number): number {
    return (this.#baseMs ?? 0) + sessionMs
  }

  write(frame: Uint8Array | Int16Array, mediaTimeMs: number): void {
    const audio = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength).toString('base64')
    this.#nowMs = mediaTimeMs
    if (this.#connection) return this.#send(this.#connection, audio, mediaTimeMs)
    this.#held.push({ audio, atMs: mediaTimeMs })
    if (this.#held.length > limits.openai.heldFrames) this.#held.shift()
  }

  #send(connection: Connection, audio: string, atMs: number): void {
    this.#baseMs ??= atMs
    connection.sendAudio(audio)
  }
}
