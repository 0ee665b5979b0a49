import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { parentPort } from 'node:worker_threads'
import { systemClock } from '../../src/clock.ts'
import { FRAME_SAMPLES, SILENCE } from '../../src/media/audio.ts'
import { PAYLOAD_TYPE, RTP_HEADER_BYTES, RtpWriter } from '../../src/media/rtp.ts'
import { Wheel } from '../../src/media/wheel.ts'
import { utteranceOf } from '../conversation/marked.ts'
import { EchoProbe } from '../house/echo-probe.ts'
import { monotonicMs } from '../house/monotonic.ts'

/** The far ends of many lines, in a thread of their own: each sends silence, and notes what it gets of each utterance. */

export type ToPeers =
  | { readonly kind: 'open'; readonly count: number }
  | { readonly kind: 'talk'; readonly ports: readonly number[]; readonly echoPort: number }
  | { readonly kind: 'stop' }

/** What arrived of an utterance. */
export interface Arrived {
  packets: number
  lastMs: number
}

export interface PeersFigures {
  readonly arrived: ReadonlyMap<number, Arrived>
  readonly lateMs: readonly number[]
  readonly echoMs: readonly number[]
}

const main = parentPort
if (!main) throw new Error('This file is a thread of programs/silencing.ts.')
const sockets: Socket[] = []
const arrived = new Map<number, Arrived>()
const lateMs: number[] = []
let echo: EchoProbe | undefined

main.on('message', async (message: ToPeers) => {
  if (message.kind === 'open') {
    const opened = await Promise.all(Array.from({ length: message.count }, openSocket))
    sockets.push(...opened)
    main.postMessage(sockets.map(socket => socket.address().port))
  } else if (message.kind === 'talk') {
    const wheel = new Wheel(systemClock)
    for (const [line, port] of message.ports.entries()) talk(wheel, sockets[line]!, port)
    echo = new EchoProbe(message.echoPort)
  } else {
    const figures: PeersFigures = { arrived, lateMs, echoMs: echo?.stop() ?? [] }
    main.postMessage(figures)
  }
})

async function openSocket(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', lookup: (numeric, _options, done) => done(null, numeric, 4) })
  socket.on('message', note)
  const listening = once(socket, 'listening')
  socket.bind(0, '127.0.0.1')
  await listening
  return socket
}

function note(datagram: Buffer): void {
  const utterance = utteranceOf(datagram, RTP_HEADER_BYTES)
  if (utterance === undefined) return
  const noted = arrived.get(utterance)
  const lastMs = monotonicMs()
  if (!noted) return void arrived.set(utterance, { packets: 1, lastMs })
  noted.packets += 1
  noted.lastMs = lastMs
}

function talk(wheel: Wheel, socket: Socket, port: number): void {
  const writer = new RtpWriter(PAYLOAD_TYPE.ulaw, Math.random)
  const silence = new Uint8Array(FRAME_SAMPLES).fill(SILENCE.ulaw)
  wheel.add(dueMs => {
    const datagram = new Uint8Array(RTP_HEADER_BYTES + FRAME_SAMPLES)
    writer.write(datagram, silence, false)
    lateMs.push(Math.max(0, systemClock.now() - dueMs))
    socket.send(datagram, port, '127.0.0.1')
  })
}
