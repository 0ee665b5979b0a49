import { onTestFinished } from 'vitest'
import type { Leg, LegEvent, Line } from '../../src/call/ports.ts'
import type { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import type { Address } from '../../src/plane/line.ts'
import { Scope } from '../../src/scope.ts'
import { createTelephony } from '../../src/telephony/telephony.ts'
import type { VoicemailListener } from '../../src/telephony/voicemail.ts'
import { FakeAri } from '../support/fake-ari.ts'
import { seeded } from '../support/random.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

export const LEASE_MS = 15_000

export async function fakeAri(password?: string): Promise<FakeAri> {
  const asterisk = new FakeAri(password)
  await asterisk.start()
  onTestFinished(() => asterisk.stop())
  return asterisk
}

/** A gateway's telephony against a fake Asterisk: real sockets, virtual time. */
export class Gateway {
  readonly clock = new VirtualClock()
  readonly legs: Leg[] = []
  readonly events = new Map<string, LegEvent[]>()
  readonly states: { ready: boolean; words: string }[] = []
  readonly troubles: GatewayError[] = []
  readonly leaks: unknown[] = []
  readonly scope = new Scope('gateway', error => this.leaks.push(error))
  readonly telephony
  onVoicemail: VoicemailListener = async () => {}
  #failuresSeen = 0

  constructor(asterisk: FakeAri, { password = asterisk.password, app = 'parley', seed = 1 } = {}) {
    this.telephony = createTelephony({
      ari: { url: asterisk.url, username: 'parley', password, app },
      leaseMs: LEASE_MS,
      clock: this.clock,
      random: seeded(seed),
      scope: this.scope,
      onState: (ready, words) => this.states.push({ ready, words }),
      onTrouble: error => this.troubles.push(error),
      onVoicemail: voicemail => this.onVoicemail(voicemail),
    })
    this.telephony.onOffered(leg => this.#take(leg))
    onTestFinished(() => this.scope.close())
  }

  async start(): Promise<this> {
    await this.telephony.start()
    return this
  }

  /** Time passes on a healthy link: slowly enough for heartbeats to be answered. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      this.clock.advance(Math.min(left, 1_000))
      await this.telephony.inspect()
    }
  }

  /** Long enough for a request that is not waited for to come and go. */
  async ioTurns(): Promise<void> {
    for (let turn = 0; turn < 25; turn++) await this.clock.settle()
  }

  /** Until the next sweep has run. */
  async sweep(): Promise<void> {
    await this.pass(limits.ari.sweepMs)
    await this.telephony.inspect()
  }

  /** The next attempt to connect fails, and the wait after it passes. */
  async failAndBackOff(waitMs: number = limits.ari.backoffMs.most): Promise<void> {
    await until(() => this.#failures > this.#failuresSeen)
    this.#failuresSeen = this.#failures
    await this.clock.settle()
    this.clock.advance(waitMs)
  }

  async readyAgain(): Promise<void> {
    for (;;) {
      await until(() => this.telephony.ready || this.#failures > this.#failuresSeen)
      if (this.telephony.ready) return
      await this.failAndBackOff()
    }
  }

  get #failures(): number {
    return this.states.filter(({ ready }) => !ready).length
  }

  async offered(id: string): Promise<Leg> {
    await until(() => this.legs.some(leg => leg.id === id))
    return this.legs.find(leg => leg.id === id)!
  }

  async gone(id: string): Promise<string> {
    const isGone = (event: LegEvent) => event.kind === 'gone'
    await until(() => this.events.get(id)?.some(isGone) ?? false)
    const event = this.events.get(id)?.find(isGone)
    return event?.kind === 'gone' ? event.cause : ''
  }

  #take(leg: Leg): void {
    const events: LegEvent[] = []
    this.legs.push(leg)
    this.events.set(leg.id, events)
    leg.onEvent(event => events.push(event))
  }
}

export async function gateway(asterisk: FakeAri, options: { app?: string; seed?: number } = {}): Promise<Gateway> {
  return new Gateway(asterisk, options).start()
}

/** As much of a line as a leg touches. */
export function fakeLine(law: Line['law'] = 'ulaw') {
  const peers: Address[] = []
  const line = { law, local: { address: '127.0.0.1', port: 40_000 }, connect: (peer: Address) => peers.push(peer) }
  return { line: line as unknown as Line, peers }
}
