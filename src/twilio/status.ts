import type { AnsweredBy, CarrierStatus } from '../call/carrier-events.ts'
import type { CallEvent } from '../call/events.ts'
import { type House, taken, type Values, type Webhook } from './webhook.ts'

type CarrierTold = Extract<CallEvent['fact'], { name: 'carrierTold' }>

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
    async answer({ query, fields }) {
      const told = toldBy(fields)
      if (!told) return { kind: 'refused', status: 400, why: 'CallSid or CallStatus is none.' }
      // The way from Twilio to the agent: what becomes of it is told to whoever had it dialled.
      if (fields['ParentCallSid']) return taken
      const { callerNumber, calledNumber } = told.private
      const ours = told.direction === 'inbound' ? calledNumber : callerNumber
      const { id: business } = businesses().withNumber(ours) ?? businesses().standard
      // A call that was asked for has an id of its own, which stands in the address.
      tell({ call: query['record'] ?? String(fields['CallSid']), business, atMs: clock.wallMs(), fact: told })
      await kept()
      return taken
    },
  }
}

/** What such a request says; nothing when it is none. */
export function toldBy(fields: Values): CarrierTold | undefined {
  const status = statuses[fields['CallStatus'] ?? '']
  if (!/^CA[0-9a-f]{32}$/i.test(fields['CallSid'] ?? '') || status === undefined) return undefined
  const direction = fields['Direction']?.startsWith('outbound') ? 'outbound' : 'inbound'
  const [sequence, seconds, errorCode] = ['SequenceNumber', 'CallDuration', 'ErrorCode'].map(name =>
    count(fields[name]),
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

/** https://www.twilio.com/docs/voice/answering-machine-detection */
function answererIn(text: string | undefined): AnsweredBy | undefined {
  if (text === undefined) return undefined
  if (text === 'human' || text === 'fax') return text
  if (text.startsWith('machine_end')) return 'machineEnded'
  return text.startsWith('machine') ? 'machine' : 'unknown'
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,9}$/.test(text) ? Number(text) : undefined
}
