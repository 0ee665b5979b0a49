import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { basename } from 'node:path'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'

/** The thread of the embedded database: one client at a time, as PGlite has one session. */

export interface ThreadData {
  readonly folder: string
}

export type ToThread = { readonly kind: 'client'; readonly port: MessagePort } | { readonly kind: 'end' }
export type FromThread = { readonly kind: 'opened' } | { readonly kind: 'ended' }

/** `X`: the client takes its leave. */
const TERMINATE = 0x58

/** A query may take its time; a frame of audio may not. */
function goBehind(priority: number): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), priority)
  } catch {
    // Beside Linux it waits its turn like everybody.
  }
}

/** https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#errno */
const NOSPC = 51

/** Of what the file system refuses there is nothing but a number, in an object that is no error. */
function inWords(error: unknown): Error {
  if (error instanceof Error) return error
  const { errno } = Object(error) as { errno?: unknown }
  return new Error(errno === NOSPC ? 'the disk is full' : `the file system refuses something (errno ${errno})`)
}

// Beside two busy programs the lowest has a sixtieth of a core, and opening it would take minutes: much waits for that, if no call.
goBehind(constants.priority.PRIORITY_BELOW_NORMAL)
const main = parentPort
if (!main) throw new Error('This file is the thread of the embedded database: it is started by openEmbedded.')
const { folder } = workerData as ThreadData
const database = await PGlite.create(folder).catch(error => {
  throw inWords(error)
})
goBehind(constants.priority.PRIORITY_LOW)
/** What was asked of it so far is done. */
let done: Promise<unknown> = Promise.resolve()

main.on('message', (message: ToThread) => {
  if (message.kind === 'client') return serve(message.port)
  done = done.then(() => database.close()).then(() => main.postMessage({ kind: 'ended' } satisfies FromThread))
})
main.postMessage({ kind: 'opened' } satisfies FromThread)

/** What comes at once is answered at once: a query is several messages each way, and each crossing costs both threads. */
function serve(port: MessagePort): void {
  const carryOut = (run: () => Promise<unknown>) => {
    // A database that cannot answer is of no use to anybody: the thread ends, and with it what was not acknowledged.
    done = done.then(run)
  }
  port.on('message', (messages: Uint8Array<ArrayBuffer>) => {
    if (messages[0] === TERMINATE) return
    carryOut(async () => {
      const answers = await database.execProtocolRaw(messages)
      port.postMessage(answers, [answers.buffer as ArrayBuffer])
    })
  })
  port.on('close', () => carryOut(async () => database.isInTransaction() && (await database.exec('ROLLBACK'))))
}
