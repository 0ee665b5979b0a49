import type { Connection, Dialled, DialledEvent, DialRequest } from '../call/ports.ts'
import { within } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Line } from '../plane/line.ts'
import type { ChannelEvent } from './ari.ts'
import { dialVariables, failureOf } from './dialling.ts'
import { Lease, LIFE, seconds } from './lease.ts'
import { arrivalIn, type Making, MediaChannel, make } from './media-channel.ts'

export interface DialledNames {
  readonly id: string
  readonly bridge: string
  readonly media: string
}

export interface DialledDependencies extends Making {
  readonly leaseMs: number
  /** Whom it is made for. */
  readonly caller: { readonly id: string; readonly name: string }
  readonly trouble: (error: unknown) => void
}

/**
 * A channel towards somebody else, in a bridge of its own from before it is dialled: the caller comes into it to hear what
 * is to be heard there, and so does the media channel of a consulting line. It lives on a lease as the caller does: nobody
 * is left talking to a gateway that has died.
 */
export class DialledChannel implements Dialled {
  readonly id: string
  readonly bridge: string
  readonly #with: DialledDependencies
  readonly #entered: PromiseWithResolvers<void>
  readonly #media: MediaChannel
  readonly #early: DialledEvent[] = []
  #listener: ((event: DialledEvent) => void) | undefined
  #name = ''
  #state: 'making' | 'dialling' | 'answered' | 'joined' | 'over' = 'making'
  #rang = false
  #sounds = false
  #lease: Lease | undefined

  constructor({ id, bridge, media }: DialledNames, dependencies: DialledDependencies) {
    this.id = id
    this.bridge = bridge
    this.#with = dependencies
    this.#entered = arrivalIn(dependencies.scope)
    this.#media = new MediaChannel(media, dependencies)
  }

  get media(): string {
    return this.#media.id
  }

  /** As Asterisk's dialplan knows it. */
  get name(): string {
    return this.#name
  }

  /** It is certainly in the application. */
  get present(): boolean {
    return this.#state === 'dialling' || this.#state === 'answered'
  }

  get over(): boolean {
    return this.#state === 'over'
  }

  /** Dials; when that cannot even begin, nothing is left of it. */
  async begin(request: DialRequest): Promise<void> {
    const { ari, clock, scope, leaseMs, caller } = this.#with
    const variables = { ...dialVariables(request, caller.name), [LIFE]: seconds(leaseMs) }
    const channel = { channel: this.id, endpoint: request.target.dial, originator: caller.id, variables }
    try {
      scope.signal.throwIfAborted()
      const [name] = await Promise.all([
        make(scope, ari.createChannel(channel), () => this.#remove()),
        make(scope, ari.createBridge(this.bridge), () => ari.destroyBridge(this.bridge)),
      ])
      this.#name = name
      const late = () => new GatewayError('ARI_TIMEOUT', 'The channel did not enter the application in time.')
      await within(clock, limits.ari.requestMs, this.#entered.promise, late)
      await ari.addToBridge(this.bridge, [this.id])
      if (this.#state === 'making') this.#state = 'dialling'
      await ari.dial(this.id, limits.call.dialSeconds)
      scope.signal.throwIfAborted()
    } catch (error) {
      // It has ended before it was told that it is dialled.
      if (this.#state === 'over') return
      await scope.close(error)
      throw error
    }
    this.#lease = new Lease(this.id, this.#with, this.#with.trouble)
  }

  onEvent(listener: (event: DialledEvent) => void): void {
    this.#listener = listener
    for (const event of this.#early.splice(0)) listener(event)
  }

  async consult(line: Line): Promise<Connection> {
    if (this.#state !== 'answered') throw new GatewayError('CHANNEL_GONE', 'Nobody is there to be consulted.')
    const peer = await this.#media.open(line, async () => {})
    await this.#with.ari.addToBridge(this.bridge, [this.media])
    this.#with.scope.signal.throwIfAborted()
    const ports = { gateway: line.local.port, asterisk: peer.port }
    return { channel: this.media, bridge: this.bridge, ports }
  }

  /** It is to be joined with the caller, and must outlive this gateway: its bound is that of every call. */
  async outlive(): Promise<void> {
    await this.#lease?.end()
    await this.#with.ari.setVariables(this.id, { [LIFE]: seconds(limits.call.durationMs) })
  }

  /** It has not been joined after all. */
  leaseAgain(): void {
    if (this.present) this.#lease?.beginAgain()
  }

  /** Nobody's here any more: the PBX has joined it with the caller. */
  letGo(): Promise<void> {
    if (this.#state !== 'over') this.#state = 'joined'
    return this.close()
  }

  close(): Promise<void> {
    return this.#with.scope.close(new GatewayError('CHANNEL_GONE', 'The channel is not needed any more.'))
  }

  onAri(event: ChannelEvent): void {
    if (event.channel === this.media) {
      if (event.kind === 'entered') this.#media.hasEntered()
      return
    }
    switch (event.kind) {
      case 'entered':
        return this.#entered.resolve()
      case 'dialled':
        return this.#onDialled(event.status)
      case 'digit':
        return this.#tell({ kind: 'digit', digit: event.digit, heldMs: event.heldMs })
      case 'ended':
        return this.#end(event.cause)
    }
  }

  /** Asterisk's books have it no more. */
  missed(): void {
    this.#end(undefined)
  }

  #onDialled(status: string): void {
    if (this.#state !== 'making' && this.#state !== 'dialling') return
    if (status === 'RINGING' && !this.#rang) {
      this.#rang = true
      this.#tell({ kind: 'ringing' })
    }
    if (status === 'PROGRESS' && !this.#sounds) {
      this.#sounds = true
      this.#tell({ kind: 'ownSound' })
    }
    if (status === 'ANSWER') {
      this.#state = 'answered'
      this.#tell({ kind: 'answered' })
    }
  }

  #end(cause: number | undefined): void {
    if (this.#state === 'over' || this.#state === 'joined') return
    const answered = this.#state === 'answered'
    this.#state = 'over'
    const why = answered ? 'hungUp' : failureOf(cause, this.#rang || this.#sounds)
    this.#tell({ kind: 'ended', why, cause: cause === undefined ? 'not found' : `cause ${cause}` })
    void this.close()
  }

  async #remove(): Promise<void> {
    if (this.#state !== 'joined' && this.#state !== 'over') await this.#with.ari.hangup(this.id, 'normal')
  }

  #tell(event: DialledEvent): void {
    if (this.#listener) return this.#listener(event)
    if (this.#early.length < limits.call.earlyLegEvents || event.kind === 'ended') this.#early.push(event)
  }
}
