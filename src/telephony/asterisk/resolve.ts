import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { asError } from '../../errors.ts'
import type { Destination } from './destination.ts'
import type { AsteriskSettings } from './settings.ts'

/** A destination with the addresses that its name stands for just now. */
interface ResolvedDestination extends Destination {
  readonly addresses: readonly string[]
}

/** By the name of their endpoint; FALLBACK_DESTINATION is `fallback`. */
export type ResolvedDestinations = ReadonlyMap<string, ResolvedDestination>

export async function resolveDestinations(
  { fallbackDestination, destinations }: Pick<AsteriskSettings, 'fallbackDestination' | 'destinations'>,
  trouble: (text: string) => void,
): Promise<ResolvedDestinations> {
  const all = { ...destinations, ...(fallbackDestination && { fallback: fallbackDestination }) }
  const resolved = new Map<string, ResolvedDestination>()
  for (const [name, destination] of Object.entries(all)) {
    resolved.set(name, { ...destination, addresses: await addressesOf(destination, trouble) })
  }
  return resolved
}

/** Each once, in an order that does not change. */
export function allAddresses(destinations: ResolvedDestinations): string[] {
  return [...new Set([...destinations.values()].flatMap(each => each.addresses))].sort()
}

/** The access list takes addresses only. A name that nobody knows just now must not keep the callers out. */
async function addressesOf({ host }: Destination, trouble: (text: string) => void): Promise<string[]> {
  if (isIP(host)) return [host]
  try {
    return (await lookup(host, { all: true, family: 4 })).map(each => each.address)
  } catch (error) {
    trouble(`the destination "${host}" has no address (${asError(error).message}); its calls will fail`)
    return []
  }
}
