import type { Clock } from '../../src/clock.ts'
import type { Address } from '../../src/plane/line.ts'
import type { OpenSocket, PlaneSocket, SocketListener } from '../../src/plane/sockets.ts'

export interface Conditions {
  readonly delayMs: number
  /** Up to so much more, evenly spread; packets may overtake each other. */
  readonly jitterMs: number
  /** Of a thousand packets. */
  readonly lostPerMille: number
  readonly doubledPerMille: number
}

export const perfect: Conditions = { delayMs: 0, jitterMs: 0, lostPerMille: 0, doubledPerMille: 0 }

interface Place {
  /** By default the next that is free. */
  readonly port?: number
  /** Of the way to and from this socket. */
  readonly conditions?: Conditions
}

interface Bound {
  readonly listener: SocketListener
  readonly conditions: Conditions | undefined
}

/** UDP on one made-up host, in virtual time: the same seed loses, doubles and delays the same packets. */
export class VirtualNetwork {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #conditions: Conditions
  readonly #sockets = new Map<number, Bound>()
  readonly #firstPort: number
  readonly #portCount: number
  #ports = 0

  /** Of so many ports each is used again when the others have been. */
  constructor(clock: Clock, random: () => number, conditions = perfect, firstPort = 40_000, portCount = 20_000) {
    this.#clock = clock
    this.#random = random
    this.#conditions = conditions
    this.#firstPort = firstPort
    this.#portCount = portCount
  }

  get openSockets(): number {
    return this.#sockets.size
  }

  taken(port: number): boolean {
    return this.#sockets.has(port)
  }

  readonly openSocket: OpenSocket = async listener => this.bind(listener)

  bind(listener: SocketListener, { port = this.#freePort(), conditions }: Place = {}): PlaneSocket {
    if (this.#sockets.has(port)) throw new Error(`port ${port} is taken`)
    const local = { address: '127.0.0.1', port }
    const bound = { listener, conditions }
    this.#sockets.set(port, bound)
    return {
      local,
      send: (datagram, to) => this.#send(datagram, local, to, bound.conditions),
      close: () => {
        if (this.#sockets.get(port) === bound) this.#sockets.delete(port)
      },
    }
  }

  #freePort(): number {
    let port: number
    do port = this.#firstPort + (this.#ports++ % this.#portCount)
    while (this.#sockets.has(port))
    return port
  }

  #send(datagram: Uint8Array, from: Address, to: Address, way = this.#sockets.get(to.port)?.conditions): void {
    const conditions = way ?? this.#conditions
    if (this.#random() * 1_000 < conditions.lostPerMille) return
    this.#carry(datagram.slice(), from, to, conditions)
    if (this.#random() * 1_000 < conditions.doubledPerMille) this.#carry(datagram.slice(), from, to, conditions)
  }

  #carry(datagram: Uint8Array, from: Address, to: Address, { delayMs, jitterMs }: Conditions): void {
    const arrive = () => this.#sockets.get(to.port)?.listener.received(datagram, from.address, from.port)
    if (delayMs + jitterMs === 0) return arrive()
    this.#clock.after(delayMs + jitterMs * this.#random(), arrive)
  }
}
