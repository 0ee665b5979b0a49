import { randomBytes } from 'node:crypto'
import type { Call } from '../../../src/caller/call.ts'
import { type Dialled, dialledBy } from '../../../src/twilio/dialled.ts'
import { TwilioServer } from '../../support/twilio-server.ts'
import { judgeTwiml } from '../../support/twiml-judge.ts'
import { authToken, publicBaseUrl, signatureOf } from '../../twilio/signed.ts'
import { House, type HouseOptions } from '../gateway/house.ts'

const accountSid = TwilioServer.account.sid
const ours = '+15550100200'

/** A house that Twilio knows. */
export function openHouse({ environment, business, ...options }: HouseOptions = {}): Promise<House> {
  return House.open({
    ...options,
    business: { id: 'practice', numbers: [ours], ...business },
    environment: {
      PUBLIC_BASE_URL: publicBaseUrl,
      SIP_DOMAIN: 'sip.example.com',
      TWILIO_ACCOUNT_SID: accountSid,
      TWILIO_AUTH_TOKEN: authToken,
      ...environment,
    },
  })
}

interface Answered {
  readonly status: number
  /** Its TwiML, judged; empty where there is none. */
  readonly verbs: readonly string[]
  readonly text: string
}

/** A caller as Twilio has them, and what Twilio does: asks as it asks, and does what it is told. */
export class Carried {
  readonly sid: string
  readonly #house: House
  readonly #about: Readonly<Record<string, string>>

  constructor(house: House, from = '+15550100177', made?: { readonly sid: string; readonly to: string }) {
    this.#house = house
    this.sid = made?.sid ?? `CA${randomBytes(16).toString('hex')}`
    this.#about = made
      ? { Direction: 'outbound-api', From: from, To: made.to }
      : { Direction: 'inbound', From: from, To: ours }
  }

  /** A call that the house has asked Twilio for, and that goes to this number. */
  static made(house: House, sid: string, to: string): Carried {
    return new Carried(house, ours, { sid, to })
  }

  /** Of the address that Twilio was given, or a path of ours; signed unless it is said how. */
  async ask(address: string, fields: Readonly<Record<string, string>> = {}, signature?: string): Promise<Answered> {
    const path = address.replace(publicBaseUrl, '')
    const all = {
      ...{ AccountSid: accountSid, ApiVersion: '2010-04-01', CallSid: this.sid },
      ...{ ...this.#about, CallStatus: 'in-progress', ...fields },
    }
    const response = await fetch(`http://127.0.0.1:${this.#house.httpPort}${path}`, {
      method: 'POST',
      headers: { 'x-twilio-signature': signature ?? signatureOf(`${publicBaseUrl}${path}`, all) },
      body: new URLSearchParams(all),
    })
    const text = await response.text()
    if (!response.headers.get('content-type')?.includes('xml')) return { status: response.status, verbs: [], text }
    const { problems, verbs } = judgeTwiml(text)
    if (problems.length > 0) throw new Error(`${problems.join('; ')}: ${text}`)
    return { status: response.status, verbs: verbs.map(({ name }) => name), text }
  }

  /** The call has come in, and this is what Twilio is to do with it. */
  comesIn(query = ''): Promise<Answered> {
    return this.ask(`/v1/twilio/call${query}`, { CallStatus: 'ringing' })
  }

  /** Of its own accounts of the call. */
  tells(CallStatus: string, sequence: number, fields: Readonly<Record<string, string>> = {}): Promise<Answered> {
    return this.ask('/v1/twilio/status', { CallStatus, SequenceNumber: String(sequence), ...fields })
  }

  /** Dials what it was told to. Which of the two forms of context arrives is not documented. */
  dial(twiml: string, kept: 'both' | 'parameters' | 'headers' = 'both', change: Partial<Dialled> = {}): Promise<Call> {
    const dialled = dialledBy(twiml)
    if (!dialled) throw new Error(`nobody is dialled: ${twiml}`)
    const { user, host, port, transport, parameters, headers } = { ...dialled, ...change }
    return this.#house.dial({
      ...{ user, transport, host: `${host}:${port}`, from: dialled.callerId ?? 'anonymous' },
      ...(kept !== 'headers' && { parameters }),
      // https://www.twilio.com/docs/voice/twiml/sip: of the leg that is dialled.
      headers: { ...(kept !== 'parameters' && headers), 'X-Twilio-CallSid': `CA${randomBytes(16).toString('hex')}` },
    })
  }
}

/** What is asked when the way that was dialled is over. */
export function actionOf(twiml: string): string {
  const [first] = judgeTwiml(twiml).verbs.flatMap(({ attributes }) => attributes['action'] ?? [])
  if (first === undefined) throw new Error(`nothing is asked then: ${twiml}`)
  return first
}
