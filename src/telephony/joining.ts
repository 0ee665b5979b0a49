import { type Clock, pause } from '../clock.ts'
import { isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Scope } from '../scope.ts'
import type { Ari, AriBridge, AriChannel } from './ari.ts'

/** Where the dialplan takes over from us. */
export const fallback = { context: 'fallback', extension: 's', priority: 1 }

/** And where it makes the bridge of two. */
const transferred = { context: 'transferred', extension: 's', priority: 1 }
/** Names the other channel to the dialplan; emptied by it when the caller comes back. */
const OTHER = 'PARLEY_OTHER'

interface Books {
  readonly channels: readonly AriChannel[]
  readonly bridges: readonly AriBridge[]
  readonly own: readonly string[]
}

type Whereabouts =
  | 'joined'
  /** Of the caller. */
  | 'gone'
  | 'returned'
  /** Not in the dialplan yet. */
  | 'here'
  | 'underway'

/** What has become of two channels that were to be joined. `named`: the other one still is, on the caller's channel. */
export function whereabouts(books: Books, caller: string, other: string, named: boolean): Whereabouts {
  const channel = books.channels.find(({ id }) => id === caller)
  if (!channel) return 'gone'
  if (channel.inStasis && books.own.includes(caller)) return named ? 'here' : 'returned'
  if (isJoined(books.bridges, caller, other)) return 'joined'
  return isInFallback(channel) ? 'gone' : 'underway'
}

function isJoined(bridges: readonly AriBridge[], caller: string, other: string): boolean {
  return bridges.some(({ channels }) => channels.includes(caller) && channels.includes(other))
}

/** A caller whom the dialplan connects with somebody else, or is about to give back to us. */
export function isWithAnother({ context }: Pick<AriChannel, 'context'>): boolean {
  return context === transferred.context || context === 'returned'
}

export function isInFallback({ context }: Pick<AriChannel, 'context'>): boolean {
  return context === fallback.context
}

export interface JoiningDependencies {
  readonly ari: Ari
  readonly clock: Clock
  readonly scope: Scope
}

interface Other {
  readonly id: string
  readonly name: string
  outlive(): Promise<void>
}

/**
 * Leads a caller into the dialplan, which joins them with the other channel in one step. What came of it is read back from
 * Asterisk, whichever answers and events were lost.
 */
export class Joining {
  readonly #with: JoiningDependencies
  #news = Promise.withResolvers<void>()

  constructor(dependencies: JoiningDependencies) {
    this.#with = dependencies
  }

  /** Something has happened to one of the channels. */
  heard(): void {
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }

  /** Before the caller leaves our hands; whose channel is gone, if one is. Rejects, and nothing has changed for them. */
  async prepare(caller: string, other: Other): Promise<'ready' | 'callerGone' | 'otherGone'> {
    const { ari } = this.#with
    if (!(await isThere(other.outlive()))) return 'otherGone'
    const named = Promise.all([ari.setVariables(caller, { [OTHER]: other.name }), ari.subscribe([caller])])
    return (await isThere(named)) ? 'ready' : 'callerGone'
  }

  /** Rejects when the caller could not be led there, and is still ours. */
  async run(caller: string, other: Other): Promise<'joined' | 'gone' | 'returned'> {
    const { ari, scope } = this.#with
    const refusal = await ari.continueInDialplan(caller, transferred).then(
      () => undefined,
      error => error,
    )
    let looks = 0
    while (!scope.closed) {
      const news = this.#news.promise
      const found = await this.#look(caller, other).catch(() => 'underway' as const)
      if (found === 'joined' || found === 'gone' || found === 'returned') return found
      if (found === 'here' && refusal !== undefined && looks > 0 && (await this.#withdraw(caller))) throw refusal
      looks += 1
      await Promise.race([news, this.#aWhile()])
    }
    return 'gone'
  }

  /** A request that was lost may be carried out yet, or just now: then the dialplan gives the caller back at once. */
  async #withdraw(caller: string): Promise<boolean> {
    return this.#with.ari.setVariables(caller, { [OTHER]: '' }).then(
      () => true,
      () => false,
    )
  }

  async #look(caller: string, other: Other): Promise<Whereabouts> {
    const { ari } = this.#with
    // The channels last: what is not among them is gone for good, whatever the others said.
    const [named, own, bridges] = await Promise.all([
      ari.variables(caller, [OTHER]).catch(error => {
        if (isCode(error, 'CHANNEL_GONE')) return undefined
        throw error
      }),
      ari.ownChannels(),
      ari.bridges(),
    ])
    const books = { own, bridges, channels: await ari.channels() }
    return whereabouts(books, caller, other.id, Boolean(named?.[OTHER]))
  }

  #aWhile(): Promise<void> {
    return pause(this.#with.clock, limits.ari.lookAgainMs, this.#with.scope.signal).catch(() => {})
  }
}

async function isThere(request: Promise<unknown>): Promise<boolean> {
  try {
    await request
    return true
  } catch (error) {
    if (isCode(error, 'CHANNEL_GONE')) return false
    throw error
  }
}
