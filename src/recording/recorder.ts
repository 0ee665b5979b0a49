import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { RecordingEnd } from '../call/kept-events.ts'
import type {
  EndedRecording,
  KeptCapture,
  KeptRecording,
  Line,
  Recorder,
  WantedCapture,
  WantedRecording,
} from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import type { RecorderWay } from '../plane/takes.ts'
import { auMs, readAu } from './au.ts'
import { type CaptureOrder, captureFiles } from './capture.ts'
import type { DiskState, FromKeeper } from './keeper.ts'
import type { RecordingOrder } from './writer.ts'

/** The way to a keeper: another thread, or the same one. */
export interface KeeperLink {
  /** A new one each time: for a media thread that comes after another. */
  way(): RecorderWay
  /** At the room on its disk. */
  look(folder: string): void
  abandon(take: number): void
  end(): Promise<void>
}

export type ConnectKeeper = (receive: (message: FromKeeper) => void, died: (why: string) => void) => KeeperLink

export interface RecordersDependencies {
  readonly clock: Clock
  readonly plane: { recordTo(way: () => RecorderWay): void }
  readonly connectKeeper: ConnectKeeper
  readonly folders: Readonly<Record<WantedRecording['sides'] | 'captures', string>>
  /** In words, for the log. */
  readonly trouble: (text: string) => void
}

interface Take {
  readonly isCapture: boolean
  /** The file that tells how long it is. */
  readonly path: string
  readonly line: Line
  readonly ended: Promise<EndedRecording>
  readonly settle: (ended: EndedRecording) => void
  readonly release: () => void
  why: RecordingEnd | undefined
  seconds: number
  shedFrames: number
}

/** Of which call. */
interface Whose {
  readonly call: string
  readonly business: string
}

/** So many times in a minute a recording thread is started again. */
const MOST_DEATHS = 3
const DEATHS_WITHIN_MS = 60_000
/** For what is on its way to the disk when the program ends. */
const LAST_MS = 5_000

/** The recording thread as the main thread holds it. One that dies is started again, and recordings go on in their files. */
export class Recorders {
  readonly #with: RecordersDependencies
  readonly #takes = new Map<number, Take>()
  #link: KeeperLink | undefined
  #lastTake = 0
  #deaths: number[] = []
  #disk: DiskState = 'ample'
  #closed = false

  constructor(dependencies: RecordersDependencies) {
    this.#with = dependencies
    this.#connect()
  }

  get disk(): DiskState {
    return this.#disk
  }

  /** To be called from time to time: while nothing is recorded nobody else does. */
  look(): void {
    this.#link?.look(dirname(this.#with.folders.both))
  }

  get recording(): number {
    return this.#takes.size - this.#capturing
  }

