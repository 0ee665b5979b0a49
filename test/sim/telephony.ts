import type { CallFacts, Connection, HangupCause, Leg, LegEvent, Line, Telephony } from '../../src/call/ports.ts'
import { type Clock, pause } from '../../src/clock.ts'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import type { PlaneSocket } from '../../src/plane/sockets.ts'
import type { VirtualNetwork } from '../support/virtual-network.ts'
import type { CallPlan, Operation } from './plan.ts'

/** What a leg asks of the caller at its other end. */
export interface FarEnd {
  received(datagram: Uint8Array, port: number): void
  /** Audio flows between the line and the caller's channel. */
  connected(socket: PlaneSocket, line: Line): void
  answered(): void
  hungUp(): void
  handedBack(): void
  leaves(): void
  note(what: string): void
}

const GONE_NOTICE_MS = 5
const FALLBACK_MS = 3_000
const LEASE_MS = 5_000
const LINGER_MS = 200

interface Resources {
  readonly bind: () => PlaneSocket
  readonly mediaMade: () => void
  readonly mediaGone: () => void
  readonly left: (handedBack: boolean) => void
}

/** A PBX in virtual time: it has so many ports, its operations take their time and fail as planned. */
export class SimTelephony implements Telephony {
  ready = true
  readonly #clock: Clock
  readonly #network: VirtualNetwork
  readonly #ports: { readonly start: number; readonly end: number }
  #listener: (leg: Leg) => void = () => {}
  /** Media channels and bridges that legs have made. */
  made = 0
  mostMade = 0
  /** Of the callers' port pairs; media channels have as many of their own. */
  pairsUsed = 0
  mostPairsUsed = 0
  outsiders = 0

  constructor(clock: Clock, network: VirtualNetwork, ports: { readonly start: number; readonly end: number }) {
    this.#clock = clock
    this.#network = network
    this.#ports = ports
  }

  get pairs(): number {
    return Math.floor((this.#ports.end + 1 - this.#ports.start) / 2)
  }

  onOffered(listener: (leg: Leg) => void): void {
    this.#listener = listener
  }

  offer(plan: CallPlan, far: FarEnd, random: () => number): SimLeg {
    // Who is taken over held these before anybody could refuse them.
    const pairs = plan.takenOver ? 0 : 1
    const leg = new SimLeg(plan, far, this.#clock, {
      bind: () => this.#bind(plan, far, random),
      mediaMade: () => {
        this.made += 1
        this.mostMade = Math.max(this.mostMade, this.made)
      },
      mediaGone: () => {
        this.made -= 1
      },
      left: handedBack => this.#left(handedBack, pairs),
    })
    this.#usePairs(pairs)
    this.#listener(leg)
    return leg
  }

  async inspect() {
    return { channels: [], bridges: [] }
  }

  /** A caller who was handed back keeps a port pair while the dialplan serves them. */
  #left(handedBack: boolean, pairs: number): void {
    if (!handedBack) return this.#usePairs(-pairs)
    this.outsiders += 1
    this.#clock.after(FALLBACK_MS, () => {
      this.outsiders -= 1
      this.#usePairs(-pairs)
    })
  }

  #usePairs(change: number): void {
    this.pairsUsed += change
    this.mostPairsUsed = Math.max(this.mostPairsUsed, this.pairsUsed)
  }

  #bind({ conditions }: CallPlan, far: FarEnd, random: () => number): PlaneSocket {
    const { start, end } = this.#ports
    const listener = {
      received: (datagram: Uint8Array, _address: string, port: number) => far.received(datagram, port),
      failed: () => {},
    }
    // Ports are used again as soon as they are free.
    for (let port = start + 2 * Math.floor((random() * (end - start)) / 2), tries = 0; ; port += 2, tries++) {
      if (port > end) port = start
      if (tries > end - start) throw new Error('the PBX has no port left')
      if (!this.#network.taken(port)) return this.#network.bind(listener, { port, conditions })
    }
  }
}

/** A caller's channel, as the real leg behaves towards its call. */
export class SimLeg implements Leg {
  readonly id: string
  readonly takenOver: boolean
  readonly facts: CallFacts
  closed = false
  #handedBack = false
  readonly #plan: CallPlan
  readonly #far: FarEnd
  readonly #clock: Clock
  readonly #resources: Resources
  readonly #early: LegEvent[] = []
  #listener: ((event: LegEvent) => void) | undefined
  #caller: 'ours' | 'leaving' | 'left' = 'ours'
  #connecting: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined
  #socket: PlaneSocket | undefined

