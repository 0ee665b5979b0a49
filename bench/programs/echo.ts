import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { answer } from '../house/requests.ts'

/** Sends every datagram back to where it came from: what the machine takes for it, without any of Parley. */

const socket = createSocket({ type: 'udp4', lookup: (numeric, _options, done) => done(null, numeric, 4) })
socket.on('message', (datagram, from) => socket.send(datagram, from.port, from.address))
const listening = once(socket, 'listening')
socket.bind(0, '127.0.0.1')

const requests = {
  port: async () => {
    await listening
    return socket.address().port
  },
}
export type EchoRequests = typeof requests
answer(requests)
