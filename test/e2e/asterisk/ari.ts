import { WebSocket } from 'ws'
import type { AsteriskSettings } from '../../../src/telephony/asterisk/settings.ts'

export interface AriEvent {
  readonly type: string
  readonly args?: readonly string[]
  readonly recording?: { readonly name: string }
  readonly channel?: { readonly id: string; readonly dialplan: { readonly context: string; readonly app_name: string } }
}

/** Just enough of ARI for a test: an application that is connected, and requests. */
export class TestAri implements AsyncDisposable {
  readonly #settings: AsteriskSettings
  #socket: WebSocket | undefined
  readonly #events: AriEvent[] = []
  readonly #waiting = new Set<() => void>()

  constructor(settings: AsteriskSettings) {
    this.#settings = settings
  }

  /** As the gateway's application, or as another one that is told what happens to every channel. */
  async connect(as: 'gateway' | 'witness'): Promise<this> {
    const { port, username, password, app } = this.#settings.ari
    const query = as === 'gateway' ? `app=${app}` : 'app=witness&subscribeAll=true'
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ari/events?${query}&api_key=${username}:${password}`)
    this.#socket = socket
    socket.on('message', data => {
      this.#events.push(JSON.parse(String(data)))
      for (const look of [...this.#waiting]) look()
    })
    await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject))
    return this
  }

  /** The next event like this that nobody has taken. */
  event(type: string, like: (event: AriEvent) => boolean = () => true): Promise<AriEvent> {
    return new Promise(resolve => {
      const look = () => {
        const index = this.#events.findIndex(event => event.type === type && like(event))
        if (index < 0) return
        this.#waiting.delete(look)
        const [event] = this.#events.splice(index, 1)
        if (event) resolve(event)
      }
      this.#waiting.add(look)
      look()
    })
  }

  async request(method: string, path: string, password?: string): Promise<{ status: number; body: unknown }> {
    const reply = await this.#fetch(method, path, password)
    const text = await reply.text()
    return { status: reply.status, body: text ? JSON.parse(text) : undefined }
  }

  async file(path: string): Promise<Buffer> {
    return Buffer.from(await (await this.#fetch('GET', path)).arrayBuffer())
  }

  #fetch(method: string, path: string, password = this.#settings.ari.password): Promise<Response> {
    const { port, username } = this.#settings.ari
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    return fetch(`http://127.0.0.1:${port}/ari${path}`, { method, headers: { authorization, connection: 'close' } })
  }

  async [Symbol.asyncDispose]() {
    const socket = this.#socket
    if (!socket || socket.readyState === WebSocket.CLOSED) return
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
    socket.close()
    await closed
  }
}
