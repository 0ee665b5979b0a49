import type { Redirect } from '../call/ports.ts'
import { carriedBy } from './leg-judge.ts'
import { addressOf } from './paths.ts'

interface Redirecting {
  readonly publicBaseUrl: string
}

/** What may be asked of Twilio about a call. */
interface CallRest {
  redirect(callSid: string, url: string, signal?: AbortSignal): Promise<void>
}

/** Has Twilio ask `/v1/twilio/transfer` about a caller who talks with the agent: it takes them from there. */
export function redirector({ publicBaseUrl }: Redirecting, rest: CallRest): Redirect {
  return async ({ record, facts, destination, business, attempt }, signal) => {
    const callSid = carriedBy(facts, 'callSid') ?? record
    const context = business.telephone.context.flatMap((name): [string, string][] => {
      const value = carriedBy(facts, name)
      return value === undefined ? [] : [[name, value]]
    })
    const url = addressOf(publicBaseUrl, '/v1/twilio/transfer', {
      ...{ business: business.id, destination, attempt: String(attempt) },
      ...(record !== callSid && { record }),
      ...Object.fromEntries(context),
    })
    await rest.redirect(callSid, url, signal)
  }
}
