import type { AriBridge, AriChannel } from './ari.ts'

/** What Asterisk has, as it told when asked. */
export interface Snapshot {
  readonly channels: readonly AriChannel[]
  readonly bridges: readonly AriBridge[]
  /** Those that are in our application. */
  readonly own: readonly string[]
}

export interface Known {
  /** Channels that were certainly in our application before the snapshot was asked for. */
  readonly before: readonly string[]
  /** Channels and bridges of the legs there are now. */
  readonly now: ReadonlySet<string>
  /** Channels that have left while the snapshot was taken. */
  readonly departed: ReadonlySet<string>
}

export interface Census {
  /** Channels of legs that are no longer in our application. */
  readonly missing: readonly string[]
  /** Channels in our application that no leg has: callers of an earlier life, or ones whose arrival was not told. */
  readonly unknown: readonly AriChannel[]
  /** What an earlier life, or a request that failed, has left behind. */
  readonly orphanChannels: readonly string[]
  readonly orphanBridges: readonly string[]
  /** Channels that are nobody's business here but hold RTP ports all the same: callers in the dialplan's fallback. */
  readonly outsiders: number
}

/**
 * Asterisk's books against ours. Everything that we make carries the prefix; what does not is touched only when it is in
 * our application, so that another program on the same Asterisk keeps what it has.
 */
export function takeCensus({ channels, bridges, own }: Snapshot, known: Known, prefix: string): Census {
  const inApplication = new Set(own)
  const strange = channels.filter(({ id }) => !known.now.has(id) && !known.departed.has(id))
  const made = (id: string) => id.startsWith(prefix)
  const missing = known.before.filter(id => !inApplication.has(id))
  const elsewhere = channels.filter(({ id }) => !inApplication.has(id) && !made(id) && !known.departed.has(id))
  return {
    missing,
    unknown: strange.filter(({ id }) => inApplication.has(id) && !made(id)),
    orphanChannels: strange.filter(({ id }) => made(id)).map(({ id }) => id),
    outsiders: elsewhere.filter(({ id }) => !known.now.has(id) || missing.includes(id)).length,
    orphanBridges: bridges.filter(({ id }) => made(id) && !known.now.has(id)).map(({ id }) => id),
  }
}
