import { z } from 'zod'
import { limits } from '../limits.ts'
import { askedDay, storableText } from './schemas.ts'

const count = z.number().int()

const used = z.object({
  callSeconds: z.number(),
  /** Of answered calls, each rounded up, as carriers count. */
  telephoneMinutes: count,
  /** As the provider counts: cached tokens are among those of the input, text and audio among all. */
  provider: z.object({
    inputTokens: count,
    inputTextTokens: count,
    inputAudioTokens: count,
    cachedTokens: count,
    cachedAudioTokens: count,
    outputTokens: count,
    outputTextTokens: count,
    outputAudioTokens: count,
    transcriptionInputTokens: count,
    transcriptionOutputTokens: count,
    transcriptionSeconds: z.number(),
  }),
})

export const usageList = z.object({
  from: z.iso.date(),
  to: z.iso.date(),
  /** By day and business; nothing for a day on which nothing was used. Days are those of UTC. */
  usage: z.array(used.extend({ business: z.string(), day: z.iso.date(), calls: count, answered: count })),
})
export const callUsage = used.extend({ call: z.string(), business: z.string() })

export const usageQuery = z.strictObject({
  business: storableText(limits.http.paramChars).optional(),
  /** The first day and the last; left out: the 30 days up to today. */
  from: askedDay.optional(),
  to: askedDay.optional(),
})
export const usedCallParameters = z.strictObject({ id: storableText(limits.http.paramChars) })

export type Used = z.infer<typeof used>
