import type {
  CallFacts,
  Connection,
  Dialled,
  DialRequest,
  HangupCause,
  Joined,
  Leg,
  LegEvent,
  Line,
  Telephony,
} from '../../src/call/ports.ts'
import { type Clock, pause } from '../../src/clock.ts'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import type { PlaneSocket } from '../../src/plane/sockets.ts'
import type { VirtualNetwork } from '../support/virtual-network.ts'
import { SimDialled } from './far.ts'
import type { Ledger } from './ledger.ts'
import type { CallPlan, Operation, Trouble } from './plan.ts'

/** What a leg asks of the caller at its other end. */
export interface FarEnd {
  received(datagram: Uint8Array, port: number): void
  /** Audio flows between the line and the caller's channel. */
  connected(socket: PlaneSocket, line: Line): void
  answered(): void
  /** Somebody else is called for them. */
  dialling(): void
  /** They hear that one's own sound, or the line again. */
  hears(whom: 'far' | 'line'): void
  /** They are with that one. */
  joined(): void
  /** That one has hung up. */
  parted(): void
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
  readonly usePairs: (change: number) => void
  readonly bindFar: (received: (datagram: Uint8Array) => void) => PlaneSocket
  readonly ledger: (port: number) => Ledger | undefined
  readonly left: (handedBack: boolean) => void
}

/** A PBX in virtual time: it has so many ports, its operations take their time and fail as planned. */
export class SimTelephony implements Telephony {
  ready = true
  readonly #clock: Clock
  readonly #network: VirtualNetwork
  readonly #ports: { readonly start: number; readonly end: number }
  readonly #ledger: (port: number) => Ledger | undefined
  #listener: (leg: Leg) => void = () => {}
  /** Media channels and bridges that legs have made. */
  made = 0
  mostMade = 0
  /** Of the callers' port pairs; media channels have as many of their own. */
  pairsUsed = 0
  mostPairsUsed = 0
  outsiders = 0

  constructor(
    clock: Clock,
    network: VirtualNetwork,
    ports: { readonly start: number; readonly end: number },
    ledger: (port: number) => Ledger | undefined,
  ) {
    this.#clock = clock
    this.#ledger = ledger
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
      usePairs: change => this.#usePairs(change),
      bindFar: received => this.#bind(plan, { received }, random),
      ledger: this.#ledger,
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

  #bind({ conditions }: CallPlan, far: Pick<FarEnd, 'received'>, random: () => number): PlaneSocket {
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
  #caller: 'ours' | 'joined' | 'leaving' | 'left' = 'ours'
  readonly #dialled = new Set<SimDialled>()
  #dials = 0
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

  async dial({ target }: DialRequest): Promise<Dialled> {
    this.#assertPresent()
    const { fars } = this.#plan
    const plan = fars[this.#dials % fars.length]!
    const id = `${this.id}-far-${++this.#dials}`
    this.#far.note(`dial ${target.dial} ${JSON.stringify(plan)}`)
    this.#far.dialling()
    await this.#take('dial', plan.dials === 'well' ? 'well' : plan.dials, plan.tookMs)
    const { usePairs, bindFar, ledger, mediaMade, mediaGone } = this.#resources
    usePairs(1)
    const dialled: SimDialled = new SimDialled(id, plan, {
      clock: this.#clock,
      ...{ bind: bindFar, ledger, mediaMade, mediaGone },
      gone: () => {
        this.#dialled.delete(dialled)
        usePairs(-1)
      },
      parted: how => this.#parted(how),
      note: what => this.#far.note(what),
    })
    this.#dialled.add(dialled)
    return dialled
  }

  async letHear(what: Dialled | 'music' | undefined): Promise<void> {
    await pause(this.#clock, this.#plan.leg.tookMs.close / 4)
    this.#assertPresent()
    if (what instanceof SimDialled && what.state === 'gone') throw gone()
    this.#far.hears(what ? 'far' : 'line')
  }

  async join(dialled: Dialled): Promise<Joined> {
    const far = dialled as SimDialled
    const { joins, tookMs } = far.plan
    await pause(this.#clock, joins === 'timesOut' ? limits.ari.requestMs : tookMs)
    if (this.#caller !== 'ours') return 'callerGone'
    if (joins === 'otherGone') far.leave()
    if (far.state !== 'answered') return 'otherGone'
    this.#caller = 'joined'
    this.#removeMedia()
    this.#far.joined()
    far.join()
    return 'joined'
  }

  #parted(how: 'hangsUp' | 'vanishes'): void {
    if (this.#caller !== 'joined') return
    if (how === 'hangsUp') {
      this.#far.parted()
      return this.leave()
    }
    // Without a gateway the dialplan has them.
    if (this.closed) {
      this.#far.handedBack()
      this.#handedBack = true
      return this.leave()
    }
    this.#caller = 'ours'
    this.happen({ kind: 'returned' })
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
    this.#removeMedia()
    for (const dialled of [...this.#dialled]) void dialled.close()
    if (this.#caller === 'ours') await this.handBack('closed').catch(() => {})
    // The lease of a caller whom nobody could give back runs out.
    this.#clock.after(LEASE_MS, () => {
      if (this.#caller === 'left' || this.#caller === 'joined') return
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
    for (const dialled of [...this.#dialled]) dialled.leave()
    this.#resources.left(this.#handedBack)
    this.happen({ kind: 'gone', how: 'hungUp', cause: 'hung up' })
    void this.close()
  }

  #removeMedia(): void {
    const socket = this.#socket
    if (!socket) return
    this.#socket = undefined
    this.#resources.mediaGone()
    // What is on its way is still counted.
    this.#clock.after(LINGER_MS, () => socket.close())
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
    await this.#take(operation, this.#plan.leg.troubles[operation] ?? 'well', this.#plan.leg.tookMs[operation])
    took()
  }

  async #take(operation: string, how: Trouble | 'well', ms: number): Promise<void> {
    this.#assertPresent()
    if (how === 'callerLeaves') this.#clock.after(ms / 2, () => this.#far.leaves())
    await pause(this.#clock, how === 'timesOut' ? limits.ari.requestMs : ms)
    if (how === 'timesOut') throw new GatewayError('ARI_TIMEOUT', `${operation} took too long.`)
    if (how === 'rejected') throw new GatewayError('ARI_REJECTED', `${operation} was rejected.`)
    this.#assertPresent()
  }

  #assertPresent(): void {
    if (this.#caller === 'left') throw gone()
  }
}

function gone(): GatewayError {
  return new GatewayError('CHANNEL_GONE', "The caller's channel is gone.")
}
