import { z } from 'zod'
import { e164 } from '../business-destinations.ts'
import { limits } from '../limits.ts'
import { business, idempotencyKey, pageQuery, privacyQuery, storableText } from './schemas.ts'

const state = z.enum(['waiting', 'calling', 'ended'])

export const outboundCall = z.object({
  id: z.string(),
  business: z.string(),
  state,
  outcome: z.string().nullable().describe('Of the last attempt, such as answered, or why there was none.'),
  attempts: z.number(),
  calls: z.array(z.string()).describe('Each attempt is a call of its own, by this id.'),
  nextAt: z.iso.datetime().nullable().describe('Not before; later when the callee sleeps, or the house is full.'),
  askedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  private: z
    .object({ to: z.string(), context: z.record(z.string(), z.string()) })
    .optional()
    .describe('Who is called, and what the agent is told: only when asked for.'),
})

export const outboundList = z.object({
  calls: z.array(outboundCall),
  next: z.string().nullable().describe('The cursor of the next page, if there is one.'),
})

export const outboundOrder = z.strictObject({
  business,
  to: e164,
  context: z
    .record(storableText(40), storableText(limits.twilio.contextChars))
    .default({})
    .describe("For the agent: of the names that the business's telephone.context has."),
})

export const outboundHeaders = z.looseObject({
  'idempotency-key': idempotencyKey.describe('However often it is sent, one call is made.'),
})

export const outboundQuery = pageQuery.extend({ state: state.optional() })
export const outboundParameters = z.strictObject({ id: z.string().min(1).max(limits.http.paramChars) })
export const oneOutboundQuery = privacyQuery

export const forbidden = z.object({
  business: z.string(),
  number: z.string(),
  at: z.iso.datetime(),
  why: z.string(),
})
export const forbiddenList = z.object({
  numbers: z.array(forbidden),
  next: z.string().nullable().describe('The cursor of the next page, if there is one.'),
})
export const forbiddenQuery = pageQuery.omit({ private: true }).extend({
  // A plus in a query stands for a space unless it is written as %2B.
  number: storableText(20)
    .transform(text => text.replace(/^ /, '+'))
    .optional(),
})
export const forbidding = z.strictObject({
  business,
  number: e164,
  why: storableText(200).default('by request'),
})
export const allowing = z.strictObject({ business, number: e164 })
export const allowed = z.object({ business: z.string(), number: z.string() })

export type OutboundView = z.infer<typeof outboundCall>
