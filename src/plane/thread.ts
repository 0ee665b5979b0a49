import { createSocket } from 'node:dgram'
import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { basename } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { systemClock } from '../clock.ts'
import { PlaneCore } from './core.ts'
import type { FromPlane, ToPlane } from './protocol.ts'
import type { OpenSocket, PortRange } from './sockets.ts'

/** The media thread itself: real time, real sockets, and the core between them. */

export interface ThreadData {
  readonly forbiddenPorts: PortRange
  /** Frames that the main thread has taken. Shared, for a message would wake this thread 500 times a second for nothing. */
  readonly taken: Int32Array<SharedArrayBuffer>
}

const LOOPBACK = '127.0.0.1'

const openSocket: OpenSocket = listener =>
  new Promise((resolve, reject) => {
    const socket = createSocket({
      type: 'udp4',
      // The peer is always a numeric address; looked up as a name, each packet would wait for a turn of the loop.
      lookup: (numeric, _options, done) => done(null, numeric, 4),
    })
    socket.once('error', reject)
    socket.on('message', (datagram, from) => listener.received(datagram, from.address, from.port))
    socket.bind({ address: LOOPBACK, port: 0, exclusive: true }, () => {
      socket.off('error', reject)
      socket.on('error', error => listener.failed(error.message))
      resolve({
        local: { address: LOOPBACK, port: socket.address().port },
        send: (datagram, to) => socket.send(datagram, to.port, to.address),
        close: () => socket.close(),
      })
    })
  })

/** What is late by a frame is lost, and it takes little: on a busy machine this thread goes first, where the system lets it. */
function goFirst(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_HIGHEST)
  } catch {
    // Without the right to it (root or CAP_SYS_NICE) or beside Linux it waits its turn like everybody.
  }
}

goFirst()
const main = parentPort
if (!main) throw new Error('This file is the media thread: it is started by openPlane.')
const { forbiddenPorts, taken } = workerData as ThreadData
const core = new PlaneCore({
  clock: systemClock,
  random: Math.random,
  openSocket,
  forbiddenPorts,
  afterTurn: setImmediate,
  taken: () => Atomics.load(taken, 0),
  post: (message: FromPlane) => {
    if (message.kind === 'frames') main.postMessage(message, [message.batch.heads.buffer, message.batch.audio.buffer])
    else main.postMessage(message)
  },
})
main.on('message', (message: ToPlane) => core.receive(message))
