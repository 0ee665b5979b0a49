import { limits } from '../../limits.ts'
import type { AudioFormat, AudioSink } from '../../media/audio.ts'
import type { Connection } from './connection.ts'

interface Frame {
  readonly audio: string
  readonly atMs: number
}

/**
 * What the caller says, on its way to the session; what is said while there is none waits for the next. Of what was sent, so
 * much is kept that the next session hears the whole of what the caller was saying when this one ended.
 */
export class Ears implements AudioSink {
  readonly format: AudioFormat
  #connection: Connection | undefined
  /** Media time of the first sample that this session has heard. */
  #baseMs: number | undefined
  #nowMs = 0
  #kept: Frame[] = []
  #most: number = limits.openai.keptFrames

  constructor(format: AudioFormat) {
    this.format = format
  }

  /** Of the last frame that came. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** `all`: it is not known yet what is being said. Otherwise only what a voice may begin with. */
  keep(all: boolean): void {
    this.#most = all ? limits.openai.heldFrames : limits.openai.keptFrames
  }

  /** Up to then it is known. */
  forget(untilMs: number): void {
    this.#kept = this.#kept.filter(({ atMs }) => atMs >= untilMs)
  }

  attach(connection: Connection): void {
    this.#connection = connection
    this.#baseMs = undefined
    for (const frame of this.#kept) this.#send(connection, frame)
    this.keep(false)
  }

  detach(): void {
    this.#connection = undefined
    this.keep(true)
  }

  /** Sessions count from the first sample they have heard. */
  mediaTimeMs(sessionMs: number): number {
    return (this.#baseMs ?? 0) + sessionMs
  }

  write(samples: Uint8Array | Int16Array, atMs: number): void {
    const frame = {
      audio: Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength).toString('base64'),
      atMs,
    }
    this.#nowMs = atMs
    this.#kept.push(frame)
    while (this.#kept.length > this.#most) this.#kept.shift()
    if (this.#connection) this.#send(this.#connection, frame)
  }

  #send(connection: Connection, { audio, atMs }: Frame): void {
    this.#baseMs ??= atMs
    connection.sendAudio(audio)
  }
}
