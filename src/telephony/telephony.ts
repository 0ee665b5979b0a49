import type { Inspection, Leg, Telephony } from '../call/ports.ts'
import { type Clock, every } from '../clock.ts'
import { asError, GatewayError, isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Scope } from '../scope.ts'
import type { AriEndpoint, ChannelEvent } from './ari.ts'
import { AriClientAdapter, type AriSettings } from './ari-client.ts'
import { type Census, takeCensus } from './census.ts'
import { callerVariables, readFacts } from './facts.ts'
import { fallback } from './joining.ts'
import { CallerLeg, type LegIdentity } from './leg.ts'
import { Link } from './link.ts'
import { type OwnKind, ownName } from './names.ts'
import { VoicemailCollector, type VoicemailListener } from './voicemail.ts'

export interface TelephonyOptions {
  readonly ari: AriSettings
  /** How long a caller stays ours without a sign of life; the dialplan sets the same before Stasis. */
  readonly leaseMs: number
  readonly clock: Clock
  readonly random: () => number
  readonly scope: Scope
  /** In words, for the log and for whoever asks why no call is answered. */
  readonly onState: (ready: boolean, words: string) => void
  readonly onTrouble: (error: GatewayError) => void
  readonly onVoicemail: VoicemailListener
}

/** Not connected before `start`; listen for offered calls first. */
export function createTelephony(options: TelephonyOptions): AsteriskTelephony {
  return new AsteriskTelephony(options, new AriClientAdapter(options.ari, options.clock))
}

const NAME = 'CHANNEL(name)'

/** Asterisk as the rest of the program sees it: callers come in as legs, and nothing is left behind. */
class AsteriskTelephony implements Telephony {
  readonly #with: TelephonyOptions
  readonly #ari: AriEndpoint
  readonly #link: Link
  readonly #voicemails: VoicemailCollector
  /** By each of its channels and bridges, from before they are made until the caller has left. */
  readonly #legs = new Map<string, CallerLeg>()
  /** Callers of an earlier life who talk with somebody else. */
  readonly #talking = new Map<string, PromiseWithResolvers<void>>()
  /** Callers whose facts are being read. */
  readonly #arriving = new Set<string>()
  /** One for each census under way: the channels that have left meanwhile. */
  readonly #departures = new Set<Set<string>>()
  #offer: ((leg: Leg) => void) | undefined
  #outsiders = 0

