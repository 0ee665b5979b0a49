import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { limits } from '../limits.ts'
import { type Address, hostPort } from './address.ts'
import { type Carrier, Connection, type Reception, socketCarrier } from './connection.ts'
import { IncomingCall } from './incoming-call.ts'
import { headerOf, parseMessage, type SipRequest } from './message.ts'
import type { Refusal } from './response.ts'
import { bindRtp, type CallerDeps, checkSound, type SoundOptions } from './talk.ts'

/** What a telephone does with a call. */
export type Manner = (call: IncomingCall) => unknown

/** Rings first, for so long as it takes the person to answer. */
export const answering: Manner = call => {
  call.ring()
  return call.answer()
}

export const ringing: Manner = call => call.ring()

export function refusing(status: Refusal): Manner {
  return call => call.refuse(status)
}

/** Has sound of its own before it answers, and goes on to ring as long as nobody answers or refuses. */
export function soundingEarly(hz: number): Manner {
  return call => {
    call.hum(hz)
    call.soundEarly()
  }
}

export interface PhoneOptions extends SoundOptions {
  /** Where it is called; without a port a free one. */
  readonly address: string
  readonly port?: number
  readonly whenCalled?: Manner
}

/** A telephone that can be called, by UDP and by TCP on the same port. */
export class Phone implements AsyncDisposable {
  /** Of the calls that are to come. */
  whenCalled: Manner
  readonly address: Address
  readonly #deps: CallerDeps
  readonly #options: PhoneOptions
  readonly #udp: UdpSocket
  readonly #tcp: Server
  readonly #peers = new Map<string, Reception>()
  readonly #connections = new Set<Connection>()
  /** By their Call-ID; undefined while it is not yet there. */
  readonly #calls = new Map<string, IncomingCall | undefined>()
  readonly #untold: IncomingCall[] = []
  readonly #waiting: ((call: IncomingCall) => void)[] = []
  #closed: Promise<unknown> | undefined

  private constructor(deps: CallerDeps, options: PhoneOptions, udp: UdpSocket, tcp: Server) {
    this.#deps = deps
    this.#options = options
    this.whenCalled = options.whenCalled ?? answering
    this.address = udp.address()
    this.#udp = udp
    this.#tcp = tcp
    udp.on('message', (datagram, from) => this.#receivedBy(udp, datagram, from))
    udp.on('error', () => {})
    tcp.on('connection', socket => this.#connected(socket))
  }

  static async open(deps: CallerDeps, options: PhoneOptions): Promise<Phone> {
    checkSound(options)
    const tcp = createServer({ noDelay: true }).listen(options.port ?? 0, options.address)
    await once(tcp, 'listening')
    const udp = createSocket('udp4')
    udp.bind((tcp.address() as AddressInfo).port, options.address)
    await once(udp, 'listening').catch(error => {
      tcp.close()
      throw error
    })
    return new Phone(deps, options, udp, tcp)
  }

  /** Those that are not over. */
  get calls(): readonly IncomingCall[] {
    return [...this.#calls.values()].flatMap(call => (call === undefined || call.over ? [] : [call]))
  }

  /** The next call that has come and was not told by this yet. */
  nextCall(): Promise<IncomingCall> {
    const call = this.#untold.shift()
    return call ? Promise.resolve(call) : new Promise(resolve => this.#waiting.push(resolve))
  }

  /** Is gone, with all its calls, without a word. */
  async close(): Promise<void> {
    this.#closed ??= this.#close()
    await this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #close(): Promise<unknown> {
    for (const call of this.#calls.values()) call?.vanish()
    for (const connection of this.#connections) connection.destroy()
    return Promise.all([
      new Promise<void>(resolve => this.#tcp.close(() => resolve())),
      new Promise<void>(resolve => this.#udp.close(resolve)),
    ])
  }

  #connected(socket: Socket): void {
    const target = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    const connection = this.#connection('tcp', target, reception => socketCarrier(socket, reception))
    socket.once('close', () => this.#connections.delete(connection))
  }

  /** Whoever sends a first datagram has a connection from then on. */
  #receivedBy(udp: UdpSocket, datagram: Buffer, { address, port }: Address): void {
    const message = datagram.length <= limits.caller.sipBytes ? parseMessage(datagram) : undefined
    const peer = hostPort({ address, port })
    if (message && !this.#peers.has(peer)) {
      this.#connection('udp', { address, port }, reception => {
        this.#peers.set(peer, reception)
        return {
          opened: Promise.resolve(this.address),
          write: bytes => void (this.#closed ?? udp.send(bytes, port, address)),
          end: () => {},
          destroy: () => void this.#peers.delete(peer),
        }
      })
    }
    if (message) this.#peers.get(peer)?.received(message)
  }

  #connection(transport: 'tcp' | 'udp', target: Address, carrier: (reception: Reception) => Carrier): Connection {
    const invited = (invite: SipRequest, by: Connection) => void this.#invited(invite, by)
    const connection = new Connection({ transport, target }, { carrier, invited })
    this.#connections.add(connection)
    return connection
  }

  async #invited(invite: SipRequest, path: Connection): Promise<void> {
    const callId = headerOf(invite, 'Call-ID')!
    // Said again before we were ready for it.
    if (this.#calls.has(callId)) return
    this.#calls.set(callId, undefined)
    const [socket] = await Promise.all([bindRtp(this.#options.address), path.opened])
    if (this.#closed) return void socket.close()
    const released = () => void this.#calls.delete(callId)
    const call = new IncomingCall(this.#deps, this.#options, { invite, path, socket, released })
    this.#calls.set(callId, call)
    const told = this.#waiting.shift()
    if (told) told(call)
    else this.#untold.push(call)
    await this.whenCalled(call)
  }
}
