import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Stands on the way from the gateway to Asterisk's ARI: counts requests, and cuts the way when told. */
export class Wire {
  readonly #server = createServer(socket => this.#forward(socket))
  readonly #target: number
  readonly #pairs = new Set<Socket>()
  readonly #listeners = new Set<(request: string) => void>()

  constructor(target: number) {
    this.#target = target
  }

  async open(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** Each request's first line, before it goes on. */
  onRequest(listener: (request: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  cut(): void {
    for (const socket of this.#pairs) socket.destroy()
  }

  /** Settles when the gateway has asked for its events again. */
  connected(): Promise<void> {
    return new Promise(resolve => {
      const stop = this.onRequest(request => {
        if (!request.startsWith('GET /ari/events')) return
        stop()
        resolve()
      })
    })
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #forward(inner: Socket): void {
    const outer = connect(this.#target, '127.0.0.1')
    for (const [socket, other] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      this.#pairs.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#pairs.delete(socket)
        other.destroy()
      })
    }
    inner.on('data', data => {
      for (const [request] of data.toString('latin1').matchAll(/^(GET|POST|DELETE|PUT) \S+/gm)) {
        for (const listener of [...this.#listeners]) listener(request)
      }
    })
    inner.pipe(outer)
    outer.pipe(inner)
  }
}