  constructor(options: TelephonyOptions, ari: AriEndpoint) {
    this.#with = options
    this.#ari = ari
    const { clock, random } = options
    const scope = options.scope.child('ari')
    this.#voicemails = new VoicemailCollector(ari, options.onTrouble)
    this.#link = new Link({
      endpoint: ari,
      clock,
      random,
      scope,
      event: event => this.#onEvent(event),
      connected: () => this.#onConnected(),
      changed: options.onState,
      replaced: () => this.#onReplaced(),
      trouble: options.onTrouble,
    })
    scope.onClose(every(clock, limits.ari.sweepMs, () => void this.#sweep()))
  }

  /** As last counted, and those who were left to the dialplan since. */
  get outsiders(): number {
    return this.#outsiders
  }

  get ready(): boolean {
    return this.#link.ready
  }

  onOffered(listener: (leg: Leg) => void): void {
    this.#offer = listener
  }

  /** Settles when connected; rejects when a person must act first. Until then it tries for ever. */
  start(): Promise<void> {
    if (!this.#offer) throw new GatewayError('BUG', 'Nobody listens for offered calls.')
    return this.#link.start()
  }

  /**
   * Of a caller whom an earlier life of the gateway has connected with somebody else, and who is still there: settles when
   * that is over, by their end or because they have come back to us.
   */
  talking(call: string): Promise<void> | undefined {
    return this.#talking.get(call)?.promise
  }

  async inspect(): Promise<Inspection> {
    const [channels, bridges] = await Promise.all([this.#ari.channels(), this.#ari.bridges()])
    return {
      channels: channels.map(({ id, name, state }) => ({ id, name, state, call: this.#callOf(id) })),
      bridges: bridges.map(bridge => ({ ...bridge, call: this.#callOf(bridge.id) })),
    }
  }

  #callOf(id: string): string | undefined {
    return this.#legs.get(id)?.id
  }

  get #all(): CallerLeg[] {
    return [...new Set(this.#legs.values())]
  }

  get #prefix(): string {
    return `${this.#with.ari.app}:`
  }

  #onEvent(event: ChannelEvent): void {
    if (event.kind === 'left' || event.kind === 'ended') {
      this.#arriving.delete(event.channel)
      for (const departed of this.#departures) departed.add(event.channel)
    }
    const leg = this.#legs.get(event.channel)
    if (leg) leg.onAri(event)
    else if (event.kind === 'entered' && event.args[0] === 'inbound') void this.#receive(event.channel, false)
    else if (event.kind === 'entered' && event.args[0] === 'returned') void this.#receive(event.channel, true)
    else if (event.kind === 'ended') this.#talkedOut(event.channel)
  }

  async #onConnected(): Promise<void> {
    const live = await this.#reconcile()
    for (const leg of this.#all) leg.renewLease()
    void this.#collectVoicemails(live)
  }

  #onReplaced(): void {
    for (const leg of this.#all) leg.disown()
  }

  async #sweep(): Promise<void> {
    if (!this.ready) return
    try {
      await this.#collectVoicemails(await this.#reconcile())
    } catch (error) {
      this.#report(error)
    }
  }

  async #collectVoicemails(liveChannels: ReadonlySet<string>): Promise<void> {
    try {
      await this.#voicemails.collect(liveChannels, this.#with.onVoicemail)
    } catch (error) {
      this.#report(error)
    }
  }

  /** Brings our books and Asterisk's together; tells the channels that there are. */
  async #reconcile(): Promise<ReadonlySet<string>> {
    const departed = new Set<string>()
    this.#departures.add(departed)
    try {
      const before = this.#all.flatMap(leg => leg.present)
      const joined = this.#all.filter(leg => leg.joined).map(({ id }) => id)
      const [channels, bridges, own] = await Promise.all([
        this.#ari.channels(),
        this.#ari.bridges(),
        this.#ari.ownChannels(),
      ])
      const now = new Set(this.#legs.keys())
      const census = takeCensus({ channels, bridges, own }, { before, joined, now, departed }, this.#prefix)
      this.#outsiders = census.outsiders
      this.#makeUpFor(census, own)
      await this.#follow(census)
      const removed = this.#remove(census.orphanChannels, census.orphanBridges)
      await Promise.all(census.unknown.map(({ id, state }) => this.#receive(id, state === 'Up', removed)))
      await removed
      await Promise.all(this.#all.map(leg => leg.mend(bridges)))
      return new Set(channels.map(channel => channel.id))
    } finally {
      this.#departures.delete(departed)
    }
  }

  /** Events that were lost, with the connection before or else. */
  #makeUpFor(census: Census, own: readonly string[]): void {
    for (const channel of [...census.missing, ...census.astray]) this.#legs.get(channel)?.missed(channel)
    for (const channel of own) this.#legs.get(channel)?.onAri({ kind: 'entered', channel, args: [] })
    for (const channel of census.ended) this.#legs.get(channel)?.onAri({ kind: 'ended', channel, cause: undefined })
    const args = ['returned']
    for (const channel of census.returned) this.#legs.get(channel)?.onAri({ kind: 'entered', channel, args })
  }

  /** To the end of callers whom an earlier life has connected. */
  async #follow({ talking, unknown }: Census): Promise<void> {
    const there = new Set([...talking, ...unknown.map(({ id }) => id)])
    for (const caller of this.#talking.keys()) if (!there.has(caller)) this.#talkedOut(caller)
    const found = talking.filter(caller => !this.#talking.has(caller))
    for (const caller of found) this.#talking.set(caller, Promise.withResolvers())
    if (found.length === 0) return
    // One that has ended meanwhile is missed by the next census.
    await this.#ari.subscribe(found).catch(error => this.#report(error))
  }

  #talkedOut(caller: string): void {
    this.#talking.get(caller)?.resolve()
    this.#talking.delete(caller)
  }

  async #remove(channels: readonly string[], bridges: readonly string[]): Promise<void> {
    const removals = [
      ...channels.map(channel => this.#ari.hangup(channel, 'normal')),
      ...bridges.map(bridge => this.#ari.destroyBridge(bridge)),
    ]
    // One that cannot be removed must not keep the callers waiting; the next sweep tries again.
    await Promise.all(removals.map(removal => removal.catch(error => this.#report(error))))
  }

  /**
   * Of a caller's channel in our application makes a leg, once the way is clear; whatever is no caller has no business
   * there.
   */
  async #receive(channel: string, takenOver: boolean, clear?: Promise<void>): Promise<void> {
    if (this.#arriving.has(channel)) return
    this.#arriving.add(channel)
    try {
      const [variables] = await Promise.all([this.#ari.variables(channel, [...callerVariables, NAME]), clear])
      if (!this.#arriving.has(channel)) return
      if (!variables) return await this.#ari.hangup(channel, 'normal')
      const facts = readFacts(variables)
      if (!facts) throw new GatewayError('MEDIA_FAILED', 'A caller speaks neither mu-law nor A-law.')
      this.#open({ id: channel, channel: variables[NAME], facts, takenOver })
    } catch (error) {
      if (!isCode(error, 'CHANNEL_GONE')) await this.#giveBack(channel, error)
    } finally {
      this.#arriving.delete(channel)
    }
  }

  /** A caller who cannot be served is not left ringing until the lease runs out. */
  async #giveBack(channel: string, reason: unknown): Promise<void> {
    this.#report(reason)
    await this.#ari.continueInDialplan(channel, fallback).catch(error => this.#report(error))
  }

  #open(caller: Pick<LegIdentity, 'id' | 'channel' | 'facts' | 'takenOver'>): void {
    const { id } = caller
    const { clock, random, scope, leaseMs, onTrouble: trouble } = this.#with
    const life = Math.floor(random() * 2 ** 32).toString(36)
    const names = new Set([id])
    const name = (kind: OwnKind) => {
      const made = ownName(this.#prefix, kind, id, life, names.size)
      names.add(made)
      this.#legs.set(made, leg)
      return made
    }
    const forget = (gone: Iterable<string>) => {
      for (const each of gone) this.#legs.delete(each)
    }
    const left = (remaining: number) => {
      this.#outsiders += remaining
      forget(names)
    }
    const leg: CallerLeg = new CallerLeg(
      { ...caller, name, forget },
      { ari: this.#ari, clock, scope: scope.child(id), leaseMs, trouble, left },
    )
    this.#legs.set(id, leg)
    this.#offer?.(leg)
    this.#talkedOut(id)
  }

  #report(thrown: unknown): void {
    this.#with.onTrouble(thrown instanceof GatewayError ? thrown : new GatewayError('BUG', asError(thrown).message))
  }
}
