import { MessageChannel, type Transferable, Worker } from 'node:worker_threads'
import type { FromKeeper } from './keeper.ts'
import type { ConnectKeeper } from './recorder.ts'
import type { ToKeeper } from './thread.ts'

/** Starts the recording thread. */
export const recordingThread: ConnectKeeper = (receive, died) => {
  const thread = new Worker(new URL('./thread.ts', import.meta.url), { name: 'recording' })
  const post = (message: ToKeeper, transfer: readonly Transferable[] = []) => thread.postMessage(message, transfer)
  thread.on('message', (message: FromKeeper) => receive(message))
  thread.on('error', error => died(error.message))
  thread.on('exit', code => died(`code ${code}`))
  return {
    way() {
      const { port1, port2 } = new MessageChannel()
      const taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
      post({ kind: 'port', port: port1, taken }, [port1])
      return { port: port2, taken }
    },
    look: folder => post({ kind: 'look', folder }),
    abandon: take => post({ kind: 'abandon', take }),
    end: async () => void (await thread.terminate()),
  }
}
