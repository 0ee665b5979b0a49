import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import {
  type Header,
  headerOf,
  parseMessage,
  type SipMessage,
  type SipRequest,
  serialize,
} from '../../src/caller/message.ts'
import { MessageStream } from '../../src/caller/message-stream.ts'
import { type AudioDescription, describe, parseDescription, withStaticTypes } from '../../src/caller/sdp.ts'

const TAG = 'callee'

/** A SIP server without a mind of its own, and one RTP socket: the test says what it answers. */
export class Callee {
  readonly port: number
  readonly rtp: UdpSocket
  readonly received: { bytes: Buffer; fromPort: number }[] = []
  readonly connectionsFrom: string[] = []
  closedConnections = 0
  readonly #inbox: SipMessage[] = []
  readonly #close: () => void
  #send: (bytes: Buffer) => void = () => {}
  #arrived = () => {}
  /** Ends the TCP connection that the last message came by. */
  hangConnectionUp = () => {}

  static async tcp(): Promise<Callee> {
    const server = createServer({ noDelay: true })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const callee = new Callee(await boundSocket(), portOf(server), () => server.close())
    server.on('connection', socket => callee.#serve(socket))
    return callee
  }

  static async udp(): Promise<Callee> {
    const sip = await boundSocket()
    const callee = new Callee(await boundSocket(), sip.address().port, () => sip.close())
    sip.on('message', (datagram, from) => {
      callee.#send = bytes => sip.send(bytes, from.port, from.address)
      callee.#take(parseMessage(datagram))
    })
    return callee
  }

  private constructor(rtp: UdpSocket, port: number, close: () => void) {
    this.rtp = rtp
    this.port = port
    this.#close = close
    rtp.on('message', (bytes, from) => {
      this.received.push({ bytes, fromPort: from.port })
      this.#arrived()
    })
  }

  #serve(socket: Socket): void {
    const stream = new MessageStream()
    this.connectionsFrom.push(socket.remoteAddress!)
    socket.on('error', () => {})
    socket.on('data', chunk => {
      this.#send = bytes => void socket.write(bytes)
      this.hangConnectionUp = () => void socket.destroy()
      for (const message of stream.push(chunk)) this.#take(message)
    })
    socket.on('close', () => this.#take('closed'))
  }

  #take(message: SipMessage | 'closed' | undefined): void {
    if (message === 'closed') this.closedConnections += 1
    else if (message) this.#inbox.push(message)
    this.#arrived()
  }

  /** The next message, and it must be this one: a method, or the status of a response. */
  async next(what: string | number): Promise<SipMessage> {
    await this.until(() => this.#inbox.length > 0)
    const message = this.#inbox.shift()!
    const is = message.kind === 'request' ? message.method : message.status
    if (is !== what) throw new Error(`${is} came where ${what} was expected`)
    return message
  }

  async request(method: string): Promise<SipRequest> {
    return (await this.next(method)) as SipRequest
  }

  /** No message waits that no test has looked at. */
  get unread(): string[] {
    return this.#inbox.map(message => (message.kind === 'request' ? message.method : String(message.status)))
  }

  /** Waits for something that follows from what arrives. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>(resolve => {
        this.#arrived = resolve
      })
    }
  }

  answer(request: SipRequest, status: number, reason: string, more: { headers?: Header[]; body?: string } = {}): void {
    const kept = ['via', 'from', 'call-id', 'cseq']
    const to = headerOf(request, 'To')!
    this.#send(
      serialize({
        kind: 'response',
        status,
        reason,
        headers: [
          ...request.headers.filter(([name]) => kept.includes(name.toLowerCase())),
          ['To', status === 100 || to.includes('tag=') ? to : `${to};tag=${TAG}`],
          ...(more.headers ?? []),
        ],
        body: more.body ?? '',
      }),
    )
  }

  sendRaw(text: string): void {
    this.#send(Buffer.from(text))
  }

  get contact(): Header {
    return ['Contact', `<sip:desk@127.0.0.1:${this.port}>`]
  }

  description(change: Partial<AudioDescription> = {}): string {
    const { address, port } = this.rtp.address()
    const laws = withStaticTypes(['ulaw'])
    const audio = { address, port, laws, digitsPayloadType: 101, direction: 'sendrecv', ptimeMs: 20 } as const
    return describe({ ...audio, ...change }, { id: 1, version: 1 })
  }

  /** 200, with audio. */
  accept(invite: SipRequest, change: Partial<AudioDescription> = {}, headers: Header[] = []): void {
    this.answer(invite, 200, 'OK', { headers: [this.contact, ...headers], body: this.description(change) })
  }

  /** A request within the dialog that this INVITE opened. */
  send(
    method: string,
    invite: SipRequest,
    sequence: number,
    more: { headers?: Header[]; body?: string; tag?: string } = {},
  ): void {
    this.#send(
      serialize({
        kind: 'request',
        method,
        uri: /<(.*)>/.exec(headerOf(invite, 'Contact')!)![1]!,
        headers: [
          ['Via', `SIP/2.0/TCP 127.0.0.1:${this.port};branch=z9hG4bK${method}${sequence};rport`],
          ['From', `${headerOf(invite, 'To')};tag=${more.tag ?? TAG}`],
          ['To', headerOf(invite, 'From')!],
          ['Call-ID', headerOf(invite, 'Call-ID')!],
          ['CSeq', `${sequence} ${method}`],
          ...(more.headers ?? []),
        ],
        body: more.body ?? '',
      }),
    )
  }

  /** Where the caller wants its audio. */
  static audioOf(invite: SipRequest): AudioDescription {
    return parseDescription(invite.body)!
  }

  close(): void {
    this.#close()
    this.hangConnectionUp()
    this.rtp.close()
  }
}

async function boundSocket(): Promise<UdpSocket> {
  const socket = createSocket('udp4')
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  return socket
}

function portOf(server: Server): number {
  return (server.address() as { port: number }).port
}
