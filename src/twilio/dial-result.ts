import type { CarrierStatus } from '../call/carrier-events.ts'
import { type CallHouse, excuseFor, spokenFor, twiml } from './reception.ts'
import { countIn, repeatedBy } from './values.ts'
import { callerOf, decisionAfter } from './verdict.ts'
import type { Webhook } from './webhook.ts'

/** https://www.twilio.com/docs/voice/twiml/dial#dialcallstatus-values */
const dialStatuses: Readonly<Record<string, CarrierStatus>> = {
  completed: 'completed',
  answered: 'completed',
  busy: 'busy',
  'no-answer': 'noAnswer',
  failed: 'failed',
  canceled: 'canceled',
}

/** The way to the agent, or to whoever a caller was forwarded to, is over: what comes next. */
export function dialResultWebhook(house: CallHouse): Webhook {
  return {
    path: '/v1/twilio/dial-result',
    methods: ['POST', 'GET'],
    summary: 'Twilio: what has become of the way to the agent',
    wants: 'twiml',
    repeats: ({ fields }) => repeatedBy(fields['CallSid'], fields['DialCallSid']),
    async answer(request) {
      const caller = callerOf(request, house)
      if (!caller) return twiml(excuseFor(undefined))
      const { query, fields } = request
      const status = dialStatusIn(fields['DialCallStatus'])
      const decision = decisionAfter(status, caller, query['after'] === 'forward')
      const { record, business = house.businesses().standard } = caller
      house.tell({
        ...{ call: record, business: business.id, atMs: house.clock.wallMs() },
        fact: {
          ...{ name: 'wayEnded', status, next: decision.kind },
          ...numbered('sipStatus', fields['DialSipResponseCode']),
          ...numbered('seconds', fields['DialCallDuration']),
        },
      })
      return twiml(spokenFor(decision, caller, house))
    },
  }
}

/** What is none of these has failed. */
export function dialStatusIn(text: string | undefined): CarrierStatus {
  return (text !== undefined && Object.hasOwn(dialStatuses, text) && dialStatuses[text]) || 'failed'
}

function numbered<Name extends string>(name: Name, text: string | undefined): { readonly [N in Name]?: number } {
  const value = countIn(text)
  return (value === undefined ? {} : { [name]: value }) as { readonly [N in Name]?: number }
}
