import { z } from 'zod'
import { limits } from '../limits.ts'

const business = z.object({
  id: z.string(),
  name: z.string(),
  /** Calls for one that is not are refused. */
  active: z.boolean(),
  numbers: z.array(z.string()),
  /** Counts its changes: what `ETag` tells and `If-Match` asks for. */
  version: z.number(),
  createdAt: z.iso.datetime(),
  changedAt: z.iso.datetime(),
})

export const businessList = z.object({ businesses: z.array(business) })

/** A whole business, of the same form as its file: judged by the business's own rules, which name every problem. */
export const businessDocument = z.looseObject({})
/** As it was written, and nothing that is filled in when it is read. */
export const storedDocument = z.looseObject({ id: z.string(), active: z.boolean() })
export const businessParameters = z.strictObject({ id: z.string().min(1).max(limits.http.paramChars) })

export type BusinessView = z.infer<typeof business>
