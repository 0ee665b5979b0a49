import { z } from 'zod'
import { limits } from '../limits.ts'
import { business, pageQuery, storableText } from './schemas.ts'

const moment = z.iso.datetime()

export const delivery = z.object({
  id: z.string().describe('As it stands in webhook-id: the same at each attempt.'),
  business: z.string(),
  call: z.string(),
  hook: z.string(),
  event: z.string(),
  at: moment,
  attempts: z.number(),
  lastAt: moment.nullable(),
  status: z.number().nullable().describe('Of the last answer, if there was one.'),
  why: z.string().nullable().describe('Of the last attempt, if it came to nothing.'),
  deliveredAt: moment.nullable(),
  private: z.object({ body: z.string() }).optional().describe('What is told: only when asked for.'),
})
export const deliveryList = z.object({ deliveries: z.array(delivery), next: z.string().nullable() })
export const deliveryQuery = pageQuery.extend({
  business: business.optional(),
  hook: storableText(limits.http.paramChars).optional(),
  call: storableText(limits.http.paramChars).optional(),
  delivered: z
    .enum(['true', 'false'])
    .transform(each => each === 'true')
    .optional(),
})
export const deliveryParameters = z.strictObject({ id: storableText(limits.http.paramChars) })
