import { z } from 'zod'
import type { TextChannel, TextStatus } from '../call/carrier-events.ts'
import { limits } from '../limits.ts'
import { business, idempotencyKey, pageQuery, storableText } from './schemas.ts'

const channel = z.enum(['sms', 'whatsapp'] satisfies TextChannel[])
const direction = z.enum(['in', 'out'])
const states = ['wanted', 'unknown', 'queued', 'sent', 'delivered', 'read', 'undelivered', 'failed'] as const
states satisfies readonly TextStatus[]
const status = z
  .enum(['received', ...states])
  .describe('unknown: whether it was sent could not be found out; it is not sent again.')

export const text = z.object({
  id: z.string(),
  business: z.string(),
  channel,
  direction,
  at: z.iso.datetime(),
  status,
  statusAt: z.iso.datetime(),
  errorCode: z.number().nullable().describe("The carrier's own."),
  template: z.string().nullable().describe('Of WhatsApp: the approved template that it was sent as.'),
  media: z.number().describe('Pictures and the like that came with it: they stay with the carrier.'),
  private: z
    .object({ customer: z.string(), ours: z.string(), text: z.string() })
    .optional()
    .describe('Who wrote what: only when asked for.'),
})

export const textList = z.object({
  texts: z.array(text),
  next: z.string().nullable().describe('The cursor of the next page, if there is one.'),
})

/** A plus in a query stands for a space unless it is written as %2B. */
const customer = storableText(limits.http.paramChars).transform(each => each.replace(/^ /, '+'))
export const textQuery = pageQuery.extend({
  channel: channel.optional(),
  direction: direction.optional(),
  status: status.optional(),
  customer: customer.optional().describe('Whole, with the country: with business and channel it is a thread.'),
})
export const textParameters = z.strictObject({ id: z.string().min(1).max(limits.http.paramChars) })

export const textWanted = z.strictObject({
  business,
  channel: channel.default('sms'),
  to: z.string().regex(/^\+[1-9][0-9]{6,14}$/, 'must be in international form, such as +15550100177'),
  text: storableText(limits.twilio.textChars),
})
export const textHeaders = z.looseObject({
  'idempotency-key': idempotencyKey.describe(
    'The same with the same message is sent once, however often it is asked for.',
  ),
})
export const textTaken = z.object({ id: z.string(), status })

export type TextView = z.infer<typeof text>
