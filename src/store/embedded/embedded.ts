import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { MessageChannel, Worker } from 'node:worker_threads'
import { asError, GatewayError } from '../../errors.ts'
import { lockFile } from '../../file-lock.ts'
import { PortStream } from './port-stream.ts'
import type { FromThread, ThreadData, ToThread } from './thread.ts'

/** A PostgreSQL in a folder, in a thread of its own. */
export interface Embedded {
  /** To the database, as a socket: one at a time. A thread that has ended is started again. */
  connect(): Duplex
  /** It never waits for the disk by itself: what it has written is there when this settles. */
  sync(): Promise<void>
  close(): Promise<void>
}

/**
 * Opens the database in a folder for this process alone: two processes in one folder lose rows. The first time it is made
 * beside and renamed, for one that is killed in the making stays broken.
 */
export async function openEmbedded(folder: string): Promise<Embedded> {
  try {
    await mkdir(dirname(folder), { recursive: true, mode: 0o700 })
    const lock = lockFile(`${folder}.lock`)
    if (!lock) throw new Error('another process, such as a running Parley, has it open')
    try {
      if (!(await isThere(folder))) await make(folder)
      const thread = new DatabaseThread(folder)
      await thread.opened
      return new EmbeddedDatabase(folder, thread, lock)
    } catch (error) {
      lock.release()
      throw error
    }
  } catch (error) {
    throw new GatewayError(
      'STORE_FAILED',
      `The embedded database in ${folder} cannot be opened: ${asError(error).message}. Stop whatever else uses it, and see that this user may write there and that the disk has room.`,
      { cause: error },
    )
  }
}

async function make(folder: string): Promise<void> {
  const aside = join(dirname(folder), `${basename(folder)}.new`)
  await rm(aside, { recursive: true, force: true })
  await mkdir(aside, { mode: 0o700 })
  const thread = new DatabaseThread(aside)
  try {
    await thread.opened
    await thread.end()
    await rename(aside, folder)
  } catch (error) {
    // On a disk that is too small for it the journal needs the room.
    await rm(aside, { recursive: true, force: true })
    throw error
  }
}

class EmbeddedDatabase implements Embedded {
  readonly #folder: string
  readonly #lock: { release(): void }
  #thread: DatabaseThread

  constructor(folder: string, thread: DatabaseThread, lock: { release(): void }) {
    this.#folder = folder
    this.#thread = thread
    this.#lock = lock
  }

  connect(): Duplex {
    if (this.#thread.hasEnded) this.#thread = new DatabaseThread(this.#folder)
    return this.#thread.connect()
  }

  async sync(): Promise<void> {
    for (const each of await readdir(this.#folder, { recursive: true, withFileTypes: true })) {
      const file = await open(join(each.parentPath, each.name)).catch(() => undefined)
      // One that has gone meanwhile need not be there.
      if (!file) continue
      await file.sync().finally(() => file.close())
    }
  }

  async close(): Promise<void> {
    await this.#thread.end()
    this.#lock.release()
  }
}

class DatabaseThread {
  /** Rejects when it cannot be. */
  readonly opened: Promise<void>
  readonly #worker: Worker
  readonly #exited = Promise.withResolvers<never>()
  hasEnded = false

  constructor(folder: string) {
    this.#worker = new Worker(new URL('./thread.ts', import.meta.url), {
      name: 'database',
      workerData: { folder } satisfies ThreadData,
      // What it prints may hold what callers said.
      stdout: true,
      stderr: true,
    })
    this.#exited.promise.catch(() => {})
    this.#worker.on('error', error => this.#exited.reject(error))
    this.#worker.on('exit', code => {
      this.hasEnded = true
      this.#exited.reject(new Error(`its thread ended with code ${code}`))
    })
    this.opened = this.#told('opened')
    this.opened.catch(() => {})
  }

  connect(): Duplex {
    const { port1, port2 } = new MessageChannel()
    this.#worker.postMessage({ kind: 'client', port: port2 } satisfies ToThread, [port2])
    return new PortStream(port1)
  }

  async end(): Promise<void> {
    const ended = this.#told('ended')
    this.#worker.postMessage({ kind: 'end' } satisfies ToThread)
    await ended.catch(() => {})
    await this.#worker.terminate()
  }

  #told(kind: FromThread['kind']): Promise<void> {
    const told = new Promise<void>(resolve => {
      this.#worker.on('message', (message: FromThread) => message.kind === kind && resolve())
    })
    return Promise.race([told, this.#exited.promise])
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
