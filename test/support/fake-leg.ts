import type {
  CallFacts,
  Connection,
  Dialled,
  DialledEvent,
  DialRequest,
  HangupCause,
  Joined,
  Leg,
  LegEvent,
  Line,
  Telephony,
} from '../../src/call/ports.ts'
import { GatewayError } from '../../src/errors.ts'
import type { Law } from '../../src/media/audio.ts'

const facts: CallFacts = {
  calledUser: 'bianca',
  requestUri: 'sip:bianca@192.0.2.1:5061;transport=tcp;callSid=CA1',
  parameters: { transport: 'tcp', callSid: 'CA1' },
  headers: { 'x-twilio-callsid': 'CA1' },
  callerNumber: '+15550100300',
  law: 'ulaw',
}

/** A caller's channel that does what a test tells it to, and remembers what was asked of it. */
export class FakeLeg implements Leg {
  readonly id: string
  readonly facts: CallFacts
  readonly takenOver: boolean
  readonly log: string[] = []
  closed = false
  /** Operations named here fail as they would on a channel that is gone. */
  readonly failing = new Map<string, Error>()
  /** Whatever is asked of it takes this long; a test of channels that are slow, or reply out of order. */
  took: () => Promise<void> = async () => {}
  /** Whoever was dialled, in this order, and how. */
  readonly dialled: FakeDialled[] = []
  joins: Joined = 'joined'
  #listener: ((event: LegEvent) => void) | undefined
  readonly #early: LegEvent[] = []

  constructor(id: string, options: { takenOver?: boolean; law?: Law } = {}) {
    this.id = id
    this.takenOver = options.takenOver ?? false
    this.facts = { ...facts, law: options.law ?? 'ulaw' }
  }

  async connect(line: Line): Promise<Connection> {
    this.#did('connect')
    line.connect({ address: '127.0.0.1', port: 10_002 })
    return {
      channel: `${this.id}-media`,
      bridge: `${this.id}-bridge`,
      ports: { gateway: line.local.port, asterisk: 10_002 },
    }
  }

  async answer(): Promise<void> {
    this.#did('answer')
  }

  async sendDigits(digits: string): Promise<void> {
    this.#did(`sendDigits ${digits}`)
  }

  async dial(request: DialRequest): Promise<Dialled> {
    this.#did(`dial ${request.target.dial}`)
    await this.took()
    const dialled = new FakeDialled(
      `${this.id}-far-${this.dialled.length + 1}`,
      request,
      () => this.took(),
      what => this.#did(what),
    )
    this.dialled.push(dialled)
    return dialled
  }

  async letHear(what: Dialled | 'music' | undefined): Promise<void> {
    this.#did(`letHear ${what === undefined ? 'line' : what === 'music' ? what : 'far'}`)
    await this.took()
  }

  async join(dialled: Dialled): Promise<Joined> {
    this.#did('join')
    await this.took()
    if (this.joins === 'joined') (dialled as FakeDialled).joined = true
    return this.joins
  }

  async handBack(reason: string): Promise<void> {
    this.#did(`handBack ${reason}`)
  }

  async hangup(cause: HangupCause): Promise<void> {
    this.#did(`hangup ${cause}`)
  }

  onEvent(listener: (event: LegEvent) => void): void {
    this.#listener = listener
    for (const event of this.#early.splice(0)) listener(event)
  }

  async close(): Promise<void> {
    this.closed = true
    this.log.push('close')
  }

  happen(event: LegEvent): void {
    if (this.#listener) this.#listener(event)
    else this.#early.push(event)
  }

  #did(what: string): void {
    const failure = this.failing.get(what.split(' ')[0] ?? '')
    if (failure) throw failure
    this.log.push(what)
  }
}

/** Somebody else's telephone, as a test has it ring, answer and fall silent. */
export class FakeDialled implements Dialled {
  readonly id: string
  readonly request: DialRequest
  closed = false
  joined = false
  readonly #took: () => Promise<void>
  readonly #did: (what: string) => void
  readonly #early: DialledEvent[] = []
  #listener: ((event: DialledEvent) => void) | undefined

  constructor(id: string, request: DialRequest, took: () => Promise<void>, did: (what: string) => void) {
    this.id = id
    this.request = request
    this.#took = took
    this.#did = did
  }

  onEvent(listener: (event: DialledEvent) => void): void {
    this.#listener = listener
    for (const event of this.#early.splice(0)) listener(event)
  }

  async consult(line: Line): Promise<Connection> {
    this.#did('consult')
    await this.#took()
    line.connect({ address: '127.0.0.1', port: 10_004 })
    const ports = { gateway: line.local.port, asterisk: 10_004 }
    return { channel: `${this.id}-media`, bridge: `${this.id}-bridge`, ports }
  }

  async close(): Promise<void> {
    await this.#took()
    this.closed = true
  }

  happen(event: DialledEvent): void {
    if (this.#listener) this.#listener(event)
    else this.#early.push(event)
  }
}

export const channelGone = () => new GatewayError('CHANNEL_GONE', 'The channel is gone.')

export class FakeTelephony implements Telephony {
  ready = true
  outsiders = 0
  #listener: (leg: Leg) => void = () => {}

  onOffered(listener: (leg: Leg) => void): void {
    this.#listener = listener
  }

  offer(leg: Leg): void {
    this.#listener(leg)
  }

  async inspect() {
    return { channels: [], bridges: [] }
  }
}
