import type { AriBridge, AriChannel } from './ari.ts'
import { isInFallback, isWithAnother } from './joining.ts'
import { dialledFor } from './names.ts'

/** What Asterisk has, as it told when asked. */
export interface Snapshot {
  readonly channels: readonly AriChannel[]
  readonly bridges: readonly AriBridge[]
  /** Those that our application is told of. */
  readonly own: readonly string[]
}

export interface Known {
  /** Channels that were certainly in our application before the snapshot was asked for. */
  readonly before: readonly string[]
  /** Callers who had certainly been joined with somebody else by then. */
  readonly joined: readonly string[]
  /** Channels and bridges of the legs there are now. */
  readonly now: ReadonlySet<string>
  /** Channels that have left while the snapshot was taken. */
  readonly departed: ReadonlySet<string>
}

export interface Census {
  /** Of the joined callers, those who are gone, those whom the dialplan has given back, and those whom it has led elsewhere. */
  readonly ended: readonly string[]
  readonly returned: readonly string[]
  readonly astray: readonly string[]
  /** Callers of an earlier life who are joined with somebody else, and go on. */
  readonly talking: readonly string[]
  /** Channels of legs that are no longer in our application. */
  readonly missing: readonly string[]
  /** Channels in our application that no leg has: callers of an earlier life, or ones whose arrival was not told. */
  readonly unknown: readonly AriChannel[]
  /** What an earlier life, or a request that failed, has left behind. */
  readonly orphanChannels: readonly string[]
  readonly orphanBridges: readonly string[]
  /** Channels that are nobody's business here but hold RTP ports all the same: in the dialplan's fallback, or talking. */
  readonly outsiders: number
}

/**
 * Asterisk's books against ours. Everything that we make carries the prefix; what does not is touched only when it is in
 * our application, so that another program on the same Asterisk keeps what it has.
 */
export function takeCensus({ channels, bridges, own }: Snapshot, known: Known, prefix: string): Census {
  const byId = new Map(channels.map(channel => [channel.id, channel]))
  const inApplication = new Set(own.filter(id => byId.get(id)?.inStasis))
  const made = (id: string) => id.startsWith(prefix)
  const strange = channels.filter(({ id }) => !known.now.has(id) && !known.departed.has(id))
  /** With whom the dialplan has joined a channel that we once dialled: it is no orphan. */
  const talkingWith = (id: string) => {
    const caller = dialledFor(id, prefix) ?? ''
    const channel = byId.get(caller)
    return channel && !inApplication.has(caller) && isWithAnother(channel) ? caller : undefined
  }
  const missing = known.before.filter(id => !inApplication.has(id))
  const joined = known.joined.filter(id => !known.departed.has(id))
  const astray = joined.filter(id => !inApplication.has(id) && isInFallback(byId.get(id) ?? { context: '' }))
  const talking = strange.flatMap(({ id }) => talkingWith(id) ?? []).filter(caller => !known.now.has(caller))
  const leftUs = new Set([...missing, ...astray])
  const elsewhere = channels.filter(({ id }) => !inApplication.has(id) && !made(id) && !known.departed.has(id))
  return {
    missing,
    ended: joined.filter(id => !byId.has(id)),
    returned: joined.filter(id => inApplication.has(id)),
    astray,
    talking,
    unknown: strange.filter(({ id }) => inApplication.has(id) && !made(id)),
    orphanChannels: strange.filter(({ id }) => made(id) && talkingWith(id) === undefined).map(({ id }) => id),
    outsiders: elsewhere.filter(({ id }) => !known.now.has(id) || leftUs.has(id)).length + talking.length,
    orphanBridges: bridges.filter(({ id }) => made(id) && !known.now.has(id)).map(({ id }) => id),
  }
}
