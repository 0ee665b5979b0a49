import type { Business } from '../business.ts'
import { back, type CallHouse, excuseFor, isNumber, spokenFor, twiml } from './reception.ts'
import { repeatedBy } from './values.ts'
import { type Caller, callerOf } from './verdict.ts'
import type { Values, Webhook } from './webhook.ts'

/** How Twilio dials a destination of a business; nothing for what the business does not list. */
export type FindCarrierRoute = (
  business: Business,
  asked: string,
  callerNumber: string,
) =>
  | {
      readonly to: { readonly sip: string } | { readonly number: string }
      readonly callerId: string
      readonly ringSeconds: number
      readonly destination: string
    }
  | undefined

export interface TransferHouse extends CallHouse {
  readonly route: FindCarrierRoute
}

/**
 * A caller is taken from the agent, and is to be connected with a destination: by our own wish (`destination`, `attempt`), or
 * by that of another system, which names an extension. Whoever asks for anything else has the agent again.
 */
export function transferWebhook(house: TransferHouse): Webhook {
  return {
    path: '/v1/twilio/transfer',
    methods: ['POST', 'GET'],
    summary: 'Twilio: whom a caller is to be connected with',
    wants: 'twiml',
    repeats: ({ query, fields }) => (query['attempt'] === undefined ? undefined : repeatedBy(fields['CallSid'])),
    async answer(request) {
      const caller = callerOf(request, house)
      if (!caller?.business) return twiml(excuseFor(undefined))
      const { query, fields } = request
      const asked = query['destination'] ?? query['extension'] ?? fields['extension'] ?? ''
      const route = house.route(caller.business, asked, caller.callerNumber)
      if (!route) {
        house.log.warn(
          { call: caller.record },
          'a transfer leads to no destination of the business: the agent has the caller',
        )
        return twiml(spokenFor({ kind: 'agent' }, caller, house, { again: 'failed' }))
      }
      const attempt = attemptIn(query)
      if (attempt === undefined) tellBegan(house, caller, route.destination)
      const told = { attempt: String(attempt ?? 1), beganMs: String(Math.round(house.clock.wallMs())) }
      return twiml({
        ...{ kind: 'transfer', to: route.to, ringSeconds: route.ringSeconds, answerOnBridge: true },
        callerId: isNumber(route.callerId) ? route.callerId : ownNumber(caller),
        action: back(house, caller, '/v1/twilio/transfer-status', { ...told, ...Object.fromEntries(caller.context) }),
      })
    },
  }
}

/** Of those that a call here has counted. */
export function attemptIn(query: Values): number | undefined {
  return /^[1-9][0-9]{0,3}$/.test(query['attempt'] ?? '') ? Number(query['attempt']) : undefined
}

function tellBegan({ tell, clock }: TransferHouse, { record, business }: Caller, destination: string): void {
  const began = { name: 'transferBegan', attempt: 1, mode: 'blind', by: 'operator', private: {} } as const
  tell({ call: record, business: business!.id, atMs: clock.wallMs(), fact: { ...began, destination } })
}

/** A number of the account, which may always call. */
function ownNumber({ calledNumber }: Caller): string {
  return isNumber(calledNumber) ? calledNumber : ''
}
