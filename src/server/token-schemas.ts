import { z } from 'zod'
import { limits } from '../limits.ts'
import { storableText } from './schemas.ts'

const business = z.string().nullable()

const token = z.object({
  id: z.string(),
  /** None: it is the operator's. */
  business,
  name: z.string(),
  createdAt: z.iso.datetime(),
  lastUsedAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
})

export const newToken = z.strictObject({
  name: storableText(limits.http.tokenNameChars),
  /** Not left out by mistake: `null` is a token for everything. */
  business: storableText(limits.http.paramChars).nullable(),
})
export const tokenList = z.object({ tokens: z.array(token) })
/** The only time that the token itself is told. */
export const tokenIssued = token.extend({ token: z.string() })
export const tokenParameters = z.strictObject({ id: storableText(limits.http.paramChars) })

export type TokenView = z.infer<typeof token>
