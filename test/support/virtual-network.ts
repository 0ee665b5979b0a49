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

const perfect: Conditions = { delayMs: 0, jitterMs: 0, lostPerMille: 0, doubledPerMille: 0 }

/** UDP on one made-up host, in virtual time: the same seed loses, doubles and delays the same packets. */
export class VirtualNetwork {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #conditions: Conditions
  readonly #sockets = new Map<number, SocketListener>()
  #lastPort: number

  constructor(clock: Clock, random: () => number, conditions = perfect, firstPort = 40_000) {
    this.#clock = clock
    this.#random = random
    this.#conditions = conditions
    this.#lastPort = firstPort - 1
  }

  get openSockets(): number {
    return this.#sockets.size
  }

  readonly openSocket: OpenSocket = async listener => this.bind(listener)

  bind(listener: SocketListener): PlaneSocket {
    const local = { address: '127.0.0.1', port: ++this.#lastPort }
    this.#sockets.set(local.port, listener)
    return {
      local,
      send: (datagram, to) => this.#send(datagram, local, to),
      close: () => void this.#sockets.delete(local.port),
    }
  }

  #send(datagram: Uint8Array, from: Address, to: Address): void {
    if (this.#random() * 1_000 < this.#conditions.lostPerMille) return
    this.#carry(datagram.slice(), from, to)
    if (this.#random() * 1_000 < this.#conditions.doubledPerMille) this.#carry(datagram.slice(), from, to)
  }

  #carry(datagram: Uint8Array, from: Address, to: Address): void {
    const { delayMs, jitterMs } = this.#conditions
    const arrive = () => this.#sockets.get(to.port)?.received(datagram, from.address, from.port)
    if (delayMs + jitterMs === 0) return arrive()
    this.#clock.after(delayMs + jitterMs * this.#random(), arrive)
  }
}
