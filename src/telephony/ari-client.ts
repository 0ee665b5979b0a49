import { type Clock, within } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Address } from '../plane/line.ts'
import {
  type AriBridge,
  type AriChannel,
  type AriConnection,
  type AriEndpoint,
  type AriHangupReason,
  type AriListener,
  type DialplanPlace,
  type ExternalMedia,
  MUSIC,
  type OutgoingChannel,
  type SentKeys,
} from './ari.ts'
import { type AriClient, copyOfAriClient, type Operation } from './ari-client-copy.ts'
import { eventTypes } from './ari-events.ts'
import { AriRejection, AriRequests } from './ari-requests.ts'
import { AriSocket } from './ari-socket.ts'

export interface AriSettings {
  readonly url: string
  readonly username: string
  readonly password: string
  readonly app: string
}

type Parameters = Readonly<Record<string, unknown>>

/** The port, spoken through ari-client. What ari-client does badly is held in the three files beside this one. */
export class AriClientAdapter implements AriEndpoint {
  readonly #settings: AriSettings
  readonly #clock: Clock
  readonly #copy = copyOfAriClient()
  readonly #requests: AriRequests
  #client: AriClient | undefined

  constructor(settings: AriSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    this.#requests = new AriRequests(this.#copy.swagger, clock)
  }

  async connect(listener: AriListener): Promise<AriConnection> {
    const client = this.#client ?? (await this.#attach())
    this.#client = client
    const socket = new AriSocket(client, this.#settings.app, listener)
    const late = () =>
      new GatewayError('ARI_TIMEOUT', "Asterisk's events socket did not open in time.", { retryable: true })
    try {
      await within(this.#clock, limits.ari.requestMs, socket.opened, late)
      await this.#askForEvents()
    } catch (error) {
      socket.close()
      throw error
    }
    return socket
  }

  /** Of every event ari-client builds whole objects: those that nobody acts on are not sent. */
  async #askForEvents(): Promise<void> {
    const filter = { allowed: eventTypes.map(type => ({ type })) }
    await this.#ask('applications', 'filter', { applicationName: this.#settings.app, filter })
  }

  async ping(): Promise<void> {
    await this.#ask('asterisk', 'ping', {})
  }

  async answer(channel: string): Promise<void> {
    await this.#ask('channels', 'answer', { channelId: channel })
  }

  async sendDigits(channel: string, { digits, downMs, upMs }: SentKeys): Promise<void> {
    await this.#ask('channels', 'sendDTMF', { channelId: channel, dtmf: digits, duration: downMs, between: upMs })
  }

  async hangup(channel: string, reason: AriHangupReason): Promise<void> {
    await goneIsFine(this.#ask('channels', 'hangup', { channelId: channel, reason }))
  }

  async continueInDialplan(channel: string, place: DialplanPlace): Promise<void> {
    await this.#ask('channels', 'continueInDialplan', { channelId: channel, ...place })
  }

  async variables<Name extends string>(
    channel: string,
    names: readonly Name[],
  ): Promise<Record<Name, string> | undefined> {
    try {
      const answer = await this.#ask('channels', 'getChannelVars', { channelId: channel, variables: names.join(',') })
      const values = field(answer, 'variables')
      return Object.fromEntries(names.map(name => [name, text(values, name)])) as Record<Name, string>
    } catch (error) {
      if (error instanceof AriRejection && error.code === 'ARI_REJECTED' && error.status === 404) return undefined
      throw error
    }
  }

  async setVariables(channel: string, values: Readonly<Record<string, string>>): Promise<void> {
    await this.#ask('channels', 'setChannelVars', { channelId: channel, variables: values })
  }

  async createExternalMedia({ channel, law, host }: ExternalMedia): Promise<Address> {
    const made = await this.#ask('channels', 'externalMedia', {
      channelId: channel,
      app: this.#settings.app,
      external_host: `${host.address}:${host.port}`,
      format: law,
    })
    const variables = field(made, 'channelvars')
    return {
      address: text(variables, 'UNICASTRTP_LOCAL_ADDRESS'),
      port: Number(text(variables, 'UNICASTRTP_LOCAL_PORT')),
    }
  }

