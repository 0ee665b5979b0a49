import type { ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { stringify } from 'yaml'
import type { CallEvent } from '../../../src/call/events.ts'
import { readJournal } from '../../../src/call/journal-reader.ts'
import { type Call, placeCall } from '../../../src/caller/call.ts'
import type { CallOptions } from '../../../src/caller/invitation.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import { Wheel } from '../../../src/media/wheel.ts'
import { freePort } from '../../support/asterisk.ts'
import { seedDatabase } from '../../support/database.ts'
import { databaseOn } from '../../support/postgres.ts'
import { seeded } from '../../support/random.ts'
import type { SmallDisk } from '../../support/small-disk.ts'
import { compiledModules, spawnTied } from '../../support/tied.ts'
import { sharedServer } from '../shared-server.ts'
import { Wire } from './wire.ts'

const root = join(import.meta.dirname, '../../..')
const wheel = new Wheel(systemClock)

/** What the agent of a test house says first: unlike words, it can be measured. */
export const greetingHz = 440
const greeting = `[tone ${greetingHz} 600ms]`

/**
 * Has heard the greeting to its end. A busy machine may lose a frame or two of it; that it comes whole is asked where
 * that is the subject.
 */
export async function greeted(call: Call): Promise<Call> {
  await call.hearsTone(greetingHz, { forMs: 400 })
  await call.hearsSilence(60)
  return call
}

export interface HouseOptions {
  /** Further variables of the gateway's environment. */
  readonly environment?: Readonly<Record<string, string>>
  readonly greeting?: string
  /** Further settings of the business. */
  readonly business?: Readonly<Record<string, unknown>>
  /** Where calls reach an Asterisk that another house runs. */
  readonly sipPort?: number
  /** How many ports Asterisk has for callers. */
  readonly rtpPorts?: number
  /** Lets a test see and cut the way from the gateway to Asterisk. */
  readonly throughWire?: boolean
  /** By default it is one on the server that all houses share. */
  readonly database?: 'embedded' | 'server'
  /** All that it keeps is there. */
  readonly disk?: SmallDisk
}

export interface CallView {
  readonly id: string
  readonly state: string
}

/** A whole Parley on ports of its own: the gateway as a process, as `npm start` runs it, and its Asterisk. */
export class House implements AsyncDisposable {
  readonly environment: Readonly<Record<string, string>>
  readonly stateDir: string
  readonly sipPort: number
  readonly httpPort: number
  readonly log: string[] = []
  readonly wire: Wire
  #gateway: ChildProcess | undefined
  readonly #calls = new Set<Call>()
  readonly #dropDatabase: () => Promise<void>
  readonly #disk: SmallDisk | undefined

  private constructor(
    stateDir: string,
    ports: { sip: number; http: number },
    wire: Wire,
    environment: Record<string, string>,
    dropDatabase: () => Promise<void>,
    disk: SmallDisk | undefined,
  ) {
    this.stateDir = stateDir
    this.#dropDatabase = dropDatabase
    this.#disk = disk
    this.wire = wire
    this.sipPort = ports.sip
    this.httpPort = ports.http
    this.environment = environment
  }

  static async open(options: HouseOptions = {}): Promise<House> {
    await sweepAbandoned()
    const stateDir = options.disk?.outside ?? (await mkdtemp(join(tmpdir(), `parley-house-${process.pid}-`)))
    /** For the gateway. */
    const place = options.disk?.path ?? stateDir
    await writeFile(
      join(stateDir, 'business.yaml'),
      stringify({ name: 'Test house', greeting: options.greeting ?? greeting, ...options.business }),
    )
    const embedded = options.database === 'embedded'
    if (embedded) await seedDatabase(join(stateDir, 'state/database'))
    const shared = process.env[sharedServer]
    if (!embedded && !shared) throw new Error('no server is shared here: open it with the embedded database')
    const database = embedded || !shared ? undefined : await databaseOn(shared)
    const [sip, http, ari] = await Promise.all([freePort(), freePort(), freePort()])
    const rtpStart = 10_400 + 800 * randomInt(17)
    const wire = new Wire(ari)
    const ariPort = options.throughWire ? await wire.open() : ari
    const environment = {
      ...compiledModules(),
      PATH: process.env['PATH'] ?? '',
      HOME: place,
      STATE_DIR: join(place, 'state'),
      ASTERISK_CACHE: join(root, '.parley/asterisk'),
      SPEECH_CACHE: join(root, '.parley/speech'),
      AGENT_ENGINE: 'scripted',
      // Beside callers whose sound is judged.
      TRANSCRIBER: 'none',
      BUSINESS_FILE: join(place, 'business.yaml'),
      HTTP_PORT: String(http),
      SIP_TCP_PORT: String(sip),
      SIP_UDP_PORT: String(sip),
      ARI_PORT: String(ari),
      ARI_URL: `http://127.0.0.1:${ariPort}`,
      RTP_PORT_START: String(rtpStart),
      RTP_PORT_END: String(rtpStart + (options.rtpPorts ?? 400) - 1),
      DRAIN_SECONDS: '1',
      ...(database && { DATABASE_URL: database.url }),
      ...options.environment,
    }
    const ports = { sip: options.sipPort ?? sip, http }
    const house = new House(stateDir, ports, wire, environment, database?.drop ?? (async () => {}), options.disk)
    await house.start().catch(async error => {
      await house[Symbol.asyncDispose]()
      throw error
    })
    return house
  }

  /** Settles when the gateway says that it is ready; rejects with its own last words when it ends before. */
  async start(): Promise<void> {
    const node = join(root, 'node_modules/node/bin/node')
    const [program = node, ...before] = this.#disk?.within ?? []
    const args = [...before, ...(this.#disk ? [node] : []), join(root, 'src/main.ts')]
    const cwd = this.#disk ? tmpdir() : this.stateDir
    const gateway = spawnTied(program, args, { cwd, env: this.environment })
    this.#gateway = gateway
    await new Promise<void>((resolve, reject) => {
      const read = (line: string) => {
        this.log.push(line)
        if (line.startsWith('parley ready')) resolve()
      }
      for (const output of [gateway.stdout, gateway.stderr]) if (output) createInterface(output).on('line', read)
      gateway.once('exit', code => reject(new Error(`the gateway ended (${code}):\n${this.log.slice(-20).join('\n')}`)))
    })
  }

  get pid(): number {
    return this.#gateway?.pid ?? 0
  }

  /** Where Asterisk keeps what the fallback records. */
  get recordings(): string {
    return join(this.stateDir, 'state/pbx/spool/recording')
  }

  async ariPassword(): Promise<string> {
    return (await readFile(join(this.stateDir, 'state/ari-password'), 'utf8')).trim()
  }

  async asteriskPid(): Promise<number> {
    return Number.parseInt(await readFile(join(this.stateDir, 'state/asterisk.pid'), 'utf8'), 10)
  }

  /** Settles when the process has ended. */
  async signal(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null> {
    const gateway = this.#gateway
    if (!gateway || gateway.exitCode !== null || gateway.signalCode !== null) return gateway?.exitCode ?? null
    const ended = new Promise<number | null>(resolve => gateway.once('exit', code => resolve(code)))
    gateway.kill(signal)
    return await ended
  }

  async dial(options: Partial<CallOptions> = {}): Promise<Call> {
    const deps = { clock: systemClock, wheel, random: seeded(randomInt(2 ** 31)) }
    const target = { address: '127.0.0.1', port: this.sipPort }
    const call = await placeCall(deps, { target, transport: 'tcp', user: 'bianca', ...options })
    this.#calls.add(call)
    void call.ended.then(() => this.#calls.delete(call))
    return call
  }

  get<T = unknown>(path: string): Promise<{ status: number; body: T }> {
    return this.#ask('GET', path)
  }

  post<T = unknown>(
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: T }> {
    return this.#ask('POST', path, body, headers)
  }

  put<T = unknown>(path: string, body: object): Promise<{ status: number; body: T }> {
    return this.#ask('PUT', path, body)
  }

  delete<T = unknown>(path: string): Promise<{ status: number; body: T }> {
    return this.#ask('DELETE', path)
  }

  /** All of it, or as much as is asked for. */
  async sound(path: string, range?: string): Promise<{ status: number; of: string | null; bytes: Uint8Array }> {
    const response = await this.#fetch(path, { headers: range === undefined ? {} : { range } })
    const of = response.headers.get('content-range')
    return { status: response.status, of, bytes: new Uint8Array(await response.arrayBuffer()) }
  }

  async liveCalls(): Promise<CallView[]> {
    return (await this.get<{ calls: CallView[] }>('/v1/calls?state=live')).body.calls
  }

  /** Everything that the journal holds. */
  async events(): Promise<CallEvent[]> {
    const events: CallEvent[] = []
    for await (const event of readJournal(join(this.stateDir, 'state/journal'))) events.push(event)
    return events
  }

  /** Settles when no call is up, and Asterisk has neither a channel nor a bridge. */
  async isEmpty(): Promise<void> {
    await this.until(async () => {
      const { body } = await this.get<{ channels: unknown[]; bridges: unknown[] }>('/v1/channels')
      return body.channels?.length === 0 && body.bridges.length === 0 && (await this.liveCalls()).length === 0
    })
  }

  async eventually(name: CallEvent['fact']['name']): Promise<void> {
    await this.until(async () => (await this.events()).some(event => event.fact.name === name))
  }

  /** Settles when an Asterisk other than this one takes calls. */
  async isReadyAgain(formerPid: number): Promise<void> {
    await this.until(async () => {
      const pid = await this.asteriskPid().catch(() => formerPid)
      return pid !== formerPid && (await this.get('/readyz')).status === 200
    })
  }

  async draining(): Promise<void> {
    await this.until(async () => JSON.stringify((await this.get('/readyz')).body).includes('stopping'))
  }

  /** Asks again and again; the test's own time limit ends a wait in vain. */
  async until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) await pause(systemClock, 25)
  }

  /** A gateway that was killed leaves its Asterisk up, as it should. */
  async #endAbandonedAsterisk(): Promise<void> {
    const pid = await this.asteriskPid().catch(() => 0)
    if (pid > 0 && isRunning(pid)) process.kill(pid, 'SIGKILL')
  }

  async #ask<T>(
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: T }> {
    const response = await this.#fetch(path, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: (text.startsWith('{') ? JSON.parse(text) : text) as T }
  }

  async #fetch(
    path: string,
    { headers, ...rest }: RequestInit & { headers: Record<string, string> },
  ): Promise<Response> {
    const token = (await readFile(join(this.stateDir, 'state/api-token'), 'utf8')).trim()
    const told = { ...headers, authorization: `Bearer ${token}` }
    return fetch(`http://127.0.0.1:${this.httpPort}${path}`, { ...rest, headers: told })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const call of this.#calls) call.vanish()
    await this.signal('SIGINT')
    this.wire.close()
    await this.#endAbandonedAsterisk()
    await this.#dropDatabase()
    if (!this.#disk) await rm(this.stateDir, { recursive: true, force: true })
  }
}

/** Ends what test runs that were killed have left, and removes their folders. */
async function sweepAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, owner] = /^parley-house-(\d+)-/.exec(name) ?? []
    if (!owner || isRunning(Number(owner))) continue
    const folder = join(tmpdir(), name)
    const pid = Number.parseInt(await readFile(join(folder, 'state/asterisk.pid'), 'utf8').catch(() => '0'), 10)
    if (pid > 0 && isRunning(pid)) process.kill(pid, 'SIGKILL')
    // Whoever was just killed may be writing its last.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** A process that has ended and waits to be reaped by its parent runs no more. */
export function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
