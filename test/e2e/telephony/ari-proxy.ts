import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Told of a request before it goes on; what is lost takes its connection with it. */
type Watcher = (method: string, path: string) => Promise<'request' | 'answer' | undefined>

/** Stands between a gateway and Asterisk's ARI: cuts connections, and lets a test act just before a request. */
export class AriProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #pairs = new Map<Socket, Socket>()
  readonly #events = new Set<Socket>()
  /** The request goes on when it settles. */
  beforeRequest: (method: string, path: string) => Promise<void> | void = () => {}

  afterRequest: () => void = () => {}

  readonly #watchers = new Set<Watcher>()
  readonly #answersLost = new Set<Socket>()

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

  /** The returned function ends it. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
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
    asterisk.on('data', chunk => {
      if (this.#answersLost.has(client)) client.destroy()
      else client.write(chunk)
    })
    asterisk.on('end', () => client.end())
    for (const [from, to] of [
      [client, asterisk],
      [asterisk, client],
    ] as const) {
      from.on('error', () => {})
      from.on('close', () => {
        to.destroy()
        this.#pairs.delete(client)
        this.#answersLost.delete(client)
        this.#events.delete(client)
      })
    }
  }

  async #forward(client: Socket, asterisk: Socket, chunk: Buffer): Promise<void> {
    const [, method, path] = /^(GET|POST|DELETE) (\S+) HTTP\/1.1\r\n/.exec(chunk.toString('latin1')) ?? []
    if (path?.startsWith('/ari/events')) this.#events.add(client)
    if (method && path) {
      const asked = decodeURIComponent(path.replace(/^\/ari/, ''))
      await this.beforeRequest(method, asked)
      for (const watcher of this.#watchers) {
        const lost = await watcher(method, asked)
        if (lost === 'request') client.destroy()
        if (lost === 'answer') this.#answersLost.add(client)
      }
    }
    if (asterisk.writable && !client.destroyed) asterisk.write(chunk)
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
