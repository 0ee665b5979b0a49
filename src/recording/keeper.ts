import { dirname } from 'node:path'
import type { RecordingEnd } from '../call/kept-events.ts'
import type { Clock } from '../clock.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import { forEachStaged } from '../plane/stages.ts'
import { forEachPair, type ToRecorder } from '../plane/takes.ts'
import { Capture, type CaptureOrder } from './capture.ts'
import type { RecordingFiles } from './files.ts'
import { type RecordingOrder, Writer } from './writer.ts'

/** What the main thread is told of the takes that it has ordered. */
export type FromKeeper =
  | { readonly kind: 'ended'; readonly take: number; readonly seconds: number; readonly shedFrames: number }
  /** By itself: it takes nothing more, and is still to be ended. */
  | { readonly kind: 'stopped'; readonly take: number; readonly why: RecordingEnd }
  | { readonly kind: 'disk'; readonly state: DiskState; readonly freeBytes: number }

/** `full`: nothing is recorded; `low`: an operator should look. */
export type DiskState = 'ample' | 'low' | 'full'

export interface KeeperPorts {
  readonly clock: Clock
  readonly files: RecordingFiles
  readonly tell: (message: FromKeeper) => void
  /** So many bytes have been dealt with. */
  readonly took: (bytes: number) => void
}

interface Kept {
  readonly folder: string
  /** Nothing once it takes no more. */
  writer: Writer | Capture | undefined
  seconds: number
}

/** The recording thread without its thread: takes in, files out. */
export class Keeper {
  readonly #ports: KeeperPorts
  readonly #kept = new Map<number, Kept>()
  #disk: DiskState = 'ample'
  #lookedMs = Number.NEGATIVE_INFINITY

  constructor(ports: KeeperPorts) {
    this.#ports = ports
  }

  receive(message: ToRecorder): void {
    switch (message.kind) {
      case 'begin':
        return this.#begin(message)
      case 'pairs':
        return this.#pairs(message)
      case 'stages':
        return this.#stages(message)
      case 'end':
        return this.#end(message.take, message.places, message.shed)
    }
  }

  /** The media thread will tell no end of it. */
  abandon(take: number): void {
    this.#end(take, 0, 0)
  }

  /** Also while nothing is recorded: whoever looks after the gateway hears in time that there is no room, and that there is again. */
  look(folder: string): void {
    try {
      this.#look(folder)
    } catch {
      // A disk that does not answer is met by what is recorded next.
    }
  }

  #begin({ take, law, place, order }: Extract<ToRecorder, { kind: 'begin' }>): void {
    const ordered = order as RecordingOrder | CaptureOrder
    const isCapture = 'folder' in ordered
    const folder = dirname(isCapture ? ordered.folder : ordered.path)
    const kept: Kept = { folder, writer: undefined, seconds: 0 }
    this.#kept.set(take, kept)
    this.#attempt(take, kept, () => {
      if (this.#look(kept.folder) === 'full') return this.#stop(take, kept, 'diskFull')
      kept.writer = isCapture
        ? new Capture(this.#ports.files, law, ordered)
        : new Writer(this.#ports, law, ordered, place)
    })
  }

  #pairs({ batch }: Extract<ToRecorder, { kind: 'pairs' }>): void {
    const touched = new Set<number>()
    forEachPair(batch, (take, place, received, sent) => {
      const kept = this.#kept.get(take)
      if (!kept) return
      touched.add(take)
      this.#attempt(take, kept, () => {
        if (kept.writer instanceof Writer) kept.writer.pair(place, received, sent)
      })
    })
    this.#dealtWith(touched, batch.audio.length)
  }

  #stages({ batch }: Extract<ToRecorder, { kind: 'stages' }>): void {
    const touched = new Set<number>()
    forEachStaged(batch, staged => {
      const writer = this.#kept.get(staged.take)?.writer
      if (!(writer instanceof Capture)) return
      touched.add(staged.take)
      writer.put(staged)
    })
    this.#dealtWith(touched, batch.bytes.length)
  }

  #dealtWith(takes: ReadonlySet<number>, bytes: number): void {
    for (const take of takes) {
      const kept = this.#kept.get(take)
      if (!kept) continue
      this.#attempt(take, kept, () => {
        kept.writer?.flush()
        if (kept.writer?.isFull) this.#stop(take, kept, 'tooLong')
      })
    }
    this.#ports.took(bytes)
    this.#lookAgain()
  }

  #end(take: number, places: number, shedFrames: number): void {
    const kept = this.#kept.get(take)
    if (!kept) return
    this.#kept.delete(take)
    this.#close(kept, places)
    this.#ports.tell({ kind: 'ended', take, seconds: kept.seconds, shedFrames })
  }

  /** Whatever is wrong with one file must not cost the others theirs. */
  #attempt(take: number, kept: Kept, run: () => void): void {
    try {
      run()
    } catch (error) {
      const { code } = asError(error) as NodeJS.ErrnoException
      if (code === 'ENOSPC' || code === 'EDQUOT') this.#found('full', 0)
      this.#stop(take, kept, code === 'ENOSPC' || code === 'EDQUOT' ? 'diskFull' : 'mediaLost')
    }
  }

  #stop(take: number, kept: Kept, why: RecordingEnd): void {
    this.#close(kept, 0)
    this.#ports.tell({ kind: 'stopped', take, why })
  }

  #close(kept: Kept, places: number): void {
    const { writer } = kept
    kept.writer = undefined
    if (!writer) return
    try {
      writer.end(places)
    } catch {
      // What the disk has taken is there, and that is all that there is to be.
    }
    kept.seconds = writer.seconds
  }

  #lookAgain(): void {
    if (this.#ports.clock.now() - this.#lookedMs < limits.recording.diskLookMs) return
    for (const [take, kept] of this.#kept) {
      if (!kept.writer) continue
      this.#attempt(take, kept, () => {
        if (this.#look(kept.folder) === 'full') this.#stop(take, kept, 'diskFull')
      })
    }
  }

  #look(folder: string): DiskState {
    this.#lookedMs = this.#ports.clock.now()
    const freeBytes = this.#ports.files.freeBytes(folder)
    const { least, low } = limits.recording.diskBytes
    this.#found(freeBytes < least ? 'full' : freeBytes < low ? 'low' : 'ample', freeBytes)
    return this.#disk
  }

  #found(state: DiskState, freeBytes: number): void {
    if (state === this.#disk) return
    this.#disk = state
    this.#ports.tell({ kind: 'disk', state, freeBytes })
  }
}
