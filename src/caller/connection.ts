import { createSocket } from 'node:dgram'
import { connect, isIPv6, type Socket } from 'node:net'
import { limits } from '../limits.ts'
import { type Address, tagOf } from './address.ts'
import { headerOf, parseMessage, type SipMessage, type SipRequest, serialize } from './message.ts'
import { MessageStream } from './message-stream.ts'
import { allowed, responseTo } from './response.ts'

export interface ConnectionOptions {
  readonly transport: 'tcp' | 'udp'
  readonly target: Address
  /** The address to call from, where the machine has several. */
  readonly localAddress?: string
}

/** Somebody calls: whoever takes the call attaches to the connection by its Call-ID. */
export type Invited = (invite: SipRequest, connection: Connection) => void

export interface Carrier {
  /** The local address, once messages can be sent. */
  readonly opened: Promise<Address>
  write(bytes: Buffer): void
  /** Sends what was written, then closes. */
  end(): void
  destroy(): void
}

export interface Reception {
  received(message: SipMessage): void
  lost(reason: string): void
}

/** The signalling path to one server. Calls attach to it by their Call-ID; usually each call has its own. */
export class Connection {
  readonly target: Address
  readonly transport: 'TCP' | 'UDP'
  readonly reliable: boolean
  readonly opened: Promise<void>
  readonly #carrier: Carrier
  readonly #calls = new Map<string, Reception>()
  readonly #invited: Invited | undefined
  #local: Address | undefined
  #lost: string | undefined

  /** Where somebody else has opened it: how it is spoken on, and who is told of calls that come by it. */
  constructor(options: ConnectionOptions, from?: { carrier(reception: Reception): Carrier; invited: Invited }) {
    this.target = options.target
    this.reliable = options.transport === 'tcp'
    this.transport = options.transport === 'tcp' ? 'TCP' : 'UDP'
    const reception = {
      received: (message: SipMessage) => this.#received(message),
      lost: (reason: string) => this.#fail(reason),
    }
    this.#invited = from?.invited
    if (from) this.#carrier = from.carrier(reception)
    else this.#carrier = options.transport === 'tcp' ? tcpCarrier(options, reception) : udpCarrier(options, reception)
    this.opened = this.#carrier.opened.then(local => {
      this.#local = local
    })
    // Whoever waits for it sees the failure; nobody has to wait.
    this.opened.catch(() => {})
  }

  /** Known once the connection is open. */
  get local(): Address {
    if (!this.#local) throw new Error('the connection is not open yet')
    return this.#local
  }

  /** The returned function detaches the call again. */
  attach(callId: string, reception: Reception): () => void {
    if (this.#lost !== undefined) {
      reception.lost(this.#lost)
      return () => {}
    }
    this.#calls.set(callId, reception)
    return () => this.#calls.delete(callId)
  }

  send(message: SipMessage): void {
    if (this.#lost === undefined) this.#carrier.write(serialize(message))
  }

  close(): void {
    this.#lost ??= 'closed'
    this.#carrier.end()
  }

  destroy(): void {
    this.#lost ??= 'closed'
    this.#carrier.destroy()
  }

  #received(message: SipMessage): void {
    const call = this.#calls.get(headerOf(message, 'Call-ID')!)
    if (call) call.received(message)
    else if (this.#invited && isInvitation(message)) this.#invited(message, this)
    else if (message.kind === 'request' && message.method !== 'ACK') this.#answerForNobody(message)
  }

  /** Without a memory, so that a repeated request is answered alike (RFC 3261 section 8.2.7). */
  #answerForNobody(request: SipRequest): void {
    const status = request.method === 'OPTIONS' ? 200 : 481
    this.send(responseTo(request, status, { source: this.target, tag: 'nobody' }, { headers: [allowed] }))
  }

  #fail(reason: string): void {
    if (this.#lost !== undefined) return
    this.#lost = reason
    this.#carrier.destroy()
    for (const call of [...this.#calls.values()]) call.lost(reason)
  }
}

function isInvitation(message: SipMessage): message is SipRequest {
  return message.kind === 'request' && message.method === 'INVITE' && tagOf(headerOf(message, 'To')) === undefined
}

function tcpCarrier({ target, localAddress }: ConnectionOptions, reception: Reception): Carrier {
  const socket = connect({
    host: target.address,
    port: target.port,
    noDelay: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  })
  return socketCarrier(socket, reception)
}

/** Of a TCP connection, whoever has opened it. */
export function socketCarrier(socket: Socket, reception: Reception): Carrier {
  const { promise: opened, resolve, reject } = Promise.withResolvers<Address>()
  const stream = new MessageStream()
  const lost = (reason: string) => {
    reject(new Error(reason))
    reception.lost(reason)
  }
  const connected = () => resolve({ address: socket.localAddress!, port: socket.localPort! })
  if (socket.connecting) socket.on('connect', connected)
  else connected()
  socket.on('data', chunk => {
    for (const message of stream.push(chunk)) reception.received(message)
    if (stream.broken) lost('the other side sent something that is not SIP')
  })
  socket.on('error', error => lost(error.message))
  socket.on('close', () => lost('the other side closed the connection'))
  return {
    opened,
    write: bytes => void socket.write(bytes),
    end: () => void socket.destroySoon(),
    destroy: () => void socket.destroy(),
  }
}

function udpCarrier({ target, localAddress }: ConnectionOptions, reception: Reception): Carrier {
  const { promise: opened, resolve, reject } = Promise.withResolvers<Address>()
  const socket = createSocket(isIPv6(target.address) ? 'udp6' : 'udp4')
  let open = true
  const close = () => {
    if (open) socket.close()
    open = false
  }
  const lost = (error: Error) => {
    reject(error)
    reception.lost(error.message)
  }
  socket.on('error', lost)
  socket.on('connect', () => resolve(socket.address()))
  socket.on('message', datagram => {
    const message = datagram.length <= limits.caller.sipBytes ? parseMessage(datagram) : undefined
    if (message) reception.received(message)
  })
  // A connected socket hears nobody else, and is told when nobody listens there.
  socket.bind(0, localAddress, () => {
    if (open) socket.connect(target.port, target.address)
  })
  return {
    opened,
    write: bytes => socket.send(bytes, error => void (error && open && lost(error))),
    end: close,
    destroy: close,
  }
}
