import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { asError } from '../../errors.ts'
import type { Outlet } from './destination.ts'
import type { AsteriskSettings } from './settings.ts'

/** An outlet with the addresses that its name stands for just now. */
export interface ResolvedOutlet extends Outlet {
  /** Of the one destination that is dialled by it, where it has no more than that. */
  readonly user?: string
  readonly addresses: readonly string[]
}

/** By the name of their endpoint; FALLBACK_DESTINATION is `fallback`. */
export type ResolvedDestinations = ReadonlyMap<string, ResolvedOutlet>

export type Destinations = Pick<AsteriskSettings, 'fallbackDestination' | 'destinations'>

/** The IPv4 addresses of a name; rejects when nobody knows it just now. */
export type LookUp = (host: string) => Promise<readonly string[]>

const askSystem: LookUp = async host => (await lookup(host, { all: true, family: 4 })).map(each => each.address)

export async function resolveDestinations(
  destinations: Destinations,
  trouble: (text: string) => void,
): Promise<ResolvedDestinations> {
  return new Resolver(trouble).resolve(destinations)
}

/** Asks for the same names again and again: what a name stood for holds as long as nobody knows better. */
export class Resolver {
  readonly #trouble: (text: string) => void
  readonly #lookUp: LookUp
  readonly #known = new Map<string, readonly string[]>()
  readonly #troubled = new Set<string>()

  constructor(trouble: (text: string) => void, lookUp = askSystem) {
    this.#trouble = trouble
    this.#lookUp = lookUp
  }

  async resolve({ fallbackDestination, destinations }: Destinations): Promise<ResolvedDestinations> {
    const all = [
      ...Object.entries(destinations),
      ...(fallbackDestination ? [['fallback', fallbackDestination] as const] : []),
    ]
    const hosts = new Set(all.map(([, { host }]) => host))
    const addresses = new Map<string, readonly string[]>()
    for (const host of hosts) addresses.set(host, await this.#addressesOf(host))
    return new Map(all.map(([name, outlet]) => [name, { ...outlet, addresses: addresses.get(outlet.host) ?? [] }]))
  }

  /** The access list takes addresses only. A name that nobody knows just now must not keep the callers out. */
  async #addressesOf(host: string): Promise<readonly string[]> {
    if (isIP(host)) return [host]
    try {
      const found = [...new Set(await this.#lookUp(host))].sort()
      this.#known.set(host, found)
      this.#troubled.delete(host)
      return found
    } catch (error) {
      const known = this.#known.get(host)
      const what = known ? 'those of before are kept' : 'its calls will fail'
      if (!this.#troubled.has(host)) {
        this.#trouble(`the destination "${host}" has no address (${asError(error).message}); ${what}`)
      }
      this.#troubled.add(host)
      return known ?? []
    }
  }
}

/** Each once, in an order that does not change. */
export function allAddresses(destinations: ResolvedDestinations): string[] {
  return [...new Set([...destinations.values()].flatMap(each => each.addresses))].sort()
}