  async createChannel({ channel, endpoint, originator, variables }: OutgoingChannel): Promise<string> {
    const where = { channelId: channel, app: this.#settings.app, endpoint, originator }
    return text(await this.#ask('channels', 'create', { ...where, variables }), 'name')
  }

  async dial(channel: string, timeoutSeconds: number): Promise<void> {
    await this.#ask('channels', 'dial', { channelId: channel, timeout: timeoutSeconds })
  }

  async startMusic(channel: string): Promise<void> {
    await this.#ask('channels', 'startMoh', { channelId: channel, mohClass: MUSIC })
  }

  async stopMusic(channel: string): Promise<void> {
    await this.#ask('channels', 'stopMoh', { channelId: channel })
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    const eventSource = channels.map(channel => `channel:${channel}`).join(',')
    await this.#ask('applications', 'subscribe', { applicationName: this.#settings.app, eventSource })
  }

  async createBridge(bridge: string): Promise<void> {
    // proxy_media keeps Asterisk from joining the two RTP streams natively, past its own jitter-free simple bridge.
    await this.#ask('bridges', 'createWithId', { bridgeId: bridge, type: 'mixing,proxy_media' })
  }

  async addToBridge(bridge: string, channels: readonly string[]): Promise<void> {
    await this.#ask('bridges', 'addChannel', { bridgeId: bridge, channel: channels.join(',') })
  }

  async destroyBridge(bridge: string): Promise<void> {
    await goneIsFine(this.#ask('bridges', 'destroy', { bridgeId: bridge }))
  }

  async channels(): Promise<AriChannel[]> {
    const channels = list(await this.#ask('channels', 'list', {}))
    return channels.map(channel => {
      const dialplan = field(channel, 'dialplan')
      return {
        id: text(channel, 'id'),
        name: text(channel, 'name'),
        state: text(channel, 'state'),
        context: text(dialplan, 'context'),
        inStasis: text(dialplan, 'app_name') === 'Stasis',
      }
    })
  }

  async bridges(): Promise<AriBridge[]> {
    const bridges = list(await this.#ask('bridges', 'list', {}))
    return bridges.map(bridge => ({
      id: text(bridge, 'id'),
      technology: text(bridge, 'technology'),
      channels: list(field(bridge, 'channels')).map(String),
    }))
  }

  async ownChannels(): Promise<string[]> {
    const application = await this.#ask('applications', 'get', { applicationName: this.#settings.app })
    return list(field(application, 'channel_ids')).map(String)
  }

  async storedRecordings(): Promise<string[]> {
    return list(await this.#ask('recordings', 'listStored', {})).map(recording => text(recording, 'name'))
  }

  async fetchRecording(name: string): Promise<Uint8Array> {
    const file = await this.#ask('recordings', 'getStoredFile', { recordingName: name })
    return file instanceof Uint8Array ? file : unexpected()
  }

  async deleteRecording(name: string): Promise<void> {
    await goneIsFine(this.#ask('recordings', 'deleteStored', { recordingName: name }))
  }

  /** Reads the API once; ari-client builds its operations from it. */
  async #attach(): Promise<AriClient> {
    const { url, username, password } = this.#settings
    // ari-client's first request cannot be given up, so an Asterisk that is frozen must be noticed before.
    await this.#requests.run('the connection', () => this.#knock())
    return this.#requests.run('the API', () => this.#copy.ariClient.connect(url, username, password))
  }

  #knock(): Promise<unknown> {
    const { url, username, password } = this.#settings
    const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
    return new Promise((response, error) => {
      new this.#copy.swagger.SwaggerHttp().execute({
        url: new URL('/ari/asterisk/ping', url).href,
        method: 'get',
        headers: { authorization },
        on: { response, error },
      })
    })
  }

  async #ask(resource: string, operation: string, parameters: Parameters): Promise<unknown> {
    const name = `${resource}.${operation}`
    const operations = this.#client?.[resource] as Record<string, Operation> | undefined
    if (!operations) throw new GatewayError('ARI_UNREACHABLE', `Asterisk is not connected yet (${name}).`)
    const run = operations[operation]
    if (!run) throw new GatewayError('ARI_REJECTED', `This Asterisk has no ${name}: 22.10.1 or later is needed.`)
    return this.#requests.run(name, () => run(parameters))
  }
}

/** What is to be removed and is not there needs no removing. */
async function goneIsFine(removal: Promise<unknown>): Promise<void> {
  try {
    await removal
  } catch (error) {
    if (!(error instanceof AriRejection && error.status === 404)) throw error
  }
}

function field(from: unknown, name: string): unknown {
  return typeof from === 'object' && from !== null ? Reflect.get(from, name) : unexpected()
}

function text(from: unknown, name: string): string {
  const value = field(from, name)
  return typeof value === 'string' ? value : unexpected()
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : unexpected()
}

function unexpected(): never {
  throw new GatewayError('ARI_REJECTED', "Asterisk's answer is not of the documented form.")
}
