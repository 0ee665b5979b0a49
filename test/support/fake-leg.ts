import type { CallFacts, Connection, HangupCause, Leg, LegEvent, Line, Telephony } from '../../src/call/ports.ts'
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
