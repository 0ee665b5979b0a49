import { type MessagePort, parentPort } from 'node:worker_threads'
import { systemClock } from '../clock.ts'
import type { ToRecorder } from '../plane/takes.ts'
import { filesOnDisk } from './files.ts'
import { type FromKeeper, Keeper } from './keeper.ts'

/** The recording thread itself: a disk that stands still holds up nothing but this. */

export type ToKeeper =
  /** What comes by it from the media thread, and where it is counted. */
  | { readonly kind: 'port'; readonly port: MessagePort; readonly taken: Int32Array<SharedArrayBuffer> }
  | { readonly kind: 'abandon'; readonly take: number }
  | { readonly kind: 'look'; readonly folder: string }

const main = parentPort
if (!main) throw new Error('This file is the recording thread: it is started by openRecorder.')
let count = (_bytes: number) => {}
const keeper = new Keeper({
  clock: systemClock,
  files: filesOnDisk,
  tell: (message: FromKeeper) => main.postMessage(message),
  took: bytes => count(bytes),
})
main.on('message', (message: ToKeeper) => {
  if (message.kind === 'abandon') return keeper.abandon(message.take)
  if (message.kind === 'look') return keeper.look(message.folder)
  const { port, taken } = message
  count = bytes => void Atomics.add(taken, 0, bytes)
  port.on('message', (pairs: ToRecorder) => keeper.receive(pairs))
})