  constructor(plan: CallPlan, far: FarEnd, clock: Clock, resources: Resources) {
    this.id = plan.id
    this.takenOver = plan.takenOver
    this.facts = {
      calledUser: 'bianca',
      requestUri: `sip:bianca@192.0.2.1:5061;callSid=${plan.id}`,
      parameters: { callSid: plan.id },
      headers: {},
      callerNumber: '+15550100300',
      law: plan.law,
    }
    this.#plan = plan
    this.#far = far
    this.#clock = clock
    this.#resources = resources
  }

  connect(line: Line): Promise<Connection> {
    const connecting = this.#connect(line)
    this.#connecting = connecting.catch(() => {})
    return connecting
  }

  async #connect(line: Line): Promise<Connection> {
    await this.#operate('connect')
    if (this.closed) throw gone()
    this.#socket = this.#resources.bind()
    this.#resources.mediaMade()
    line.connect(this.#socket.local)
    await pause(this.#clock, this.#plan.leg.tookMs.connect / 4)
    if (this.closed) throw gone()
    this.#far.connected(this.#socket, line)
    return {
      channel: `${this.id}-media`,
      bridge: `${this.id}-bridge`,
      ports: { gateway: line.local.port, asterisk: this.#socket.local.port },
    }
  }

  async answer(): Promise<void> {
    await this.#operate('answer', () => this.#far.answered())
  }

  async sendDigits(digits: string): Promise<void> {
    this.#assertPresent()
    this.#far.note(`sendDigits ${digits}`)
  }

  async handBack(reason: string): Promise<void> {
    this.#assertPresent()
    this.#caller = 'leaving'
    await this.#operate('handBack', () => this.#far.handedBack(), reason)
    this.#handedBack = true
    this.#leaveSoon()
  }

  async hangup(cause: HangupCause): Promise<void> {
    if (this.#caller === 'left') return
    this.#caller = 'leaving'
    await this.#operate('hangup', () => this.#far.hungUp(), cause)
    this.#leaveSoon()
  }

  onEvent(listener: (event: LegEvent) => void): void {
    this.#listener = listener
    for (const event of this.#early.splice(0)) listener(event)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.closed = true
    await this.#connecting
    await pause(this.#clock, this.#plan.leg.tookMs.close)
    const socket = this.#socket
    if (socket) {
      this.#resources.mediaGone()
      // What is on its way is still counted.
      this.#clock.after(LINGER_MS, () => socket.close())
    }
    if (this.#caller === 'ours') await this.handBack('closed').catch(() => {})
    // The lease of a caller whom nobody could give back runs out.
    this.#clock.after(LEASE_MS, () => {
      if (this.#caller === 'left') return
      this.#far.handedBack()
      this.#handedBack = true
      this.leave()
    })
  }

  /** Its agent is done with the caller: how long the PBX then takes is not the agent's silence. */
  get leaving(): boolean {
    return this.#caller !== 'ours'
  }

  /** The caller's channel is gone. */
  leave(): void {
    if (this.#caller === 'left') return
    this.#caller = 'left'
    this.#resources.left(this.#handedBack)
    this.happen({ kind: 'gone', how: 'hungUp', cause: 'hung up' })
    void this.close()
  }

  happen(event: LegEvent): void {
    if (this.#listener) this.#listener(event)
    else this.#early.push(event)
  }

  #leaveSoon(): void {
    this.#clock.after(GONE_NOTICE_MS, () => this.leave())
  }

  async #operate(operation: Operation, took = () => {}, detail = ''): Promise<void> {
    this.#assertPresent()
    this.#far.note(`${operation} ${detail}`.trim())
    const trouble = this.#plan.leg.troubles[operation]
    const ms = this.#plan.leg.tookMs[operation]
    if (trouble === 'callerLeaves') this.#clock.after(ms / 2, () => this.#far.leaves())
    await pause(this.#clock, trouble === 'timesOut' ? limits.ari.requestMs : ms)
    if (trouble === 'timesOut') throw new GatewayError('ARI_TIMEOUT', `${operation} took too long.`)
    if (trouble === 'rejected') throw new GatewayError('ARI_REJECTED', `${operation} was rejected.`)
    this.#assertPresent()
    took()
  }

  #assertPresent(): void {
    if (this.#caller === 'left') throw gone()
  }
}

function gone(): GatewayError {
  return new GatewayError('CHANNEL_GONE', "The caller's channel is gone.")
}
