import { type Clock, every } from '../../clock.ts'
import { asError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { Scope } from '../../scope.ts'
import type { TrunkAddresses } from './addresses.ts'
import type { Outlet } from './destination.ts'
import { renderDestinations } from './render.ts'
import { type LookUp, type ResolvedDestinations, Resolver } from './resolve.ts'
import type { AsteriskSettings } from './settings.ts'

export interface LiveDestinationsOptions {
  readonly settings: AsteriskSettings
  readonly trunk: TrunkAddresses
  readonly clock: Clock
  readonly scope: Scope
  /** All that there are just now. */
  readonly wanted: () => Readonly<Record<string, Outlet>>
  /** Puts files in the place of those that Asterisk reads. */
  readonly write: (files: ReadonlyMap<string, string>) => Promise<void>
  /** Has Asterisk read them; rejects when it has not taken all of these endpoints. */
  readonly reload: (names: readonly string[]) => Promise<void>
  /** The endpoints that are in a call. */
  readonly inUse: () => Promise<ReadonlySet<string>>
  readonly told: (text: string) => void
  readonly trouble: (text: string) => void
  readonly lookUp?: LookUp
}

/**
 * Keeps a running Asterisk's destinations those of all businesses: a change of a business, or of what a name stands for, is
 * written down and read by it. What fails is told and tried again; until then those of before are in force.
 */
export class LiveDestinations {
  readonly #with: LiveDestinationsOptions
  readonly #resolver: Resolver
  /** What Asterisk has read. */
  #inForce: string | undefined
  #last: ResolvedDestinations = new Map()
  #lastTrouble = ''
  #turn: Promise<void> = Promise.resolve()

  constructor(options: LiveDestinationsOptions) {
    this.#with = options
    this.#resolver = new Resolver(options.trouble, options.lookUp)
    options.scope.onClose(every(options.clock, limits.asterisk.resolveAgainMs, () => void this.look()))
  }

  /** Settles when Asterisk has those that there are, or it was told that it has not; never rejects. */
  look(): Promise<void> {
    // One after the other, so that the newest is the last.
    this.#turn = this.#turn.then(() => this.#bring()).catch(error => this.#failed(asError(error).message))
    return this.#turn
  }

  /** Another Asterisk runs, or one that may have read anything. */
  again(): Promise<void> {
    this.#inForce = undefined
    return this.look()
  }

  async #bring(): Promise<void> {
    const { settings, trunk, scope, wanted, write, reload, told } = this.#with
    if (scope.signal.aborted) return
    const found = await this.#resolver.resolve({ ...settings, destinations: wanted() })
    const resolved = await this.#withThoseInUse(found)
    const files = renderDestinations({ settings, trunk, destinations: resolved })
    const text = JSON.stringify([...files])
    if (text === this.#inForce) return
    await write(files)
    await reload([...resolved.keys()])
    if (this.#inForce !== undefined || this.#lastTrouble !== '') told('Asterisk has the changed destinations')
    this.#inForce = text
    this.#last = resolved
    this.#lastTrouble = ''
  }

  /** Whoever talks may say that they hang up: what they speak from passes the access list until their calls are over. */
  async #withThoseInUse(found: ResolvedDestinations): Promise<ResolvedDestinations> {
    const leaving = [...this.#last].filter(([name, { addresses }]) =>
      addresses.some(address => !found.get(name)?.addresses.includes(address)),
    )
    if (leaving.length === 0) return found
    const inUse = await this.#with.inUse()
    const kept = leaving.filter(([name]) => inUse.has(name))
    const both = kept.map(([name, last]) => {
      const now = found.get(name) ?? last
      return [name, { ...now, addresses: [...new Set([...last.addresses, ...now.addresses])] }] as const
    })
    return new Map([...found, ...both])
  }

  #failed(why: string): void {
    if (why !== this.#lastTrouble) this.#with.trouble(`${why} Those of before are in force; it is tried again.`)
    this.#lastTrouble = why
  }
}
