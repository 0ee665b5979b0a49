import type { Connection, Departure, HangupCause, Leg, LegEvent } from '../call/ports.ts'
import { type Clock, every, pause, within } from '../clock.ts'
import { asError, GatewayError, isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Line } from '../plane/line.ts'
import type { Scope } from '../scope.ts'
import type { Ari, AriHangupReason, ChannelEvent } from './ari.ts'

/** Where the dialplan takes over from us. */
export const fallback = { context: 'fallback', extension: 's', priority: 1 }

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

/** What a leg is and will make; the names are fixed before anything is made, so that nothing of it is ever a stranger. */
export type LegIdentity = Pick<Leg, 'id' | 'facts' | 'takenOver'> & {
  /** Of its media channel, and of those that take its place should it end in mid-call. */
  readonly medias: readonly string[]
  readonly bridge: string
}

export interface LegDependencies {
  readonly ari: Ari
  readonly clock: Clock
  /** The leg's own: it ends with the leg. */
  readonly scope: Scope
  readonly leaseMs: number
  readonly trouble: (error: GatewayError) => void
  /** The caller's channel is ours no more; `handedBack`: it goes on in the dialplan. */
  readonly left: (handedBack: boolean) => void
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
  readonly bridge: string
  readonly #medias: readonly string[]
  readonly #with: LegDependencies
  #mediaEntered = arrival()
  #replacements = 0
  readonly #early: LegEvent[] = []
  #listener: ((event: LegEvent) => void) | undefined
  /** `leaving`: we have asked for its end, or given it back; the lease is left to run out should that fail. */
  #caller: 'ours' | 'leaving' | 'left' = 'ours'
  #connected = false
  #line: Line | undefined
  #handedBack = false
  #renewing = false
  #departure: { readonly how: Departure; readonly cause: string } = { how: 'lost', cause: 'left the application' }

