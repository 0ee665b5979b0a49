import { readFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { z } from 'zod'
import { asError } from '../errors.ts'
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

/** Whole or not at all, and for nobody else's eyes. Those that come while one is being written leave only the last. */
export class SnapshotFile {
  readonly #file: string
  readonly #trouble: (text: string) => void
  #next: Snapshot | undefined
  #writing: Promise<void> | undefined

  constructor(file: string, trouble: (text: string) => void) {
    this.#file = file
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

  async written(): Promise<void> {
    await this.#writing
  }

  async #run(): Promise<void> {
    try {
      for (let snapshot = this.#next; snapshot; snapshot = this.#next) {
        this.#next = undefined
        await this.#replace(JSON.stringify(snapshot))
      }
    } catch (error) {
      this.#trouble(
        `${this.#file} cannot be written (${asError(error).message}): a start without the database finds older businesses.`,
      )
    } finally {
      this.#writing = undefined
    }
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
