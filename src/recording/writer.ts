import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { FRAME_MS, FRAME_SAMPLES, type Law } from '../media/audio.ts'
import {
  AU_HEADER_BYTES,
  type AuFile,
  type AuNote,
  auHeader,
  auMs,
  readAuHeader,
  silentBytes,
  wholeBytes,
} from './au.ts'
import type { RecordingFiles } from './files.ts'

/** What is to become of a take, as the main thread has ordered it. */
export interface RecordingOrder {
  readonly path: string
  readonly note: AuNote
  readonly sides: 'both' | 'caller'
  readonly mostMs: number
}

/** Silence is written in pieces of so much. */
const PIECE_MS = 10_000
/** Interleaved, and not on the disk yet: what comes in one batch is mostly ten pairs. */
const ROOM_PAIRS = 16

/** One file while a call goes on: begun, or gone on with, and whole at every moment. */
export class Writer {
  readonly #with: { readonly files: RecordingFiles; readonly clock: Clock }
  readonly #file: number
  readonly #form: Pick<AuFile, 'law' | 'channels' | 'dataAt'>
  readonly #mostMs: number
  readonly #room: Uint8Array
  #inRoom = 0
  /** Of the file, without what is in the room. */
  #bytes: number
  /** The next place, in the counting of whoever hands over the pairs. */
  #place: number
  #syncedMs: number
  /** What was there before went on. */
  readonly again: boolean

  /** Throws what the disk throws. */
  constructor(
    dependencies: { readonly files: RecordingFiles; readonly clock: Clock },
    law: Law,
    { path, note, sides, mostMs }: RecordingOrder,
    place: number,
  ) {
    this.#with = dependencies
    const { files, clock } = dependencies
    this.#mostMs = mostMs
    this.#place = place
    this.#syncedMs = clock.now()
    this.#form = { law, channels: sides === 'both' ? 2 : 1, dataAt: AU_HEADER_BYTES }
    this.#room = new Uint8Array(ROOM_PAIRS * this.#pairBytes)
    this.#file = files.open(path)
    try {
      const before = this.#before(note)
      this.again = before !== undefined
      if (before) this.#bytes = this.#bridge(before)
      else {
        files.cut(this.#file, 0)
        files.write(this.#file, auHeader(this.#form, note), 0)
        this.#bytes = AU_HEADER_BYTES
      }
      files.sync(this.#file)
    } catch (error) {
      files.close(this.#file)
      throw error
    }
  }

  /** As long as it may be. */
  get isFull(): boolean {
    return auMs(this.#form, this.#bytes + this.#inRoom) >= this.#mostMs
  }

  get seconds(): number {
    return auMs(this.#form, this.#bytes + this.#inRoom) / 1_000
  }

  /** What was left out before it is silence. */
  pair(place: number, received: Uint8Array, sent: Uint8Array): void {
    if (place < this.#place || this.isFull) return
    this.#pass(place)
    if (this.#inRoom === this.#room.length) this.flush()
    const room = this.#room
    if (this.#form.channels === 1) room.set(received, this.#inRoom)
    else {
      for (let i = 0; i < FRAME_SAMPLES; i++) {
        room[this.#inRoom + 2 * i] = received[i]!
        room[this.#inRoom + 2 * i + 1] = sent[i]!
      }
    }
    this.#inRoom += this.#pairBytes
    this.#place = place + 1
  }

  /** To the system; to the disk itself when it is time. */
  flush(): void {
    const { files, clock } = this.#with
    if (this.#inRoom > 0) {
      files.write(this.#file, this.#room.subarray(0, this.#inRoom), this.#bytes)
      this.#bytes += this.#inRoom
      this.#inRoom = 0
    }
    if (clock.now() - this.#syncedMs < limits.recording.syncMs) return
    files.sync(this.#file)
    this.#syncedMs = clock.now()
  }

  /** Up to this place; what the disk does not take any more is left out. */
  end(places: number): void {
    const { files } = this.#with
    try {
      if (!this.isFull) this.#pass(places)
      this.flush()
      files.sync(this.#file)
    } finally {
      this.#inRoom = 0
      files.close(this.#file)
    }
  }

  get #pairBytes(): number {
    return FRAME_SAMPLES * this.#form.channels
  }

  #pass(place: number): void {
    if (place <= this.#place) return
    this.flush()
    this.#silence((place - this.#place) * FRAME_MS)
    this.#place = place
  }

  #silence(ms: number): void {
    const piece = silentBytes(this.#form, Math.min(ms, PIECE_MS))
    for (let left = Math.min(ms, limits.recording.bridgedMs); left > 0; left -= PIECE_MS) {
      const bytes = left < PIECE_MS ? silentBytes(this.#form, left) : piece
      this.#with.files.write(this.#file, bytes, this.#bytes)
      this.#bytes += bytes.length
    }
  }

  /** Nothing where there is nothing that could go on: a header that a power cut has left in pieces has no sound behind it. */
  #before(note: AuNote): AuFile | undefined {
    const header = new Uint8Array(AU_HEADER_BYTES)
    const read = this.#with.files.read(this.#file, header)
    const before = readAuHeader(header.subarray(0, read))
    const goesOn = before?.note?.id === note.id && before.law === this.#form.law
    return goesOn && before.channels === this.#form.channels ? before : undefined
  }

  /** From the end of what is there up to now. */
  #bridge(before: AuFile): number {
    const { files, clock } = this.#with
    const bytes = wholeBytes(before, files.bytes(this.#file))
    files.cut(this.#file, bytes)
    this.#bytes = bytes
    const missingMs = clock.wallMs() - (before.note?.beganAtMs ?? 0) - auMs(before, bytes)
    if (missingMs > 0) this.#silence(FRAME_MS * Math.round(missingMs / FRAME_MS))
    return this.#bytes
  }
}
