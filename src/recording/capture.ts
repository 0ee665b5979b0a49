import { join } from 'node:path'
import type { Law } from '../media/audio.ts'
import type { Staged } from '../plane/stages.ts'
import { type AuNote, auHeader } from './au.ts'
import type { RecordingFiles } from './files.ts'
import { type DumpSource, rtpdumpHeader, rtpdumpPacket } from './rtpdump.ts'

/** The files of a capture: packets, sound, and what each frame of it is. */
export const captureFiles = {
  received: 'received.rtpdump',
  decoded: 'decoded.au',
  frames: 'frames.csv',
  sent: 'sent.rtpdump',
} as const

export type CaptureFile = keyof typeof captureFiles

/** One line's, as the main thread has ordered it. */
export interface CaptureOrder {
  readonly folder: string
  readonly note: AuNote
  readonly source: DumpSource
  readonly mostMs: number
  readonly mostBytes: number
}

/** On the disk so far, and what is to follow it. */
interface Written {
  readonly file: number
  bytes: number
  waiting: Uint8Array[]
}

/** Each stage of a line while a call goes on, in files that are whole at every moment. */
export class Capture {
  readonly #files: RecordingFiles
  readonly #order: CaptureOrder
  readonly #written = new Map<CaptureFile, Written>()
  #bytes = 0
  #lastMs = 0

  /** Throws what the disk throws. */
  constructor(files: RecordingFiles, law: Law, order: CaptureOrder) {
    this.#files = files
    this.#order = order
    const { note, source, folder } = order
    const dump = rtpdumpHeader(source, note.beganAtMs)
    const beginnings: Readonly<Record<CaptureFile, Uint8Array>> = {
      received: dump,
      decoded: auHeader({ law, channels: 1 }, note),
      frames: Buffer.from('atMs,mediaTimeMs,kind\n'),
      sent: dump,
    }
    try {
      for (const name of Object.keys(captureFiles) as CaptureFile[]) {
        const file = files.open(join(folder, captureFiles[name]))
        const bytes = files.bytes(file)
        this.#written.set(name, { file, bytes, waiting: [] })
        this.#bytes += bytes
        // Of a recording thread that died it goes on.
        if (bytes === 0) this.#add(name, beginnings[name])
      }
      this.flush()
    } catch (error) {
      this.#close()
      throw error
    }
  }

  get isFull(): boolean {
    const { mostMs, mostBytes } = this.#order
    return this.#lastMs >= mostMs || this.#bytes >= mostBytes
  }

  get seconds(): number {
    return this.#lastMs / 1_000
  }

  put({ stage, atMs, mediaTimeMs, kind, bytes }: Staged): void {
    if (this.isFull) return
    this.#lastMs = Math.min(atMs, this.#order.mostMs)
    if (stage === 'decoded') {
      this.#add('decoded', bytes.slice())
      this.#add('frames', Buffer.from(`${atMs.toFixed(1)},${mediaTimeMs},${kind}\n`))
    } else this.#add(stage, rtpdumpPacket(bytes, atMs))
  }

  /** To the system: what a power cut takes of it nobody misses. */
  flush(): void {
    for (const written of this.#written.values()) {
      if (written.waiting.length === 0) continue
      const bytes = Buffer.concat(written.waiting)
      written.waiting = []
      this.#files.write(written.file, bytes, written.bytes)
      written.bytes += bytes.length
    }
  }

  end(): void {
    try {
      this.flush()
    } finally {
      this.#close()
    }
  }

  #add(name: CaptureFile, bytes: Uint8Array): void {
    this.#written.get(name)?.waiting.push(bytes)
    this.#bytes += bytes.length
  }

  #close(): void {
    for (const { file } of this.#written.values()) this.#files.close(file)
    this.#written.clear()
  }
}
