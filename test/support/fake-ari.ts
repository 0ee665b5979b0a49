import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { apiDocs } from './fake-ari-docs.ts'

interface FakeChannel {
  readonly id: string
  readonly name: string
  state: 'Down' | 'Ring' | 'Up'
  /** The application it is in, while it is in one. */
  app: string | undefined
  readonly variables: Map<string, string>
  /** Where the dialplan has it after it was given back. */
  place: string | undefined
  context?: string
  dialled?: boolean
}

interface FakeBridge {
  readonly id: string
  readonly type: string
  readonly channels: Set<string>
}

/** Of a bridge that the dialplan has made of a caller and somebody else, as long as they are in it. */
interface Talk {
  readonly caller: string
  readonly other: string
  readonly bridge: string
}

export interface FakeRequest {
  readonly method: string
  /** Decoded, below `/ari`. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: unknown
}

/**
 * What goes wrong with a request: `hang`, `drop` and a status before anything is done; `hangAfter` and `garbage` when all
 * is done. `before` delays what is done, `answer` what is told of it.
 */
export type Fault =
  | { readonly status: number }
  | { readonly before: Promise<void> }
  | { readonly answer: Promise<void> }
  | 'hang'
  | 'drop'
  | 'hangAfter'
  | 'garbage'

class Refusal extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * A small Asterisk as ARI shows it: true HTTP, true WebSocket, the rules and words of Asterisk 22.10.1 for the operations
 * that the gateway uses, and none of the media.
 */
export class FakeAri {
  readonly channels = new Map<string, FakeChannel>()
  readonly bridges = new Map<string, FakeBridge>()
  readonly recordings = new Map<string, Buffer>()
  /** Channels whose end is told wherever they are. */
  readonly #subscribed = new Map<string, string>()
  readonly #talks = new Set<Talk>()
  /** Channels that hear music. */
  readonly music = new Set<string>()
  /** All but the API's description and pings. */
  readonly requests: FakeRequest[] = []
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #wss = new WebSocketServer({ noServer: true, autoPong: false })
  readonly #listeners = new Map<string, WebSocket>()
  readonly #frozen: (() => void)[] = []
  #isFrozen = false
  /** Of events; all of them until a filter is set. */
  #allowed: readonly string[] | undefined
  #count = 0
  password: string
  port = 0
  /** Pings on the events socket are not answered. */
  deaf = false
  fault: (request: FakeRequest) => Fault | undefined = () => undefined
  afterRequest: (request: FakeRequest) => void = () => {}

