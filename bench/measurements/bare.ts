import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { every, pause, systemClock } from '../../src/clock.ts'
import { Child } from '../house/child.ts'
import { watchProcessors } from '../house/processors.ts'
import type { BareRequests } from '../programs/bare.ts'
import type { Row } from '../report/row.ts'
import type { How } from './measurement.ts'

const CALLS = 50
const WARM_UP_MS = 12_000
const MEASURED_MS = 20_000
const QUICK_MS = 4_000
const FRAME_MS = 20
const packet = Buffer.alloc(172, 0xff)
const delta = JSON.stringify({ type: 'response.output_audio.delta', delta: Buffer.alloc(160, 0xff).toString('base64') })

/** The least that a realtime call can cost a program of this kind: fifty of them by nothing but their sockets. */
export async function bareRow({ quick, progress }: How): Promise<Row> {
  progress(`${CALLS} calls by a bare program`)
  await using bare = new Child<BareRequests>(new URL('../programs/bare.ts', import.meta.url), {
    environment: { PATH: process.env['PATH'] ?? '' },
  })
  // Half of the time the provider speaks, as it does in the rows above.
  using provider = speakingProvider(2 * FRAME_MS)
  const ports = await bare.ask('open', { calls: CALLS, port: await provider.port })
  using callers = talkingCallers(ports)
  await pause(systemClock, quick ? QUICK_MS : WARM_UP_MS)
  callers.heard = 0
  const stopWatching = watchProcessors({ bare: { pid: bare.pid } })
  await pause(systemClock, quick ? QUICK_MS : MEASURED_MS)
  const usage = stopWatching()
  return {
    subject: `cost of a realtime call, of ${CALLS}, to a bare program`,
    checks: [],
    notes: [
      `${((usage.cpu['bare'] ?? Number.NaN) / CALLS).toFixed(2)} % of a core, without TLS`,
      `${((1_000 * callers.heard) / (quick ? QUICK_MS : MEASURED_MS) / CALLS).toFixed(1)} packets a second to each caller`,
    ],
    conditions: { ...usage, echoMs: undefined, callerLateMs: undefined },
  }
}

function speakingProvider(everyMs: number) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false })
  server.on('connection', connection => {
    connection.on('message', () => {})
    connection.on(
      'close',
      every(systemClock, everyMs, () => connection.send(delta)),
    )
  })
  return {
    port: once(server, 'listening').then(() => (server.address() as AddressInfo).port),
    [Symbol.dispose]() {
      for (const connection of server.clients) connection.terminate()
      server.close()
    },
  }
}

function talkingCallers(ports: readonly number[]) {
  const socket = createSocket({ type: 'udp4', lookup: (numeric, _options, done) => done(null, numeric, 4) })
  const stop = every(systemClock, FRAME_MS, () => {
    for (const port of ports) socket.send(packet, port, '127.0.0.1')
  })
  const callers = {
    heard: 0,
    [Symbol.dispose]() {
      stop()
      socket.close()
    },
  }
  socket.on('message', () => {
    callers.heard += 1
  })
  return callers
}
