import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { pause, systemClock } from '../../src/clock.ts'
import { freePort } from '../../test/support/asterisk.ts'
import type { CallerRequests } from '../programs/caller.ts'
import type { EchoRequests } from '../programs/echo.ts'
import type { GatewayRequests } from '../programs/gateway.ts'
import { percentiles } from '../report/percentiles.ts'
import type { Conditions } from '../report/row.ts'
import { Child } from './child.ts'
import { type Usage, type Watched, watchProcessors } from './processors.ts'

const root = join(import.meta.dirname, '../..')
/** Stays until the next house is opened, for whoever wants to know what the gateway said. */
const directory = join(root, '.parley/bench')
const logFile = join(directory, 'gateway.log')
/** Below the ports that the system hands out by itself, with as many above for the way to the gateway. */
const RTP_PORTS = { start: 10_000, end: 11_999 }

const CALL_EVERY_MS = 40
/** For what is done once, and for a greeting to be heard. */
const SETTLE_MS = 2_000
const IDLE_MS = 2_000

export interface Surroundings {
  /** Besides what every gateway of the bench is told. */
  readonly environment?: Readonly<Record<string, string>>
  /** Whoever else takes part. */
  readonly watched?: Readonly<Record<string, Watched>>
}

/** A whole Parley with its callers, each in a process of its own: gateway, Asterisk, callers, bare echo. */
export class House implements AsyncDisposable {
  readonly gateway: Child<GatewayRequests>
  readonly caller: Child<CallerRequests>
  readonly echo: Child<EchoRequests>
  readonly sipPort: number
  readonly #watched: Readonly<Record<string, Watched>>
  #httpAddress = ''
  #asteriskPid = 0

  private constructor(ports: { sip: number; http: number; ari: number }, surroundings: Surroundings) {
    this.sipPort = ports.sip
    this.#watched = surroundings.watched ?? {}
    const basic = { PATH: process.env['PATH'] ?? '', HOME: directory }
    const environment = {
      ...basic,
      ...(process.env['ASTERISK'] ? { ASTERISK: process.env['ASTERISK'] } : {}),
      ASTERISK_CACHE: join(root, '.parley/asterisk'),
      STATE_DIR: join(directory, 'state'),
      HTTP_PORT: String(ports.http),
      SIP_TCP_PORT: String(ports.sip),
      SIP_UDP_PORT: String(ports.sip),
      ARI_PORT: String(ports.ari),
      RTP_PORT_START: String(RTP_PORTS.start),
      RTP_PORT_END: String(RTP_PORTS.end),
      DRAIN_SECONDS: '1',
      ...surroundings.environment,
    }
    this.gateway = new Child(program('gateway'), { environment, logFile, nodeOptions: ['--expose-gc'] })
    this.caller = new Child(program('caller'), { environment: basic })
    this.echo = new Child(program('echo'), { environment: basic })
  }

  static async open(surroundings: Surroundings = {}): Promise<House> {
    await rm(directory, { recursive: true, force: true })
    await mkdir(directory, { recursive: true })
    const [sip, http, ari] = await Promise.all([freePort(), freePort(), freePort()])
    const house = new House({ sip, http, ari }, surroundings)
    try {
      await house.#ready()
      return house
    } catch (error) {
      const said = await readFile(logFile, 'utf8')
      await house[Symbol.asyncDispose]()
      throw new Error(`the gateway did not start:\n${said.slice(-2_000)}`, { cause: error })
    }
  }

  async #ready(): Promise<void> {
    this.#httpAddress = await this.gateway.ask('ready')
    this.#asteriskPid = Number.parseInt(await readFile(join(directory, 'state/asterisk.pid'), 'utf8'), 10)
  }

  #watch(): () => Usage {
    return watchProcessors({
      gateway: { pid: this.gateway.pid },
      ...threadsOf(this.gateway.pid),
      Asterisk: { pid: this.#asteriskPid },
      caller: { pid: this.caller.pid },
      ...this.#watched,
    })
  }

  /** What everybody takes while nothing happens. */
  async idle(): Promise<Usage> {
    const stopWatching = this.#watch()
    await pause(systemClock, IDLE_MS)
    return stopWatching()
  }

  /** More calls come, and stay. */
  async add(
    count: number,
    dialling: { readonly replyMs: number; readonly toldEach?: number | undefined; readonly recorded?: boolean },
  ): Promise<void> {
    await this.caller.ask('open', { sipPort: this.sipPort, ...dialling, count, everyMs: CALL_EVERY_MS })
    await pause(systemClock, SETTLE_MS)
  }

  /** What callers do beside a bare echo, and how the machine was meanwhile. */
  async during<T extends { echoMs: readonly number[]; callerLateMs: readonly number[] }>(
    doing: (echoPort: number) => Promise<T>,
  ): Promise<{ talk: T; busy: Usage; conditions: Conditions }> {
    const echoPort = await this.echo.ask('port')
    const stopWatching = this.#watch()
    const talk = await doing(echoPort)
    const busy = stopWatching()
    const { echoMs, callerLateMs } = talk
    return {
      talk,
      busy,
      conditions: { ...busy, echoMs: percentiles(echoMs), callerLateMs: percentiles(callerLateMs) },
    }
  }

  async asteriskRssBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.#asteriskPid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024
  }

  async asteriskDescriptors(): Promise<number> {
    return (await readdir(`/proc/${this.#asteriskPid}/fd`)).length
  }

  /** Asks the operator's API, on a connection that is closed at once: it must not count as one of the gateway's own. */
  async api(path: string): Promise<string> {
    const token = (await readFile(join(directory, 'state/api-token'), 'utf8')).trim()
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const headers = { authorization: `Bearer ${token}` }
    const request = get(`${this.#httpAddress}${path}`, { agent: false, headers }, async response => {
      const parts: Buffer[] = []
      for await (const part of response) parts.push(part)
      resolve(Buffer.concat(parts).toString())
    })
    request.on('error', reject)
    return promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.caller, this.echo].map(child => child[Symbol.asyncDispose]()))
    await this.gateway[Symbol.asyncDispose]()
  }
}

function program(name: string): URL {
  return new URL(`../programs/${name}.ts`, import.meta.url)
}

/** By the names that Linux shows; V8's workers compile and collect for all the others. */
function threadsOf(pid: number): Record<string, Watched> {
  const names = { main: 'MainThread', media: 'media', recording: 'recording', database: 'database', "V8's": 'V8Worker' }
  return Object.fromEntries(
    Object.entries(names).map(([name, thread]) => [`of it ${name}`, { pid, thread, within: true }]),
  )
}
