import { z } from 'zod'
import { e164 } from '../business-destinations.ts'
import { business, storableText } from './schemas.ts'

export const sid = (prefix: string) =>
  z.string().regex(new RegExp(`^${prefix}[0-9a-fA-F]{32}$`), `must be ${prefix} and 32 hexadecimal digits`)

export const carrierNumber = z.object({
  number: z.string(),
  sid: z.string().nullable().describe("None: it is none of the carrier's account."),
  business: z.string().nullable(),
  voice: z.boolean(),
  sms: z.boolean(),
  problems: z.array(z.string()).describe('Why calls or messages for it do not arrive; empty when they do.'),
})

export const numberList = z.object({ numbers: z.array(carrierNumber) })

export const offeredNumbers = z.object({
  numbers: z.array(
    z.object({
      number: z.string(),
      place: z.string(),
      voice: z.boolean(),
      sms: z.boolean(),
      needsAddress: z.boolean().describe('It is sold to those alone who name an address of the account.'),
    }),
  ),
})

export const searchQuery = z.strictObject({
  country: z.string().regex(/^[A-Z]{2}$/, 'must be a country such as US'),
  kind: z.enum(['local', 'mobile', 'tollFree']).default('local'),
  areaCode: z.coerce.number().int().min(1).max(99_999).optional().describe('Of the United States and Canada.'),
  contains: z
    .string()
    .regex(/^[0-9*+A-Za-z]{1,20}$/, 'may hold only digits, letters and *')
    .optional(),
  sms: z.enum(['true', 'false']).optional(),
})

export const numberOrder = z.strictObject({
  number: e164,
  business,
  addressSid: sid('AD').optional().describe('Where the country wants an address.'),
  bundleSid: sid('BU').optional().describe('Where the country wants papers.'),
})

export const numberParameters = z.strictObject({ number: e164 })
export const assignment = z.strictObject({ business })
export const release = z.strictObject({ number: storableText(20).describe('Once more, so that it is meant.') })
export const released = z.object({ number: z.string(), released: z.literal(true) })
