import type { TransferOutcome } from '../call/events.ts'
import { dialStatusIn } from './dial-result.ts'
import { type CallHouse, excuseFor, spokenFor, twiml } from './reception.ts'
import { attemptIn } from './transfer.ts'
import { countIn, repeatedBy } from './values.ts'
import { type Caller, callerOf } from './verdict.ts'
import type { Values, Webhook } from './webhook.ts'

/** RFC 3261, 21.4.4 and 21.6.2; RFC 8197. */
const declined = [403, 603, 607]

/** What has become of a transfer that Twilio has made: whoever was not reached has the agent again, who knows why. */
export function transferStatusWebhook(house: CallHouse): Webhook {
  return {
    path: '/v1/twilio/transfer-status',
    methods: ['POST', 'GET'],
    summary: 'Twilio: what has become of a transfer',
    wants: 'twiml',
    repeats: ({ fields }) => repeatedBy(fields['CallSid'], fields['DialCallSid']),
    async answer(request) {
      const caller = callerOf(request, house)
      if (!caller?.business) return twiml(excuseFor(undefined))
      const { query, fields } = request
      const outcome = outcomeOf(fields)
      tellEnded(house, caller, query, fields, outcome)
      if (outcome === 'connected' || outcome === 'callerGone') return twiml({ kind: 'hangUp' })
      const decision = house.accepting() ? ({ kind: 'agent' } as const) : caller.business.telephone.fallback
      return twiml(spokenFor(decision, caller, house, { again: outcome }))
    },
  }
}

export function outcomeOf(fields: Values): Exclude<TransferOutcome, 'declined' | 'noPort' | 'cancelled' | 'failed'> {
  switch (dialStatusIn(fields['DialCallStatus'])) {
    case 'completed':
      return 'connected'
    case 'busy':
      return 'busy'
    case 'noAnswer':
      return 'noAnswer'
    case 'canceled':
      return 'callerGone'
    default:
      return declined.includes(countIn(fields['DialSipResponseCode']) ?? 0) ? 'rejected' : 'unreachable'
  }
}

/** Twilio tells of it when it is over: it was settled when they began to talk. */
function tellEnded(
  { tell, clock }: CallHouse,
  caller: Caller,
  query: Values,
  fields: Values,
  outcome: TransferOutcome,
): void {
  const { record, business } = caller
  const talkedMs = outcome === 'connected' ? 1_000 * (countIn(fields['DialCallDuration']) ?? 0) : 0
  const atMs = clock.wallMs() - talkedMs
  const began = /^[0-9]{1,15}$/.test(query['beganMs'] ?? '') ? Number(query['beganMs']) : atMs
  const tookMs = Math.max(0, Math.round(atMs - began))
  const attempt = attemptIn(query) ?? 1
  const of = { call: record, business: business!.id, atMs }
  if (outcome === 'connected') tell({ ...of, fact: { name: 'transferAnswered', attempt, afterMs: tookMs } })
  tell({ ...of, fact: { name: 'transferEnded', attempt, outcome, tookMs } })
}
