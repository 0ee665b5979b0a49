import { readFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { StoredBusiness } from './businesses.ts'

/** What a start without the database goes by: the businesses as they were last known, and where this gateway's own is. */
export interface Snapshot {
  readonly own: OwnBusiness | null
  readonly businesses: readonly StoredBusiness[]
}

/** The business of BUSINESS_FILE or the environment, as it was last read from there. */
export interface OwnBusiness {
  readonly id: string
  readonly source: 'file' | 'environment' | 'nothing'
  readonly hash: string
}

const schema: z.ZodType<Snapshot> = z.object({
  own: z.object({ id: z.string(), source: z.enum(['file', 'environment', 'nothing']), hash: z.string() }).nullable(),
  businesses: z.array(
    z.object({
      id: z.string(),
      choice: z.record(z.string(), z.unknown()),
      active: z.boolean(),
      version: z.number(),
      createdAt: z.iso.datetime(),
      changedAt: z.iso.datetime(),
      fileHash: z.string().nullable(),
    }),
  ),
})

/**
 * Whole or not at all, and for nobody else's eyes. Those that come while one is being written, or cannot be, leave only the
 * last.
 */
export class SnapshotFile {
  readonly #file: string
  readonly #clock: Clock
  readonly #trouble: (text: string) => void
  #next: Snapshot | undefined
  #writing: Promise<void> | undefined
  #failing = false
  #cancelRetry = () => {}

  constructor(file: string, clock: Clock, trouble: (text: string) => void) {
    this.#file = file
    this.#clock = clock
    this.#trouble = trouble
  }

  /** Nothing when there is none; one that cannot be used is told. */
  read(): Snapshot | undefined {
    try {
      return schema.parse(JSON.parse(readFileSync(this.#file, 'utf8')))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      this.#trouble(
        `${this.#file} cannot be used (${asError(error).message}): until the database is there, BUSINESS_FILE serves alone.`,
      )
      return undefined
    }
  }

  write(snapshot: Snapshot): void {
    this.#next = snapshot
    this.#writing ??= this.#run()
  }

  /** What cannot be written by then is not tried again. */
  async written(): Promise<void> {
    await this.#writing
    this.#cancelRetry()
  }

  async #run(): Promise<void> {
    this.#cancelRetry()
    while (this.#next) {
      const snapshot = this.#next
      this.#next = undefined
      try {
        await this.#replace(JSON.stringify(snapshot))
        this.#failing = false
      } catch (error) {
        this.#next ??= snapshot
        this.#retryLater(asError(error))
        break
      }
    }
    this.#writing = undefined
  }

  #retryLater({ message }: Error): void {
    if (!this.#failing) {
      this.#trouble(
        `${this.#file} cannot be written (${message}): until it can be, a start without the database finds older businesses.`,
      )
    }
    this.#failing = true
    this.#cancelRetry = this.#clock.after(limits.store.retryMs.most, () => {
      this.#writing ??= this.#run()
    })
  }

  async #replace(text: string): Promise<void> {
    const aside = `${this.#file}.new`
    await rm(aside, { force: true })
    const file = await open(aside, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(aside, this.#file)
  }
}
