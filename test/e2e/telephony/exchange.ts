import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Leg, LegEvent, Line } from '../../../src/call/ports.ts'
import { type Call, placeCall } from '../../../src/caller/call.ts'
import type { CallOptions } from '../../../src/caller/invitation.ts'
import { systemClock } from '../../../src/clock.ts'
import type { GatewayError } from '../../../src/errors.ts'
import { Wheel } from '../../../src/media/wheel.ts'
import { Scope } from '../../../src/scope.ts'
import { createTelephony } from '../../../src/telephony/telephony.ts'
import { startTestAsterisk } from '../../support/asterisk.ts'
import { seeded } from '../../support/random.ts'
import { AriProxy } from './ari-proxy.ts'

const LEASE_SECONDS = 3
const callerDeps = { clock: systemClock, wheel: new Wheel(systemClock), random: seeded(5) }

export type Running = Awaited<ReturnType<typeof startTestAsterisk>>

/** A real Asterisk with a telephony on it, whose requests pass a proxy. */
export class Exchange implements AsyncDisposable {
  readonly running: Running
  readonly proxy: AriProxy
  readonly legs: Leg[] = []
  readonly events = new Map<string, LegEvent[]>()
  readonly states: boolean[] = []
  readonly troubles: GatewayError[] = []
  readonly voicemails = new Map<string, Uint8Array>()
  readonly scope = new Scope('exchange', error => this.troubles.push(error as GatewayError))
  readonly telephony
  readonly #waiting = new Set<() => void>()

  constructor(running: Running, proxy: AriProxy) {
    this.running = running
    this.proxy = proxy
    const { username, password, app } = running.settings.ari
    this.telephony = createTelephony({
      ari: { url: proxy.url, username, password, app },
      leaseMs: LEASE_SECONDS * 1_000,
      clock: systemClock,
      random: Math.random,
      scope: this.scope,
      onState: ready => this.note(() => this.states.push(ready)),
      onTrouble: error => this.note(() => this.troubles.push(error)),
      onVoicemail: async voicemail => {
        const audio = await voicemail.fetch()
        await voicemail.remove()
        this.note(() => this.voicemails.set(voicemail.name, audio))
      },
    })
    this.telephony.onOffered(leg => this.note(() => this.#take(leg)))
    proxy.afterRequest = () => this.note(() => {})
  }

  static async open(running: Running): Promise<Exchange> {
    const exchange = new Exchange(running, await AriProxy.open(running.settings.ari.port))
    await exchange.telephony.start()
    return exchange
  }

  dial(options: Partial<CallOptions> = {}): Promise<Call> {
    const { tcpPort: port, sipUser: user } = this.running.settings
    return placeCall(callerDeps, { target: { address: '127.0.0.1', port }, transport: 'tcp', user, ...options })
  }

  /** Looks whenever something has happened. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>(resolve => this.#waiting.add(resolve))
  }

  change(): Promise<void> {
    return new Promise(resolve => this.#waiting.add(resolve))
  }

  async offered(count = 1): Promise<Leg> {
    await this.until(() => this.legs.length >= count)
    return this.legs[count - 1]!
  }

  async gone(leg: Leg): Promise<string> {
    const isGone = (event: LegEvent) => event.kind === 'gone'
    await this.until(() => this.events.get(leg.id)?.some(isGone) ?? false)
    const event = this.events.get(leg.id)?.find(isGone)
    return event?.kind === 'gone' ? event.cause : ''
  }

  /** What Asterisk has, once that is what is expected; `*` is anything. */
  async has(...expected: string[]): Promise<void> {
    for (;;) {
      const { channels, bridges } = await this.telephony.inspect()
      const ids = [...channels, ...bridges].map(({ id }) => id)
      const found = expected.filter(each => each === '*' || ids.includes(each))
      if (ids.length === expected.length && found.length === expected.length) return
    }
  }

  note(happened: () => void): void {
    happened()
    for (const look of this.#waiting) look()
    this.#waiting.clear()
  }

  #take(leg: Leg): void {
    const events: LegEvent[] = []
    this.legs.push(leg)
    this.events.set(leg.id, events)
    leg.onEvent(event => this.note(() => events.push(event)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scope.close()
    await this.proxy[Symbol.asyncDispose]()
  }
}

export const testAsterisk = () => startTestAsterisk({ leaseSeconds: LEASE_SECONDS })

/** Sends back what it hears: a caller who hears their own tone proves both ways. */
export async function echoLine(law: Line['law']) {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { address, port } = socket.address()
  const connect = (peer: { address: string; port: number }) => {
    socket.on('message', packet => socket.send(packet, peer.port, peer.address))
  }
  const line = { law, local: { address, port }, connect } as unknown as Line
  return { line, [Symbol.asyncDispose]: () => new Promise<void>(resolve => socket.close(() => resolve())) }
}
