import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Stands between a gateway and Asterisk's ARI: cuts connections, and lets a test act just before a request. */
export class AriProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #pairs = new Map<Socket, Socket>()
  readonly #events = new Set<Socket>()
  /** The request goes on when it settles. */
  beforeRequest: (method: string, path: string) => Promise<void> | void = () => {}

  afterRequest: () => void = () => {}

  private constructor(port: number) {
    this.#server = createServer(client => this.#join(client, connect(port, '127.0.0.1')))
  }

  static async open(port: number): Promise<AriProxy> {
    const proxy = new AriProxy(port)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  cutEvents(): void {
    for (const client of this.#events) client.destroy()
  }

  #join(client: Socket, asterisk: Socket): void {
    this.#pairs.set(client, asterisk)
    let sent = Promise.resolve()
    client.on('data', chunk => {
      sent = sent.then(() => this.#forward(client, asterisk, chunk))
    })
    asterisk.pipe(client)
    for (const [from, to] of [
      [client, asterisk],
      [asterisk, client],
    ] as const) {
      from.on('error', () => {})
      from.on('close', () => {
        to.destroy()
        this.#pairs.delete(client)
        this.#events.delete(client)
      })
    }
  }

  async #forward(client: Socket, asterisk: Socket, chunk: Buffer): Promise<void> {
    const [, method, path] = /^(GET|POST|DELETE) (\S+) HTTP\/1.1\r\n/.exec(chunk.toString('latin1')) ?? []
    if (path?.startsWith('/ari/events')) this.#events.add(client)
    if (method && path) await this.beforeRequest(method, decodeURIComponent(path.replace(/^\/ari/, '')))
    if (asterisk.writable) asterisk.write(chunk)
    this.afterRequest()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close()
    for (const [client, asterisk] of this.#pairs) {
      client.destroy()
      asterisk.destroy()
    }
  }
}
