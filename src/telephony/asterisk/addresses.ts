import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { isNetwork } from './settings.ts'

const networks = z.array(z.string().refine(isNetwork, 'not an IPv4 network')).min(1)
const schema = z.strictObject({ signalling: networks, media: networks })

/** Where Twilio speaks from: `signalling` may open calls, `media` may only carry their sound. */
export type TrunkAddresses = z.infer<typeof schema>

export function readTrunkAddresses(
  file: string | URL = new URL('../../../asterisk/addresses.yaml', import.meta.url),
): TrunkAddresses {
  const read = schema.safeParse(parse(readFileSync(file, 'utf8')))
  if (read.success) return read.data
  throw new GatewayError('CONFIG_INVALID', `The file of the trunk's addresses is wrong: ${z.prettifyError(read.error)}`)
}
