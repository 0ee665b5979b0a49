import type { LegTokens } from './leg-token.ts'
import { addressOf } from './paths.ts'
import { sipAddress } from './sip-address.ts'
import { type Spoken, twimlOf } from './twiml.ts'
import { type Caller, callerOf, type Decision, decisionOn } from './verdict.ts'
import type { House, Webhook, WebhookRequest } from './webhook.ts'

/** What the webhooks of calls need of the house. */
export interface CallHouse extends House {
  /** A call that came in now would be answered. */
  readonly accepting: () => boolean
  /** There is but one business: whatever number was called is its. */
  readonly lone: () => boolean
  /** Where Twilio reaches Parley, and where it dials the agent; without the latter nobody is led there. */
  readonly publicBaseUrl: string
  readonly agent: { readonly user: string; readonly host: string | undefined; readonly port: number }
  /** Nothing without an auth token to make them with. */
  readonly tokens: Pick<LegTokens, 'make'> | undefined
}

const noBusinessVoice = 'Polly.Joanna'
const excuseOfNobody = 'We cannot take your call at the moment. Please call again later.'

/** A call comes in, or one that Parley has made is answered: what is to become of it. */
export function callWebhook(house: CallHouse): Webhook {
  return {
    path: '/v1/twilio/call',
    methods: ['POST', 'GET'],
    summary: 'Twilio: what is to become of a call',
    wants: 'twiml',
    repeats: ({ fields }) => fields['CallSid'],
    async answer(request) {
      const caller = callerOf(request, house)
      if (!caller) return twiml(excuseFor(undefined))
      const { accepting, clock, agent } = house
      const state = { accepting: accepting() && agent.host !== undefined, wallMs: clock.wallMs() }
      const decision = decisionOn(caller, state)
      tellAnnounced(house, caller, decision)
      return twiml(spokenFor(decision, caller, house, carriedBy(request)))
    },
  }
}

/** What goes with the caller to the agent beside what is known of them. */
export interface Carried {
  /** Their transfer has come to this. */
  readonly again?: string
  /** A call that tries the way itself. */
  readonly test?: string
}

function carriedBy({ query }: WebhookRequest): Carried {
  return query['test'] === 'yes' ? { test: 'yes' } : {}
}

function tellAnnounced({ businesses, tell, clock }: CallHouse, caller: Caller, { kind: verdict }: Decision): void {
  const { record, callerNumber, calledNumber, business = businesses().standard } = caller
  const parameters = Object.fromEntries(caller.context)
  const hidden = { callerNumber, calledNumber, parameters }
  const mostSeconds = verdict === 'agent' ? business.telephone.ringSeconds + business.telephone.maxSeconds : undefined
  const fact = { name: 'announced', verdict, ...(mostSeconds && { mostSeconds }), private: hidden } as const
  tell({ call: record, business: business.id, atMs: clock.wallMs(), fact })
}

export function twiml(spoken: Spoken) {
  return { kind: 'twiml', xml: twimlOf(spoken) } as const
}

/** What Twilio is told to do so that it becomes of the caller. */
export function spokenFor(decision: Decision, caller: Caller, house: CallHouse, carried: Carried = {}): Spoken {
  const { business } = caller
  if (decision.kind === 'end') return { kind: 'hangUp' }
  if (decision.kind === 'reject') return { kind: 'reject', reason: 'rejected' }
  if (!business) return excuseFor(undefined)
  const { telephone } = business
  switch (decision.kind) {
    case 'agent':
      return agentFor(caller, business, house, carried)
    case 'forward':
      return {
        ...{ kind: 'forward', number: decision.number, ringSeconds: telephone.ringSeconds },
        callerId: isNumber(caller.callerNumber) ? caller.callerNumber : numberOrNone(caller.calledNumber),
        action: back(house, caller, '/v1/twilio/dial-result', { after: 'forward' }),
      }
    case 'record':
    case 'voicemail': {
      const path = decision.kind === 'record' ? '/v1/twilio/recording' : '/v1/twilio/voicemail'
      const address = back(house, caller, path)
      const { recordGreeting: greeting, recordSeconds: seconds, voice } = telephone
      return { kind: 'record', greeting, voice, seconds, action: address, statusCallback: address }
    }
    case 'excuse':
      return excuseFor(business)
  }
}

function agentFor(
  caller: Caller,
  business: NonNullable<Caller['business']>,
  house: CallHouse,
  { again, test }: Carried,
): Spoken {
  const { user, host, port } = house.agent
  const { voice, welcome, ringSeconds, maxSeconds, answerOnBridge } = business.telephone
  if (host === undefined) return excuseFor(business)
  const { callSid, record, callerNumber, calledNumber } = caller
  const token = house.tokens?.make({ record, business: business.id, again })
  const told = { token, callSid, record: record === callSid ? undefined : record, again, business: business.id }
  const further = { called: calledNumber, test, ...Object.fromEntries(caller.context) }
  const carried = Object.entries({ ...told, ...further }).filter((pair): pair is [string, string] => !!pair[1])
  const { uri, leftOut } = sipAddress({ user, host, port, carried })
  if (leftOut.length > 0)
    house.log.warn({ call: record, leftOut }, 'not all that goes with a call has room in its address')
  return {
    ...{ kind: 'agent', voice },
    // Whom Parley has called, and who comes back, has been spoken to.
    welcome: caller.outbound || again !== undefined ? '' : welcome,
    dial: {
      ...{ sip: uri, callerId: numberOrNone(callerNumber), ringSeconds, maxSeconds, answerOnBridge },
      action: back(house, caller, '/v1/twilio/dial-result'),
    },
  }
}

export function excuseFor(business: Caller['business']): Spoken {
  const { excuse: text, voice } = business?.telephone ?? { excuse: excuseOfNobody, voice: noBusinessVoice }
  return { kind: 'say', text, voice }
}

/** With whose call it is: it need not be found out again. */
export function back(
  { publicBaseUrl }: CallHouse,
  { record, callSid, business }: Caller,
  path: Parameters<typeof addressOf>[1],
  more: Readonly<Record<string, string>> = {},
): string {
  return addressOf(publicBaseUrl, path, {
    ...(business && { business: business.id }),
    ...(record !== callSid && { record }),
    ...more,
  })
}

export function isNumber(text: string): boolean {
  return /^\+[1-9][0-9]{6,14}$/.test(text)
}

/** Twilio shows whoever it has calling where we name none. */
function numberOrNone(text: string): string {
  return isNumber(text) ? text : ''
}