  get #capturing(): number {
    return this.#takes.values().reduce((count, { isCapture }) => count + Number(isCapture), 0)
  }

  /** For one call. */
  of(call: string, business: string): Recorder {
    return {
      begin: (line, wanted) => this.#begin(line, { call, business }, wanted),
      capture: (line, wanted) => this.#capture(line, { call, business }, wanted),
    }
  }

  /** All that was heard is in its file, or the time for that is over. */
  async close(): Promise<void> {
    this.#closed = true
    const open = [...this.#takes].map(([number, { ended }]) => {
      this.#end(number, 'cut')
      return ended
    })
    const late = Promise.withResolvers<void>()
    const cancel = this.#with.clock.after(LAST_MS, late.resolve)
    await Promise.race([Promise.all(open), late.promise])
    cancel()
    await this.#link?.end()
    this.#link = undefined
  }

  #begin(line: Line, of: Whose, wanted: WantedRecording): KeptRecording {
    const { id, sides, beganAtMs, mostMs, by } = wanted
    const path = join(this.#with.folders[sides], `${id}.au`)
    const again = existsSync(path)
    const order: RecordingOrder = { path, note: { id, ...of, beganAtMs, ...(by && { by }) }, sides, mostMs }
    // A message is left where an agent was: of a line one thing is recorded at a time.
    for (const before of this.#takes.values()) if (before.line === line && !before.isCapture) before.why ??= 'callEnded'
    const kept = this.#take({ line, path, isCapture: false }, take => line.record(take, order))
    return { again, ...kept }
  }

  #capture(line: Line, of: Whose, { id, beganAtMs, seconds }: WantedCapture): KeptCapture | undefined {
    const { atOnce, bytes: mostBytes } = limits.recording.capture
    if (this.#capturing >= atOnce) return undefined
    const folder = join(this.#with.folders.captures, id)
    const note = { id, ...of, beganAtMs }
    const order: CaptureOrder = { folder, note, source: line.local, mostMs: seconds * 1_000, mostBytes }
    const path = join(folder, captureFiles.decoded)
    return this.#take({ line, path, isCapture: true }, take => line.capture(take, order))
  }

  #take(of: Pick<Take, 'line' | 'path' | 'isCapture'>, begin: (take: number) => boolean): KeptCapture {
    const { promise: ended, resolve: settle } = Promise.withResolvers<EndedRecording>()
    if (!this.#link) {
      settle({ why: 'mediaLost', seconds: 0, shedFrames: 0 })
      return { ended, end: () => ended }
    }
    const number = ++this.#lastTake
    const release = of.line.onEvent(event => {
      if (event.kind === 'failed') this.#lost(number)
    })
    const take: Take = { ...of, ended, settle, release, why: undefined, seconds: 0, shedFrames: 0 }
    this.#takes.set(number, take)
    if (!begin(number)) void this.#endUnkept(number, take)
    const end = (why: RecordingEnd) => {
      this.#end(number, why)
      return ended
    }
    return { ended, end }
  }

  /** The media thread tells the recording thread when that was the last of it. */
  #end(number: number, why: RecordingEnd): void {
    const take = this.#takes.get(number)
    if (!take) return
    take.why ??= why
    take.line.recordNoMore(number)
  }

  /** Of a line that has failed nothing more comes. */
  #lost(number: number): void {
    const take = this.#takes.get(number)
    if (!take) return
    take.why ??= 'mediaLost'
    take.line.recordNoMore(number)
    this.#link?.abandon(number)
  }

  #connect(): void {
    const link = this.#with.connectKeeper(
      message => this.#receive(message),
      why => {
        if (this.#link === link) this.#died(why)
      },
    )
    this.#link = link
    this.#with.plane.recordTo(() => link.way())
  }

  #died(why: string): void {
    this.#link = undefined
    if (this.#closed) return
    const nowMs = this.#with.clock.now()
    this.#deaths = [...this.#deaths.filter(ms => nowMs - ms < DEATHS_WITHIN_MS), nowMs]
    if (this.#deaths.length <= MOST_DEATHS) {
      this.#with.trouble(
        `The recording thread ended (${why}): it is started again, and recordings go on in their files.`,
      )
      this.#connect()
    } else
      this.#with.trouble(`The recording thread ended (${why}), once more: nothing is recorded until the next start.`)
    for (const [number, take] of this.#takes) {
      // Whose end was on its way is not told of again.
      if (!this.#link || take.why) void this.#endUnkept(number, take)
    }
  }

  /** Of one that nobody keeps any more: as much as is in its file. */
  async #endUnkept(number: number, take: Take): Promise<void> {
    const file = await readAu(take.path).catch(() => undefined)
    take.why ??= 'mediaLost'
    take.seconds = file ? auMs(file, file.bytes) / 1_000 : 0
    this.#settle(number, take)
  }

  #receive(message: FromKeeper): void {
    if (message.kind === 'disk') return this.#diskIs(message.state, message.freeBytes)
    const take = this.#takes.get(message.take)
    if (!take) return
    if (message.kind === 'stopped') {
      take.why ??= message.why
      take.line.recordNoMore(message.take)
      return
    }
    take.seconds = message.seconds
    take.shedFrames = message.shedFrames
    take.why ??= 'mediaLost'
    this.#settle(message.take, take)
  }

  #settle(number: number, { release, settle, why = 'mediaLost', seconds, shedFrames }: Take): void {
    this.#takes.delete(number)
    release()
    settle({ why, seconds, shedFrames })
  }

  #diskIs(state: DiskState, freeBytes: number): void {
    this.#disk = state
    const free = `${Math.round(freeBytes / 1e6)} MB are free on the disk of STATE_DIR`
    if (state === 'full')
      this.#with.trouble(
        `${free}: nothing is recorded until there are ${limits.recording.diskBytes.least / 1e6}. Calls go on.`,
      )
    if (state === 'low') this.#with.trouble(`${free}: recording ends at ${limits.recording.diskBytes.least / 1e6}.`)
  }
}
