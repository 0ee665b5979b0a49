import { z } from 'zod'
import { limits } from '../limits.ts'
import { pageQuery } from './schemas.ts'

const kind = z.enum(['message', 'appointment'])

export const message = z.object({
  id: z.string(),
  call: z.string(),
  business: z.string(),
  at: z.iso.datetime(),
  kind,
  readAt: z.iso.datetime().nullable(),
  private: z
    .object({ callback: z.string(), text: z.string(), details: z.record(z.string(), z.unknown()) })
    .optional()
    .describe('Whom to call back, and about what: only when asked for.'),
})

export const messageList = z.object({
  messages: z.array(message),
  next: z.string().nullable().describe('The cursor of the next page, if there is one.'),
})

export const messageQuery = pageQuery.extend({
  kind: kind.optional(),
  unread: z.enum(['true', 'false']).optional(),
})
export const messageParameters = z.strictObject({ id: z.string().min(1).max(limits.http.paramChars) })

export type MessageView = z.infer<typeof message>