  constructor(password = 'secret') {
    this.password = password
    this.#server = createServer((request, response) =>
      this.#whenThawed(() => {
        // A client may have given up before its request was read.
        this.#serve(request, response).catch(() => response.destroy())
      }),
    )
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
      socket.on('error', () => {})
    })
    this.#server.on('upgrade', (request, socket: Socket, head) => {
      this.#whenThawed(() => this.#upgrade(request, socket, head))
    })
  }

  /** A second start listens on the same port again, as a restarted Asterisk does. */
  async start(): Promise<void> {
    this.#server.listen(this.port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.port = (this.#server.address() as AddressInfo).port
  }

  /** Dies: every connection is cut. What there was is forgotten only by `forget`. */
  async stop(): Promise<void> {
    this.thaw()
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  get openSockets(): number {
    return this.#sockets.size
  }

  /** Who gets events. */
  get applications(): string[] {
    return [...this.#listeners.keys()]
  }

  freeze(): void {
    this.#isFrozen = true
  }

  thaw(): void {
    this.#isFrozen = false
    for (const go of this.#frozen.splice(0)) go()
  }

  cutEventSockets(): void {
    for (const socket of this.#wss.clients) socket.terminate()
  }

  /** A caller comes to the application, as the dialplan sends them. */
  call(variables: Record<string, string> = {}, app = 'parley', told = true): string {
    const id = `1795226295.${this.#count++}`
    const name = `PJSIP/trunk-${id}`
    const all = {
      PARLEY_URI: encodeURIComponent('sip:bianca@127.0.0.1:5061;transport=tcp;callSid=CA1'),
      PARLEY_HEADERS: '',
      PARLEY_FROM: '+15550001',
      PARLEY_USER: 'bianca',
      'CHANNEL(audionativeformat)': '(ulaw)',
      'CHANNEL(name)': name,
      ...variables,
    }
    this.channels.set(id, { id, name, state: 'Ring', app, variables: new Map(Object.entries(all)), place: undefined })
    if (told) this.#enter(id, ['inbound', all.PARLEY_URI, all.PARLEY_HEADERS, all.PARLEY_FROM, all.PARLEY_USER])
    return id
  }

  hangUp(id: string, cause = 16): void {
    const channel = this.channels.get(id)
    if (!channel) return
    this.#emitOf(channel, 'ChannelHangupRequest', { cause })
    this.#leave(channel)
    this.#emitOf(channel, 'ChannelDestroyed', { cause })
    this.#subscribed.delete(id)
    this.channels.delete(id)
    for (const talk of this.#talks) {
      if (talk.caller !== id && talk.other !== id) continue
      this.#talks.delete(talk)
      this.bridges.delete(talk.bridge)
      if (talk.caller === id) this.hangUp(talk.other)
      else if (cause === 44) this.#giveBack(talk.caller)
      else this.hangUp(talk.caller)
    }
  }

  /** Of what a channel that is dialled hears from the far end: RINGING, PROGRESS, ANSWER; BUSY and others end it. */
  progress(id: string, status: 'RINGING' | 'PROGRESS' | 'ANSWER'): void {
    const channel = this.channels.get(id)
    if (!channel?.dialled) return
    if (status === 'ANSWER') channel.state = 'Up'
    const { app } = channel
    if (app && this.#allowed?.includes('Dial') !== false) {
      const event = { type: 'Dial', application: app, peer: viewOf(channel), dialstatus: status }
      this.#listeners.get(app)?.send(JSON.stringify(event))
    }
  }

  /** The one that was dialled last for this caller. */
  dialledFor(caller: string): string | undefined {
    return [...this.channels.keys()].filter(id => id.includes(`:dialled:${caller}:`)).at(-1)
  }

  /** The dialplan takes the channel back, as it does when the lease runs out. */
  takeBack(id: string): void {
    const channel = this.channels.get(id)
    if (!channel) return
    this.#leave(channel)
    channel.place = 'fallback,T'
    channel.context = 'fallback'
  }

  tell(id: string, type: string, fields: Record<string, unknown> = {}): void {
    const channel = this.channels.get(id)
    if (channel) this.#emitOf(channel, type, fields)
  }

  /** Whatever text, to everyone who listens. */
  sendRaw(text: string): void {
    for (const socket of this.#listeners.values()) socket.send(text)
  }

  #whenThawed(go: () => void): void {
    if (this.#isFrozen) this.#frozen.push(go)
    else go()
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { searchParams } = new URL(request.url ?? '', this.url)
    if (searchParams.get('api_key') !== `parley:${this.password}`) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n')
      return
    }
    this.#wss.handleUpgrade(request, socket, head, client => this.#listen(client, searchParams.get('app') ?? ''))
  }

  #listen(client: WebSocket, app: string): void {
    const former = this.#listeners.get(app)
    if (former) former.send(JSON.stringify({ type: 'ApplicationReplaced', application: app }))
    this.#listeners.set(app, client)
    client.on('ping', data => this.#whenThawed(() => this.deaf || client.pong(data)))
    client.on('close', () => {
      if (this.#listeners.get(app) === client) this.#listeners.delete(app)
    })
  }

  #emitOf(channel: FakeChannel, type: string, fields: Record<string, unknown>): void {
    const application = channel.app ?? this.#subscribed.get(channel.id)
    if (!application || this.#allowed?.includes(type) === false) return
    const event = { type, application, channel: viewOf(channel), ...fields }
    this.#listeners.get(application)?.send(JSON.stringify(event))
  }

  #enter(id: string, args: string[]): void {
    const channel = this.channels.get(id)
    if (channel) this.#emitOf(channel, 'StasisStart', { args })
  }

  #leave(channel: FakeChannel): void {
    for (const bridge of this.bridges.values()) bridge.channels.delete(channel.id)
    if (channel.app) this.#emitOf(channel, 'StasisEnd', {})
    channel.app = undefined
  }

  /** What the dialplan does with a caller who is led to `transferred`. */
  #transfer(caller: FakeChannel): void {
    const name = caller.variables.get('PARLEY_OTHER') ?? ''
    const other = [...this.channels.values()].find(channel => name !== '' && channel.name === name)
    if (!other) return this.#giveBack(caller.id)
    const bridge = `basic-${this.#count++}`
    this.#leave(other)
    other.place = 'bridge'
    this.bridges.set(bridge, { id: bridge, type: 'basic', channels: new Set([caller.id, other.id]) })
    this.#talks.add({ caller: caller.id, other: other.id, bridge })
  }

  #giveBack(id: string): void {
    const channel = this.channels.get(id)
    if (!channel) return
    for (const bridge of this.bridges.values()) bridge.channels.delete(id)
    channel.variables.set('PARLEY_OTHER', '')
    const application = this.#subscribed.get(id) ?? 'parley'
    if (!this.#listeners.has(application)) {
      channel.context = 'fallback'
      channel.place = 'fallback,s,1'
      return
    }
    channel.context = 'returned'
    channel.place = undefined
    channel.app = application
    this.#enter(id, ['returned'])
  }

  async #serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(message.url ?? '', this.url)
    const text = await bodyOf(message)
    const credentials = `Basic ${Buffer.from(`parley:${this.password}`).toString('base64')}`
    if (message.headers.authorization !== credentials) {
      return reply(response, 401, { message: 'Authentication required' })
    }
    const body = text ? JSON.parse(text) : undefined
    const path = decodeURIComponent(url.pathname.replace(/^\/ari/, ''))
    const request = { method: message.method ?? '', path, query: url.searchParams, body }
    if (path !== '/asterisk/ping' && !path.startsWith('/api-docs/')) this.requests.push(request)
    const fault = this.fault(request)
    if (fault === 'hang') return
    if (fault === 'drop') return void response.destroy()
    if (typeof fault === 'object' && 'status' in fault) return reply(response, fault.status, { message: 'Injected' })
    if (typeof fault === 'object' && 'before' in fault) await fault.before
    await this.#answer(request, response, fault)
    this.afterRequest(request)
  }

  async #answer(request: FakeRequest, response: ServerResponse, fault: Fault | undefined): Promise<void> {
    try {
      const [answer, then] = this.#perform(request)
      if (typeof fault === 'object' && 'answer' in fault) await fault.answer
      if (fault === 'garbage') response.setHeader('Content-Type', 'application/json').end('{"id":')
      else if (fault !== 'hangAfter') reply(response, answer === undefined ? 204 : 200, answer)
      then?.()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      reply(response, error.status, { message: error.message })
    }
  }

  /** The answer, and what happens once it is given. */
  #perform({ method, path, query, body }: FakeRequest): [unknown, (() => void)?] {
    const [, resource = '', id = '', action = ''] = path.split('/')
    switch (`${method} ${resource}`) {
      case 'GET asterisk':
        return [{ ping: 'pong' }]
      case 'GET api-docs':
        return [apiDocs(id, `${this.url}/ari`) ?? refuse(404, 'Resource not found')]
      case 'GET applications':
        return [{ name: id, channel_ids: this.#toldTo(id) }]
      case 'POST applications':
        return this.#subscribe(id, query)
      case 'PUT applications':
        this.#allowed = (body as { allowed: { type: string }[] }).allowed.map(({ type }) => type)
        return [{ name: id, channel_ids: [] }]
      case 'GET channels':
        return [id === '' ? [...this.channels.values()].map(viewOf) : this.#variables(id, query)]
      case 'DELETE channels':
        return action === 'moh' ? this.#command(this.#inStasis(id), 'silence', query) : this.#hangUpByRequest(id)
      case 'POST channels':
        if (id === 'externalMedia') return this.#externalMedia(query)
        if (id === 'create') return this.#createChannel(query, body)
        if (action === 'variables') return this.#setVariables(id, body)
        return this.#command(this.#inStasis(id), action, query)
      case 'GET bridges':
        return [[...this.bridges.values()].map(bridgeView)]
      case 'POST bridges':
        return action === 'addChannel' ? this.#addChannel(id, query) : this.#createBridge(id, query)
      case 'DELETE bridges':
        if (!this.bridges.delete(id)) refuse(404, 'Bridge not found')
        return [undefined]
      default:
        return this.#recording(method, path)
    }
  }

  #toldTo(app: string): string[] {
    const isTold = ({ id, app: of }: FakeChannel) => of === app || this.#subscribed.get(id) === app
    return [...this.channels.values()].filter(isTold).map(({ id }) => id)
  }

  #existing(id: string): FakeChannel {
    return this.channels.get(id) ?? refuse(404, 'Channel not found')
  }

  #inStasis(id: string): FakeChannel {
    const channel = this.#existing(id)
    return channel.app ? channel : refuse(409, 'Channel not in Stasis application')
  }

  #variables(id: string, query: URLSearchParams): unknown {
    // Readable wherever the channel is, unlike everything that acts on it.
    const { variables } = this.#existing(id)
    const names = (query.get('variables') ?? '').split(',')
    const found = names.map(name => [name, variables.get(name) ?? refuse(404, 'Provided variable was not found')])
    return { variables: Object.fromEntries(found) }
  }

  #hangUpByRequest(id: string): [unknown, () => void] {
    this.#existing(id)
    return [undefined, () => this.hangUp(id, 32)]
  }

  #setVariables(id: string, body: unknown): [unknown] {
    const { variables } = this.channels.get(id) ?? refuse(404, 'Provided channel was not found')
    const set = (body as { variables: Record<string, string> }).variables
    for (const [name, value] of Object.entries(set)) variables.set(name, value)
    return [undefined]
  }

  #command(channel: FakeChannel, action: string, query: URLSearchParams): [unknown, (() => void)?] {
    if (action === 'answer') channel.state = 'Up'
    if (action === 'dial') channel.dialled = true
    if (action === 'moh') this.music.add(channel.id)
    if (action === 'silence') this.music.delete(channel.id)
    if (action !== 'continue') return [undefined]
    const leave = () => {
      this.#leave(channel)
      channel.place = ['context', 'extension', 'priority'].map(name => query.get(name)).join(',')
      channel.context = query.get('context') ?? ''
      if (channel.context === 'transferred') setImmediate(() => this.#transfer(channel))
    }
    return [undefined, leave]
  }

  #subscribe(app: string, query: URLSearchParams): [unknown] {
    const ids = (query.get('eventSource') ?? '').split(',').map(source => source.replace(/^channel:/, ''))
    for (const id of ids) if (!this.channels.has(id)) refuse(422, 'Event source does not exist')
    for (const id of ids) this.#subscribed.set(id, app)
    return [{ name: app, channel_ids: [] }]
  }

  #externalMedia(query: URLSearchParams): [unknown, () => void] {
    const channelvars = { UNICASTRTP_LOCAL_ADDRESS: '127.0.0.1', UNICASTRTP_LOCAL_PORT: '10000' }
    const [view, enter] = this.#newChannel(query, `UnicastRTP/${query.get('external_host')}`, 'Up')
    return [{ ...view, channelvars }, enter]
  }

  #createChannel(query: URLSearchParams, body: unknown): [unknown, () => void] {
    const name = `${query.get('endpoint')?.replace(/\/.*@/, '/')}-${this.#count++}`
    const [view, enter] = this.#newChannel(query, name, 'Down')
    const { variables = {} } = (body ?? {}) as { variables?: Record<string, string> }
    for (const [key, value] of Object.entries(variables)) this.channels.get(view.id)?.variables.set(key, value)
    // Of what the application has made, the end is told.
    this.#subscribed.set(view.id, query.get('app') ?? '')
    return [view, enter]
  }

  #newChannel(query: URLSearchParams, name: string, state: FakeChannel['state']) {
    const id = query.get('channelId') ?? ''
    if (this.channels.has(id)) refuse(409, 'Channel with given unique ID already exists.')
    const channel: FakeChannel = { id, name, state: 'Down', app: undefined, variables: new Map(), place: undefined }
    this.channels.set(id, channel)
    // As in Asterisk, the channel enters the application a little after the answer has gone out.
    const enter = () =>
      setImmediate(() => {
        channel.app = query.get('app') ?? undefined
        channel.state = state
        if (this.channels.has(id)) this.#enter(id, [])
      })
    return [viewOf(channel), enter] as const
  }

  #createBridge(id: string, query: URLSearchParams): [unknown] {
    if (this.bridges.has(id)) refuse(409, 'Bridge with the same bridgeId already exists')
    const bridge = { id, type: query.get('type') ?? '', channels: new Set<string>() }
    this.bridges.set(id, bridge)
    return [bridgeView(bridge)]
  }

  #addChannel(id: string, query: URLSearchParams): [unknown] {
    const bridge = this.bridges.get(id) ?? refuse(404, 'Bridge not found')
    const ids = (query.get('channel') ?? '').split(',')
    for (const channel of ids) {
      if (!this.channels.has(channel)) refuse(400, 'Channel not found')
      if (!this.channels.get(channel)?.app) refuse(422, 'Channel not in Stasis application')
    }
    for (const channel of ids) {
      for (const other of this.bridges.values()) other.channels.delete(channel)
      bridge.channels.add(channel)
    }
    return [undefined]
  }

  #recording(method: string, path: string): [unknown] {
    const [, , , name = ''] = path.split('/')
    if (name === '') return [[...this.recordings.keys()].map(each => ({ name: each, format: 'wav' }))]
    const file = this.recordings.get(name) ?? refuse(404, 'Recording not found')
    if (method === 'GET') return [file]
    this.recordings.delete(name)
    return [undefined]
  }
}

function refuse(status: number, message: string): never {
  throw new Refusal(status, message)
}

function reply(response: ServerResponse, status: number, answer: unknown): void {
  response.statusCode = status
  if (answer === undefined) response.end()
  else if (Buffer.isBuffer(answer)) response.setHeader('Content-Type', 'audio/wav').end(answer)
  else response.setHeader('Content-Type', 'application/json').end(JSON.stringify(answer))
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function viewOf({ id, name, state, app, context = 'from-twilio' }: FakeChannel) {
  return { id, name, state, dialplan: { context, app_name: app === undefined ? '' : 'Stasis' } }
}

function bridgeView({ id, channels }: FakeBridge) {
  return { id, technology: 'simple_bridge', bridge_type: 'mixing', channels: [...channels] }
}
