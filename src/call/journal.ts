import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Clock } from '../clock.ts'
import { asError, GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { Backlog } from './backlog.ts'
import type { CallEvent } from './events.ts'
import { identityOf, keepOnly, linesFrom, syncDirectory, TAKEN, takenIn } from './journal-files.ts'
import {
  isEarlier,
  JOURNAL_START,
  type JournalPiece,
  type JournalPosition,
  readPiece,
  segmentPath,
  segmentsOf,
} from './journal-reader.ts'

/**
 * The first witness of everything that happens to a call: an append-only file of one JSON line an event, on the disk
 * before anything outward is told. It is cut into segments so that it can be bounded: at the bound the oldest goes, without a
 * word when the store has taken it; long before one goes that it has not, an operator is told. A disk that is full or gone
 * stops no call; events wait in memory, up to their bound, until it takes them again.
 */
export interface Journal {
  /** Tells it from any other; made with it. */
  readonly id: string
  append(event: CallEvent): void
  /** Settles when everything appended so far is on the disk; rejects when the journal is closed before that can be. */
  flushed(): Promise<void>
  /** What is on the disk from a place on, some of it at a time; nothing, and the same place, when there is no more. */
  read(from: JournalPosition): Promise<JournalPiece>
  /** The store has everything before it. */
  taken(upTo: JournalPosition): void
  /** Tells each time that more is on the disk. */
  onWritten(listener: () => void): () => void
  /**
   * What was written until now goes from the disk, but for calls that are not over: the next life asks for those. False when
   * the store has not taken all of it yet: then nothing has gone.
   */
  dropTaken(parts: Dropping): Promise<boolean>
  readonly figures: {
    readonly written: number
    readonly shed: number
    readonly queued: number
    readonly failing: boolean
    /** What the store has not taken yet, of the bytes that there is room for, and for how long at most. */
    readonly waitingBytes: number
    readonly waitingShare: number
    readonly waitingMs: number
  }
  close(): Promise<void>
}

interface Dropping {
  /** Settles when the store has all that was written, in a way that needs no journal to mend it. */
  readonly settled: () => Promise<void>
  readonly notOver: () => Promise<{ has(call: string): boolean }>
}

export interface JournalOptions {
  readonly directory: string
  readonly clock: Clock
  /** Something an operator must know, in words. */
  readonly trouble: (text: string) => void
  readonly totalBytes?: number
}

const SEGMENTS = 8
const RETRY_MS = 1_000
const NEWLINE = 0x0a

export async function openJournal(options: JournalOptions): Promise<Journal> {
  try {
    await mkdir(options.directory, { recursive: true, mode: 0o700 })
    const { directory } = options
    const journal = new FileJournal(options, await identityOf(directory), await takenIn(directory))
    await journal.begin()
    return journal
  } catch (error) {
    throw new GatewayError(
      'STATE_UNWRITABLE',
      `The journal in ${options.directory} cannot be written (${asError(error).message}). Make STATE_DIR a folder that this user may write to, with free space.`,
      { cause: error },
    )
  }
}

class FileJournal implements Journal {
  readonly id: string
  readonly #options: JournalOptions
  readonly #segmentBytes: number
  readonly #backlog: Backlog
  #segments: number[] = []
  #file: FileHandle | undefined
  /** Of the open segment; what stands behind it is the rest of a write that failed. */
  #goodBytes = 0
  #torn = false
  #queue: string[] = []
  #waiting: PromiseWithResolvers<void>[] = []
  #writing: Promise<void> | undefined
  #cancelRetry: (() => void) | undefined
  /** Of the last attempt to write: told once, however often it is tried. */
  #failure: string | undefined
  #closed = false
  /** Where it ended when it was opened, then what the store has taken in this life: a later place was given out here, or by another journal. */
  #reached = JOURNAL_START
  readonly #given = new Set<string>()
  readonly #listeners = new Set<() => void>()
  #written = 0
  #shed = 0
  /** Alarms that have been raised about what waits for the store. */
  #alarms = 0

  constructor(options: JournalOptions, id: string, taken: JournalPosition) {
    this.id = id
    this.#options = options
    const totalBytes = options.totalBytes ?? limits.journal.fileBytes
    this.#segmentBytes = Math.floor(totalBytes / SEGMENTS)
    this.#backlog = new Backlog(totalBytes, taken)
  }

  get figures() {
    const failing = this.#cancelRetry !== undefined
    const { bytes: waitingBytes, share: waitingShare } = this.#backlog
    const waitingMs = this.#backlog.waitingMs(this.#options.clock.now())
    return {
      written: this.#written,
      shed: this.#shed,
      queued: this.#queue.length,
      failing,
      waitingBytes,
      waitingShare,
      waitingMs,
    }
  }

  /** Everything before it is on the disk. */
  get #end(): JournalPosition {
    return { segment: this.#segments.at(-1)!, byte: this.#goodBytes }
  }

  async read(from: JournalPosition): Promise<JournalPiece> {
    const end = this.#end
    this.#backlog.looked(end, this.#options.clock.now())
    const isForeign = isEarlier(this.#reached, from) && !this.#given.has(nameOf(from))
    if (isForeign) {
      this.#options.trouble(
        'The database has read more of this journal than there is: STATE_DIR is older than the database, such as from a backup. What happens from now on is told.',
      )
    }
    const piece = await readPiece(this.#options.directory, isForeign ? this.#reached : from, end)
    this.#given.add(nameOf(piece.next))
    return piece
  }

  taken(upTo: JournalPosition): void {
    this.#reached = upTo
    this.#given.clear()
    this.#backlog.took(upTo)
    if (this.#backlog.share < limits.journal.alarms[0] / 2) this.#alarms = 0
  }

  onWritten(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async dropTaken({ settled, notOver }: Dropping): Promise<boolean> {
    await settled()
    // What nobody has taken is never brought nearer to the bound.
    if (this.#isWaitedFor(this.#segments.at(-1)!)) return false
    if (this.#goodBytes > 0) await this.#alone(() => this.#nextSegment())
    const open = this.#segments.at(-1)!
    await settled()
    const old = this.#segments.filter(segment => segment < open)
    const last = old.at(-1)
    if (last === undefined) return true
    if (this.#isWaitedFor(open)) return false
    const calls = await notOver()
    await this.#alone(async () => {
      // Meanwhile the oldest may have been shed.
      const there = old.filter(segment => this.#segments.includes(segment))
      if (there.at(-1) !== last) return
      const bytes = await keepOnly(this.#options.directory, there, calls)
      this.#segments = this.#segments.filter(segment => segment >= last)
      for (const segment of there) this.#backlog.dropped(segment)
      this.#backlog.wrote({ segment: last, byte: bytes }, this.#options.clock.now())
      await this.#keepTaken()
    })
    return true
  }

  /** The store has not come to it. */
  #isWaitedFor(segment: number): boolean {
    return this.#segments[0] !== segment && isEarlier(this.#backlog.taken, { segment, byte: 0 })
  }

  /** Nothing is written meanwhile. */
  async #alone(work: () => Promise<void>): Promise<void> {
    while (this.#writing) await this.#writing
    if (this.#closed) throw unwritten()
    const done = work()
    const settled = () => {
      this.#writing = undefined
      if (this.#queue.length === 0) this.#settleWaiting()
      else if (!this.#cancelRetry) this.#write()
    }
    this.#writing = done.then(settled, settled)
    return done
  }

  async begin(): Promise<void> {
    const { directory, clock } = this.#options
    this.#segments = await segmentsOf(directory)
    const last = this.#segments.at(-1)
    if (last === undefined) {
      await this.#nextSegment()
      this.#reached = this.#end
      return
    }
    for (const segment of this.#segments) {
      const { size } = await stat(segmentPath(directory, segment))
      this.#backlog.wrote({ segment, byte: size }, clock.now())
    }
    const path = segmentPath(this.#options.directory, last)
    this.#goodBytes = (await readFile(path)).lastIndexOf(NEWLINE) + 1
    this.#file = await open(path, constants.O_WRONLY)
    await this.#file.truncate(this.#goodBytes)
    this.#backlog.wrote(this.#end, clock.now())
    this.#reached = this.#end
  }

  append(event: CallEvent): void {
    if (this.#closed || this.#queue.length >= limits.journal.queuedEvents) {
      if (this.#shed++ === 0)
        this.#options.trouble('The journal cannot keep up: events are being lost. Check the disk of STATE_DIR.')
      return
    }
    this.#queue.push(`${JSON.stringify(event)}\n`)
    if (!this.#cancelRetry) this.#write()
  }

  flushed(): Promise<void> {
    if (this.#queue.length === 0 && !this.#writing) return Promise.resolve()
    if (this.#closed && !this.#writing) return Promise.reject(unwritten())
    const waiting = Promise.withResolvers<void>()
    this.#waiting.push(waiting)
    return waiting.promise
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    if (this.#queue.length > 0) this.#write()
    while (this.#writing) await this.#writing
    if (this.#queue.length > 0)
      this.#options.trouble(`${this.#queue.length} events could not be written before the end.`)
    await this.#file?.close()
    this.#file = undefined
    await this.#keepTaken()
    this.#settleWaiting()
  }

  #write(): void {
    this.#writing ??= this.#writeQueue()
  }

  async #writeQueue(): Promise<void> {
    // Lets the events of one turn of the loop share one write and one fsync.
    await null
    const failure = await this.#writeAll()
    this.#writing = undefined
    if (failure) return this.#retryLater(failure)
    this.#failure = undefined
    this.#settleWaiting()
  }

  async #writeAll(): Promise<Error | undefined> {
    while (this.#queue.length > 0) {
      const count = this.#queue.length
      try {
        await this.#writeBytes(Buffer.from(this.#queue.slice(0, count).join('')))
      } catch (error) {
        return asError(error)
      }
      this.#queue.splice(0, count)
      this.#written += count
      this.#backlog.wrote(this.#end, this.#options.clock.now())
      this.#alarm()
      for (const listener of this.#listeners) listener()
    }
    return undefined
  }

  async #writeBytes(bytes: Buffer): Promise<void> {
    if (this.#goodBytes > 0 && this.#goodBytes + bytes.length > this.#segmentBytes) await this.#nextSegment()
    const file = this.#file
    if (!file) throw new Error('no segment is open')
    if (this.#torn) await file.truncate(this.#goodBytes)
    this.#torn = true
    let done = 0
    while (done < bytes.length) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, this.#goodBytes + done)
      done += bytesWritten
    }
    await file.datasync()
    this.#torn = false
    this.#goodBytes += bytes.length
  }

  async #nextSegment(): Promise<void> {
    const segment = (this.#segments.at(-1) ?? 0) + 1
    const file = await open(segmentPath(this.#options.directory, segment), 'wx', 0o600)
    await this.#file?.close()
    this.#file = file
    this.#goodBytes = 0
    this.#segments.push(segment)
    while (this.#segments.length > SEGMENTS) await this.#shedOldest()
    await syncDirectory(this.#options.directory)
    await this.#keepTaken()
  }

  async #shedOldest(): Promise<void> {
    const segment = this.#segments[0]!
    const oldest = segmentPath(this.#options.directory, segment)
    const { taken } = this.#backlog
    const lost = this.#backlog.bytesIn(segment) > 0
    const events = lost ? await linesFrom(oldest, taken.segment === segment ? taken.byte : 0) : 0
    await unlink(oldest)
    this.#segments.shift()
    this.#backlog.dropped(segment)
    if (!lost) return
    this.#shed += events
    this.#options.trouble(
      `The journal has reached its bound: its oldest segment, ${basename(oldest)}, was dropped, and with it ${events} events that the database has not taken.`,
    )
  }

  /** Each once, until most of it is taken. */
  #alarm(): void {
    const { share } = this.#backlog
    const alarms = limits.journal.alarms.filter(alarm => share >= alarm).length
    if (alarms <= this.#alarms) return
    this.#alarms = alarms
    this.#options.trouble(
      `What the database has not taken fills ${Math.floor(share * 100)} % of the journal: at its bound the oldest events are lost. See that the database is there and has room.`,
    )
  }

  /** For the next start: roughly, for the store knows it to the byte. */
  async #keepTaken(): Promise<void> {
    const path = join(this.#options.directory, TAKEN)
    const { taken } = this.#backlog
    await writeFile(`${path}.new`, JSON.stringify(taken), { mode: 0o600 })
      .then(() => rename(`${path}.new`, path))
      .catch(() => {})
  }

  #retryLater(error: Error): void {
    if (this.#closed) return
    if (error.message !== this.#failure) {
      this.#options.trouble(
        `The journal cannot be written (${error.message}): calls go on, their events wait in memory. Free space on the disk of STATE_DIR, or make it writable.`,
      )
    }
    this.#failure = error.message
    this.#cancelRetry = this.#options.clock.after(RETRY_MS, () => {
      this.#cancelRetry = undefined
      this.#write()
    })
  }

  #settleWaiting(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { resolve, reject } of waiting) this.#queue.length === 0 ? resolve() : reject(unwritten())
  }
}

function unwritten(): GatewayError {
  return new GatewayError('STATE_UNWRITABLE', 'The journal was closed with events that are not on the disk.')
}

function nameOf({ segment, byte }: JournalPosition): string {
  return `${segment}:${byte}`
}
