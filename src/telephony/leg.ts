import type { Connection, Departure, Dialled, DialRequest, HangupCause, Joined, Leg, LegEvent } from '../call/ports.ts'
import { type Clock, pause } from '../clock.ts'
import { asError, GatewayError, isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Line } from '../plane/line.ts'
import type { Scope } from '../scope.ts'
import type { Ari, AriBridge, AriHangupReason, ChannelEvent } from './ari.ts'
import { DialledChannel } from './dialled.ts'
import { fallback, Joining } from './joining.ts'
import { Lease } from './lease.ts'
import { LinePath } from './line-path.ts'
import type { OwnKind } from './names.ts'
import { Place } from './place.ts'

/** A key is down for so long, and then up; as long as telephones have it (Q.24 asks for 40 ms each). */
const digitTimes = { downMs: 100, upMs: 100 }
const WAIT_MS = 500
/** Asterisk is silent for 100 ms before the first, and sends each with the frames that come. */
const SENDING_MORE_MS = 200

const reasons: Readonly<Record<HangupCause, AriHangupReason>> = {
  normal: 'normal',
  busy: 'busy',
  congestion: 'congestion',
  noAnswer: 'no_answer',
  rejected: 'rejected',
}

/** What Asterisk hangs up with when no sound has come for `rtp_timeout`, as measured and as its source says; a BYE has none. */
const silent: ReadonlySet<number | undefined> = new Set([1, 44])

export type LegIdentity = Pick<Leg, 'id' | 'facts' | 'takenOver'> & {
  /** The caller's channel, as Asterisk's dialplan knows it. */
  readonly channel: string
  /** A name that no other channel and no other bridge has, known as this leg's from now on. */
  readonly name: (kind: OwnKind) => string
  /** What had these names is gone, or is nobody's. */
  readonly forget: (names: readonly string[]) => void
}

export interface LegDependencies {
  readonly ari: Ari
  readonly clock: Clock
  /** The leg's own: it ends with the leg. */
  readonly scope: Scope
  readonly leaseMs: number
  readonly trouble: (error: GatewayError) => void
  /** The caller's channel is ours no more; so many channels go on in the dialplan. */
  readonly left: (remaining: number) => void
}

/**
 * A caller's channel in our application. It stays ours while its lease is renewed; a gateway that dies or freezes thus
 * gives the caller back to the dialplan. All that the leg makes is registered on its scope before it is made, and goes
 * with it, whichever side ends first and however far the set-up has come.
 */
export class CallerLeg implements Leg {
  readonly id: string
  readonly facts: Leg['facts']
  readonly takenOver: boolean
  readonly #names: Pick<LegIdentity, 'channel' | 'name' | 'forget'>
  readonly #with: LegDependencies
  readonly #place: Place
  readonly #lease: Lease
  readonly #dialled = new Set<DialledChannel>()
  readonly #joining: Joining
  readonly #early: LegEvent[] = []
  #listener: ((event: LegEvent) => void) | undefined
  /**
   * `leaving`: we have asked for its end, or given it back; the lease is left to run out should that fail. `away`: led to
   * somebody else by the dialplan, which gives it back when they are not there.
   */
  #caller: 'ours' | 'leaving' | 'away' | 'left' = 'ours'
  #joined = false
  /** Being led away was asked for in vain, and may yet come about. */
  #mayStray = false
  #path: { readonly way: LinePath; readonly scope: Scope } | undefined
  #handedBack = false
  #departure: { readonly how: Departure; readonly cause: string } = { how: 'lost', cause: 'left the application' }

