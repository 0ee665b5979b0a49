import { type CarrierStatus, finalStatuses } from '../call/carrier-events.ts'
import type { CallEvent } from '../call/events.ts'
import { answererIn } from './answered-by.ts'
import type { CallNow } from './rest.ts'
import { countIn, repeatedBy } from './values.ts'
import { type House, taken, type Values, type Webhook } from './webhook.ts'

export type CarrierTold = Extract<CallEvent['fact'], { name: 'carrierTold' }>

/** https://www.twilio.com/docs/voice/api/call-resource#call-status-values */
const statuses: Readonly<Record<string, CarrierStatus>> = {
  queued: 'queued',
  initiated: 'initiated',
  ringing: 'ringing',
  'in-progress': 'inProgress',
  answered: 'inProgress',
  completed: 'completed',
  busy: 'busy',
  'no-answer': 'noAnswer',
  failed: 'failed',
  canceled: 'canceled',
}

/** Of each call that Twilio has, in any order and repeated: what it says goes into the call's record, seen before or not. */
export function statusWebhook({ businesses, tell, kept, clock }: House): Webhook {
  return {
    path: '/v1/twilio/status',
    methods: ['POST', 'GET'],
    summary: 'Twilio: how a call stands',
    wants: 'receipt',
    repeats: ({ fields }) => repeatedBy(fields['CallSid'], fields['SequenceNumber'], fields['CallStatus']),
    async answer({ query, fields }) {
      const told = toldBy(fields)
      if (!told) return { kind: 'refused', status: 400, why: 'CallSid or CallStatus is none.' }
      // The way from Twilio to the agent: what becomes of it is told to whoever had it dialled.
      if (fields['ParentCallSid']) return taken
      const { callerNumber, calledNumber } = told.private
      const ours = told.direction === 'inbound' ? calledNumber : callerNumber
      const { id: business } = businesses().withNumber(ours) ?? businesses().standard
      const callSid = String(fields['CallSid'])
      // A call that was asked for has an id of its own, which stands in the address.
      const { record } = query
      const fact = record === undefined ? told : { ...told, carrier: callSid }
      tell({ call: record ?? callSid, business, atMs: clock.wallMs(), fact })
      await kept()
      return taken
    },
  }
}

/** What such a request says; nothing when it is none. */
export function toldBy(fields: Values): CarrierTold | undefined {
  const word = fields['CallStatus'] ?? ''
  const status = Object.hasOwn(statuses, word) ? statuses[word] : undefined
  if (!/^CA[0-9a-f]{32}$/i.test(fields['CallSid'] ?? '') || status === undefined) return undefined
  const direction = fields['Direction']?.startsWith('outbound') ? 'outbound' : 'inbound'
  const [sequence, seconds, errorCode] = ['SequenceNumber', 'CallDuration', 'ErrorCode'].map(name =>
    countIn(fields[name]),
  )
  const answeredBy = answererIn(fields['AnsweredBy'])
  return {
    ...{ name: 'carrierTold', status, direction },
    ...(sequence !== undefined && { sequence }),
    ...(seconds !== undefined && { seconds }),
    ...(errorCode !== undefined && { errorCode }),
    ...(answeredBy !== undefined && { answeredBy }),
    private: { callerNumber: fields['From'] ?? '', calledNumber: fields['To'] ?? '' },
  }
}

/** The same, when it was asked for. */
export function toldByRest({
  status: word,
  direction,
  seconds,
  price,
  unit,
  from,
  to,
}: CallNow): CarrierTold | undefined {
  const status = statuses[word]
  if (status === undefined) return undefined
  return {
    ...{ name: 'carrierTold', status, direction: direction.startsWith('outbound') ? 'outbound' : 'inbound' },
    ...(seconds !== undefined && { seconds }),
    ...(price !== undefined && { price, priceUnit: unit }),
    private: { callerNumber: from, calledNumber: to },
  }
}

export function isFinal(status: CarrierStatus): boolean {
  return finalStatuses.some(each => each === status)
}