  constructor(identity: LegIdentity, dependencies: LegDependencies) {
    this.id = identity.id
    this.facts = identity.facts
    this.takenOver = identity.takenOver
    this.#medias = identity.medias
    this.bridge = identity.bridge
    this.#with = dependencies
    const { scope, clock, leaseMs } = dependencies
    scope.signal.addEventListener('abort', () => this.#mediaEntered.reject(scope.signal.reason), { once: true })
    scope.onClose(() => this.#letGo())
    scope.onClose(every(clock, leaseMs / limits.call.renewalsPerLease, () => void this.renewLease()))
  }

  /** The media channel that is, or is being made. */
  get media(): string {
    return this.#medias[this.#replacements] ?? ''
  }

  /** Both channels are joined: each may be missed from now on. */
  get connected(): boolean {
    return this.#connected
  }

  async connect(line: Line): Promise<Connection> {
    const { ari } = this.#with
    this.#line = line
    const makeBridge = () => this.#make(ari.createBridge(this.bridge), () => ari.destroyBridge(this.bridge))
    return this.#join(line, [this.id, this.media], makeBridge)
  }

  /** Makes a media channel to the line, and joins these channels in the bridge. */
  async #join(line: Line, channels: readonly string[], makeBridge: () => Promise<void>): Promise<Connection> {
    const { ari, scope } = this.#with
    const { media } = this
    scope.signal.throwIfAborted()
    this.#mediaEntered = arrival()
    const external = { channel: media, law: line.law, host: line.local }
    const [peer] = await Promise.all([
      this.#make(ari.createExternalMedia(external), () => ari.hangup(media, 'normal')),
      makeBridge(),
    ])
    // Asterisk refuses a channel in the bridge (422) that has not entered the application yet.
    const late = () => new GatewayError('ARI_TIMEOUT', 'The media channel did not enter the application in time.')
    await within(this.#with.clock, limits.ari.requestMs, this.#mediaEntered.promise, late)
    line.connect(peer)
    await ari.addToBridge(this.bridge, channels)
    scope.signal.throwIfAborted()
    this.#connected = true
    return {
      channel: media,
      bridge: this.bridge,
      ports: { gateway: line.local.port, asterisk: peer.port },
    }
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

  async handBack(reason: string): Promise<void> {
    this.#assertPresent()
    this.#caller = 'leaving'
    this.#handedBack = true
    // The caller comes first: a reason that could not be set must not keep them.
    await this.#with.ari.setVariables(this.id, { PARLEY_REASON: reason }).catch(error => this.#report(error))
    await this.#with.ari.continueInDialplan(this.id, fallback)
  }

  async hangup(cause: HangupCause): Promise<void> {
    if (this.#caller === 'left') return
    this.#caller = 'leaving'
    await this.#with.ari.hangup(this.id, reasons[cause])
  }

  onEvent(listener: (event: LegEvent) => void): void {
    this.#listener = listener
    for (const event of this.#early.splice(0)) listener(event)
  }

  close(): Promise<void> {
    return this.#with.scope.close(gone())
  }

  /** Of one of the leg's two channels. */
  onAri(event: ChannelEvent): void {
    if (event.channel === this.media) return this.#onMediaEvent(event.kind)
    // A media channel that another has replaced is of no interest.
    if (event.channel !== this.id) return
    switch (event.kind) {
      case 'digit':
        return this.#tell({ kind: 'digit', digit: event.digit, heldMs: event.heldMs })
      case 'held':
      case 'unheld':
        return this.#tell({ kind: event.kind })
      case 'hangupRequested':
        this.#departure = {
          how: silent.has(event.cause) ? 'vanished' : 'hungUp',
          cause: event.cause ? `hung up (cause ${event.cause})` : 'hung up',
        }
        return
      case 'left':
        return this.#leave(this.#departure)
    }
  }

  /** Another gateway serves the caller now; what this one has made still goes. */
  disown(): void {
    this.#leave({ how: 'takenOver', cause: 'taken over by another gateway' })
  }

  async renewLease(): Promise<void> {
    if (this.#caller !== 'ours' || this.#renewing) return
    this.#renewing = true
    const seconds = String(this.#with.leaseMs / 1_000)
    try {
      await this.#with.ari.setVariables(this.id, { 'TIMEOUT(absolute)': seconds })
    } catch (error) {
      if (isCode(error, 'CHANNEL_GONE')) this.#leave({ how: 'lost', cause: 'not found' })
      else this.#report(error)
    } finally {
      this.#renewing = false
    }
  }

  /** A request still under way may yet succeed: what it makes is removed after it has settled. */
  #make<T>(creation: Promise<T>, remove: () => Promise<void>): Promise<T> {
    this.#with.scope.onClose(async () => {
      await creation.catch(() => {})
      await remove()
    })
    return creation
  }

  #onMediaEvent(kind: ChannelEvent['kind']): void {
    if (kind === 'entered') this.#mediaEntered.resolve()
    if (kind === 'left' && this.#connected) void this.#replaceMedia(this.#line)
  }

  /** The line keeps its socket: the caller misses what was said meanwhile, and nothing else. */
  async #replaceMedia(line: Line | undefined): Promise<void> {
    this.#connected = false
    while (line && this.#caller === 'ours' && !this.#with.scope.closed) {
      const detail = 'The media channel of a live call has ended.'
      this.#report(new GatewayError('MEDIA_FAILED', detail))
      if (this.#replacements + 1 === this.#medias.length) return this.#tell({ kind: 'mediaFailed', detail })
      this.#tell({ kind: 'mediaLost', detail })
      this.#replacements += 1
      try {
        const connection = await this.#join(line, [this.media], async () => {})
        return this.#tell({ kind: 'mediaReplaced', connection })
      } catch (error) {
        if (!this.#with.scope.closed) this.#report(error)
      }
    }
  }

  /** A leg that is closed while its caller is there must not leave them in silence. */
  async #letGo(): Promise<void> {
    if (this.#caller === 'ours') await this.handBack('closed')
  }

  #leave({ how, cause }: { readonly how: Departure; readonly cause: string }): void {
    if (this.#caller === 'left') return
    this.#caller = 'left'
    this.#with.left(this.#handedBack)
    this.#tell({ kind: 'gone', how: this.#handedBack ? 'handedBack' : how, cause })
    void this.close()
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
}

function sendingMs(digits: string): number {
  const { downMs, upMs } = digitTimes
  return [...digits].reduce((sum, digit) => sum + (digit === 'w' ? WAIT_MS : downMs + upMs), SENDING_MORE_MS)
}

/** One that nobody waits for yet may fail all the same. */
function arrival(): PromiseWithResolvers<void> {
  const arrived = Promise.withResolvers<void>()
  arrived.promise.catch(() => {})
  return arrived
}

function gone(): GatewayError {
  return new GatewayError('CHANNEL_GONE', "The caller's channel is gone.")
}