  constructor(identity: LegIdentity, dependencies: LegDependencies) {
    this.id = identity.id
    this.facts = identity.facts
    this.takenOver = identity.takenOver
    this.#names = identity
    this.#with = dependencies
    const { ari, scope } = dependencies
    this.#place = new Place(ari, this.id)
    this.#joining = new Joining(dependencies)
    scope.onClose(() => this.#letGo())
    this.#lease = new Lease(this.id, dependencies, error => this.#onUnrenewed(error))
  }

  /** Channels that are certainly in the application: each may be missed from now on. */
  get present(): string[] {
    const way = this.#path?.way
    const far = [...this.#dialled].filter(({ present }) => present).map(({ id }) => id)
    return [...(this.#caller === 'away' ? [] : [this.id]), ...(way?.connected ? [way.media] : []), ...far]
  }

  /** With somebody else, by the PBX alone. */
  get joined(): boolean {
    return this.#joined
  }

  async connect(line: Line): Promise<Connection> {
    this.#assertPresent()
    const scope = this.#with.scope.child('line')
    const way = new LinePath(line, {
      ...this.#with,
      scope,
      name: this.#names.name,
      trouble: error => this.#report(error),
      lost: (detail, forGood) => this.#tell({ kind: forGood ? 'mediaFailed' : 'mediaLost', detail }),
      replaced: connection => this.#tell({ kind: 'mediaReplaced', connection }),
    })
    this.#path = { way, scope }
    const connection = await way.connect(this.id)
    this.#place.settle(way.bridge)
    return connection
  }

  async answer(): Promise<void> {
    this.#assertPresent()
    await this.#with.ari.answer(this.id)
  }

  async sendDigits(digits: string): Promise<void> {
    this.#assertPresent()
    const { ari, clock, scope } = this.#with
    await ari.sendDigits(this.id, { digits, ...digitTimes })
    await pause(clock, sendingMs(digits), scope.signal)
  }

  async dial(request: DialRequest): Promise<Dialled> {
    this.#assertPresent()
    const { ari, clock, leaseMs } = this.#with
    const { channel, name, forget } = this.#names
    const names = { id: name('dialled'), bridge: name('bridge'), media: name('media') }
    const scope = this.#with.scope.child(names.id)
    const trouble = (error: unknown) => this.#reportUnlessGone(error)
    const dialled = new DialledChannel(names, {
      ...{ ari, clock, scope, leaseMs, trouble },
      caller: { id: this.id, name: channel },
    })
    this.#dialled.add(dialled)
    scope.onClose(() => {
      this.#dialled.delete(dialled)
      forget(Object.values(names))
    })
    await dialled.begin(request)
    // The last to be registered is the first to be released: the caller is back before that bridge goes.
    scope.onClose(() => this.#place.leave(dialled.bridge).catch(trouble))
    return dialled
  }

  async letHear(what: Dialled | 'music' | undefined): Promise<void> {
    this.#assertPresent()
    if (what === undefined || what === 'music') return this.#place.hear(what ?? 'line')
    const dialled = this.#mine(what)
    if (dialled) await this.#place.hear(dialled)
  }

  async join(other: Dialled): Promise<Joined> {
    this.#assertPresent()
    const dialled = this.#mine(other)
    if (!dialled) return 'otherGone'
    try {
      const joined = await this.#joinWith(dialled)
      if (joined !== 'joined') dialled.leaseAgain()
      return joined
    } catch (error) {
      dialled.leaseAgain()
      throw error
    }
  }

  async handBack(reason: string): Promise<void> {
    this.#assertPresent()
    this.#caller = 'leaving'
    void this.#lease.end()
    this.#handedBack = true
    // The caller comes first: a reason that could not be set must not keep them.
    await this.#with.ari.setVariables(this.id, { PARLEY_REASON: reason }).catch(error => this.#report(error))
    await this.#with.ari.continueInDialplan(this.id, fallback)
  }

  async hangup(cause: HangupCause): Promise<void> {
    if (this.#caller === 'left') return
    this.#caller = 'leaving'
    void this.#lease.end()
    await this.#with.ari.hangup(this.id, reasons[cause])
  }

  onEvent(listener: (event: LegEvent) => void): void {
    this.#listener = listener
    for (const event of this.#early.splice(0)) listener(event)
  }

  close(): Promise<void> {
    return this.#with.scope.close(gone())
  }

  /** Of one of the leg's channels. */
  onAri(event: ChannelEvent): void {
    if (event.channel === this.id) return this.#onCallerEvent(event)
    this.#path?.way.onAri(event)
    for (const dialled of this.#dialled) {
      if (event.channel === dialled.id || event.channel === dialled.media) dialled.onAri(event)
    }
    if (this.#caller === 'away') this.#joining.heard()
  }

  /** A channel that should be in the application is not: what Asterisk told of it was lost. */
  missed(channel: string): void {
    const dialled = [...this.#dialled].find(({ id }) => id === channel)
    if (dialled) dialled.missed()
    else if (channel === this.id) this.#leave(this.#departure)
    else this.onAri({ kind: 'left', channel })
  }

  /** Where Asterisk's books have the channels of a caller who is with us. */
  async mend(bridges: readonly AriBridge[]): Promise<void> {
    if (this.#caller === 'ours') await this.#place.mend(bridges).catch(error => this.#reportUnlessGone(error))
  }

  /** Another gateway serves the caller now; what this one has made still goes. */
  disown(): void {
    this.#leave({ how: 'takenOver', cause: 'taken over by another gateway' })
  }

  renewLease(): void {
    this.#lease.renew()
  }

  async #joinWith(dialled: DialledChannel): Promise<Joined> {
    const ready = await this.#joining.prepare(this.id, dialled)
    if (ready !== 'ready') return ready
    await this.#place.endMusic()
    await this.#lease.end()
    this.#assertPresent()
    this.#caller = 'away'
    try {
      const found = await this.#joining.run(this.id, dialled)
      if (this.#isGone) return 'callerGone'
      if (found === 'joined') return this.#handOver(dialled)
      if (found === 'returned') return await this.#takeBack()
      this.#leave(this.#departure)
      return 'callerGone'
    } catch (error) {
      if (this.#isGone) return 'callerGone'
      this.#caller = 'ours'
      this.#mayStray = true
      this.#lease.beginAgain()
      await this.mend([])
      throw error
    }
  }

  #onCallerEvent(event: ChannelEvent): void {
    switch (event.kind) {
      case 'entered':
        if (event.args[0] === 'returned') this.#onReturned()
        return
      case 'digit':
        if (this.#caller === 'away') return
        return this.#tell({ kind: 'digit', digit: event.digit, heldMs: event.heldMs })
      case 'held':
      case 'unheld':
        if (this.#caller === 'away') return
        return this.#tell({ kind: event.kind })
      case 'hangupRequested':
        this.#departure = {
          how: silent.has(event.cause) ? 'vanished' : 'hungUp',
          cause: event.cause ? `hung up (cause ${event.cause})` : 'hung up',
        }
        return
      case 'left':
        // Into the dialplan, as was asked for; it gives the caller back, or their end is told.
        if (this.#caller === 'away') return this.#joining.heard()
        if (this.#caller === 'ours' && this.#mayStray) return
        return this.#leave(this.#departure)
      case 'ended':
        if (this.#joined && this.#departure.how === 'lost') return this.#leave({ how: 'hungUp', cause: 'hung up' })
        return this.#leave(this.#departure)
    }
  }

  #onUnrenewed(error: unknown): void {
    if (!isCode(error, 'CHANNEL_GONE')) this.#report(error)
    else if (this.#caller === 'ours' && !this.#mayStray) this.#leave({ how: 'lost', cause: 'not found' })
  }

  #onReturned(): void {
    if (this.#caller === 'away' && !this.#joined) return this.#joining.heard()
    if (this.#joined) {
      this.#joined = false
      this.#caller = 'ours'
      this.#tell({ kind: 'returned' })
    } else if (this.#mayStray) {
      void this.#place.restore().catch(error => this.#reportUnlessGone(error))
    }
    this.#mayStray = false
    this.#lease.beginAgain()
  }

  /** From now on no part of what they say to each other is ours. */
  #handOver(dialled: DialledChannel): Joined {
    this.#joined = true
    this.#mayStray = false
    this.#place.forsake()
    void this.#path?.scope.close()
    this.#path = undefined
    void dialled.letGo()
    return 'joined'
  }

  /** The other one was not there any more. */
  async #takeBack(): Promise<Joined> {
    this.#caller = 'ours'
    this.#lease.beginAgain()
    await this.#place.restore().catch(error => this.#reportUnlessGone(error))
    return 'otherGone'
  }

  /** A leg that is closed while its caller is there must not leave them in silence. */
  async #letGo(): Promise<void> {
    if (this.#caller === 'ours') return this.handBack('closed')
    if (this.#caller !== 'away') return
    this.#caller = 'left'
    this.#with.left(2)
  }

  #leave({ how, cause }: { readonly how: Departure; readonly cause: string }): void {
    if (this.#caller === 'left') return
    this.#caller = 'left'
    void this.#lease.end()
    this.#with.left(this.#handedBack ? 1 : 0)
    this.#tell({ kind: 'gone', how: this.#handedBack ? 'handedBack' : how, cause })
    void this.close()
  }

  get #isGone(): boolean {
    return this.#caller === 'left'
  }

  #mine(dialled: Dialled): DialledChannel | undefined {
    return [...this.#dialled].find(each => each === dialled)
  }

  #assertPresent(): void {
    if (this.#caller === 'left') throw gone()
  }

  #tell(event: LegEvent): void {
    if (this.#listener) return this.#listener(event)
    if (this.#early.length < limits.call.earlyLegEvents || event.kind === 'gone') this.#early.push(event)
  }

  #report(thrown: unknown): void {
    this.#with.trouble(thrown instanceof GatewayError ? thrown : new GatewayError('BUG', asError(thrown).message))
  }

  #reportUnlessGone(thrown: unknown): void {
    if (!isCode(thrown, 'CHANNEL_GONE')) this.#report(thrown)
  }
}

function sendingMs(digits: string): number {
  const { downMs, upMs } = digitTimes
  return [...digits].reduce((sum, digit) => sum + (digit === 'w' ? WAIT_MS : downMs + upMs), SENDING_MORE_MS)
}

function gone(): GatewayError {
  return new GatewayError('CHANNEL_GONE', "The caller's channel is gone.")
}
