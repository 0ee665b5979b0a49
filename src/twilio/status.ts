import { type CarrierStatus, finalStatuses } from '../call/carrier-events.ts'
import type { CallEvent } from '../call/events.ts'
import { limits } from '../limits.ts'
import { answererIn } from './answered-by.ts'
import { countIn, repeatedBy } from './values.ts'
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

interface StatusHouse extends House {
  /** What Twilio takes for a call; nothing as long as it does not know. Left out: nobody can be asked. */
  readonly priceOf?: (callSid: string) => Promise<{ readonly price: string; readonly unit: string } | undefined>
}

/** Of each call that Twilio has, in any order and repeated: what it says goes into the call's record, seen before or not. */
export function statusWebhook(house: StatusHouse): Webhook {
  const { businesses, tell, kept, clock } = house
  const askPrice = priceAsker(house)
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
      const event = { call: query['record'] ?? callSid, business, atMs: clock.wallMs(), fact: told }
      tell(event)
      await kept()
      if (finalStatuses.some(status => status === told.status)) askPrice(callSid, event)
      return taken
    },
  }
}

/** Twilio reckons after a call: it is asked once, a while later, and its answer is one more account of the call. */
function priceAsker({ priceOf, tell, clock, log }: StatusHouse) {
  const waiting = new Set<string>()
  return (callSid: string, event: CallEvent & { readonly fact: CarrierTold }): void => {
    const { afterMs, waiting: most } = limits.twilio.price
    if (!priceOf || waiting.has(callSid) || waiting.size >= most) return
    waiting.add(callSid)
    clock.after(afterMs, () => {
      waiting.delete(callSid)
      const failed = (err: unknown) => log.warn({ err, call: event.call }, 'what a call has cost could not be asked')
      void priceOf(callSid).then(known => {
        if (!known) return
        const fact = { ...event.fact, price: known.price, priceUnit: known.unit }
        tell({ ...event, atMs: clock.wallMs(), fact })
      }, failed)
    })
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
