import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'

const address = '127.0.0.3'

/** A telephone that is somebody else's: at another address than the trunk, over UDP. */
export interface Desk extends AsyncDisposable {
  readonly destination: { user: string; host: string; port: number; transport: 'udp' }
  /** The INVITE that made it ring. */
  readonly rang: Promise<string>
  /** The answer to its own BYE. */
  readonly byeAnswered: Promise<string>
}

/** Busy, or answers and hangs up at once. */
export async function openDesk(manner: 'busy' | 'answers'): Promise<Desk> {
  const socket = createSocket('udp4')
  socket.bind(0, address)
  await once(socket, 'listening')
  const { port } = socket.address()
  const rang = Promise.withResolvers<string>()
  const byeAnswered = Promise.withResolvers<string>()
  const send = (lines: readonly string[], body: string, peer: RemoteInfo) =>
    socket.send(`${lines.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n${body}`, peer.port, peer.address)
  socket.on('message', (data, peer) => {
    const message = String(data)
    const header = (name: string) => new RegExp(`^${name}: *(.*?)\r?$`, 'im').exec(message)?.[1] ?? ''
    if (message.startsWith('SIP/2.0')) byeAnswered.resolve(message)
    if (message.startsWith('INVITE')) {
      const same = ['Via', 'From', 'Call-ID', 'CSeq'].map(name => `${name}: ${header(name)}`)
      const to = `To: ${header('To')};tag=desk`
      const contact = `Contact: <sip:2000@${address}:${port}>`
      const sdp = `v=0\r\no=- 1 1 IN IP4 ${address}\r\ns=-\r\nc=IN IP4 ${address}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n`
      if (manner === 'busy') send(['SIP/2.0 486 Busy Here', ...same, to], '', peer)
      else send(['SIP/2.0 200 OK', ...same, to, contact, 'Content-Type: application/sdp'], sdp, peer)
      rang.resolve(message)
    }
    if (message.startsWith('ACK') && manner === 'answers') {
      const via = `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bKdesk`
      const [from, to] = [`From: ${header('To')}`, `To: ${header('From')}`]
      const request = `BYE sip:parley@${peer.address}:${peer.port} SIP/2.0`
      const rest = [`Call-ID: ${header('Call-ID')}`, 'CSeq: 1 BYE', 'Max-Forwards: 70']
      send([request, via, from, to, ...rest], '', peer)
    }
  })
  return {
    destination: { user: '2000', host: address, port, transport: 'udp' },
    rang: rang.promise,
    byeAnswered: byeAnswered.promise,
    [Symbol.asyncDispose]: () => new Promise(resolve => socket.close(() => resolve())),
  }
}
