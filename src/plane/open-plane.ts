import { type Transferable, Worker } from 'node:worker_threads'
import { limits } from '../limits.ts'
import { type ConnectCore, PlaneHandle } from './handle.ts'
import type { FromPlane } from './protocol.ts'
import type { PortRange } from './sockets.ts'
import type { ThreadData } from './thread.ts'

export interface PlaneOptions {
  /** Asterisk's own RTP range: no socket of ours is ever in it. */
  readonly forbiddenPorts: PortRange
  /** In words, for the log. */
  readonly onTrouble: (text: string) => void
}

/** Starts the media thread. */
export function openPlane({ forbiddenPorts, onTrouble }: PlaneOptions): PlaneHandle {
  const connectCore: ConnectCore = (receive, died) => {
    const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
    const data: ThreadData = { forbiddenPorts, taken }
    const thread = new Worker(new URL('./thread.ts', import.meta.url), {
      name: 'media',
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: limits.media.heapMb },
    })
    thread.on('message', (message: FromPlane) => receive(message))
    thread.on('error', error => died(error.message))
    thread.on('exit', code => died(`code ${code}`))
    return {
      post: (message, transfer) => thread.postMessage(message, transfer as Transferable[] | undefined),
      took: frames => void Atomics.add(taken, 0, frames),
      end: async () => void (await thread.terminate()),
    }
  }
  return new PlaneHandle(connectCore, onTrouble)
}
