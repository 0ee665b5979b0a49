import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { every, systemClock } from '../../src/clock.ts'
import { answer } from '../house/requests.ts'

/**
 * What a realtime call costs with nothing of Parley in it: its packets in and out, and its sound to the provider and back in
 * JSON, by the same libraries. No order is kept, nothing is late, nobody is interrupted, and nothing is written down.
 */

const HEADER_BYTES = 12
const FRAME_MS = 20
const frame = Buffer.alloc(HEADER_BYTES + 160, 0xff)

const requests = {
  /** Where the packets of each call are taken, once it has its connection. */
  open: ({ calls, port }: { calls: number; port: number }) =>
    Promise.all(Array.from({ length: calls }, () => openCall(`ws://127.0.0.1:${port}`))),
}
export type BareRequests = typeof requests
answer(requests)

async function openCall(url: string): Promise<number> {
  const provider = new WebSocket(url, { perMessageDeflate: false })
  await once(provider, 'open')
  const caller = createSocket({ type: 'udp4', lookup: (numeric, _options, done) => done(null, numeric, 4) })
  const listening = once(caller, 'listening')
  caller.bind(0, '127.0.0.1')
  await listening
  caller.once('message', (_, from) => answerCaller(caller, from.port, provider))
  caller.on('message', packet => {
    provider.send(JSON.stringify({ type: 'input_audio_buffer.append', audio: packet.toString('base64', HEADER_BYTES) }))
  })
  return caller.address().port
}

function answerCaller(caller: Socket, port: number, provider: WebSocket): void {
  const sound: Buffer[] = []
  provider.on('message', text => sound.push(Buffer.from(JSON.parse(String(text)).delta, 'base64')))
  every(systemClock, FRAME_MS, () => {
    const packet = Buffer.from(frame)
    packet.set(sound.shift() ?? [], HEADER_BYTES)
    caller.send(packet, port, '127.0.0.1')
  })
}
