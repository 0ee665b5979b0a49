import type { Connection } from '../call/ports.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Line } from '../plane/line.ts'
import type { ChannelEvent } from './ari.ts'
import { type Making, MediaChannel, make } from './media-channel.ts'

export interface LinePathDependencies extends Making {
  /** A name of its own, known as ours before anything is made with it. */
  readonly name: (kind: 'media' | 'bridge') => string
  /** The media channel has ended in mid-call, and this time it will not be replaced, or it will. */
  readonly lost: (detail: string, forGood: boolean) => void
  readonly replaced: (connection: Connection) => void
  readonly trouble: (error: unknown) => void
}

/** A caller's way to a line: a bridge, and in it a media channel that another replaces should it end. */
export class LinePath {
  readonly bridge: string
  readonly #with: LinePathDependencies
  readonly #line: Line
  #media: MediaChannel
  #connected = false
  #replacements = 0

  constructor(line: Line, dependencies: LinePathDependencies) {
    this.#line = line
    this.#with = dependencies
    this.bridge = dependencies.name('bridge')
    this.#media = this.#nextMedia()
  }

  /** The media channel that is, or is being made. */
  get media(): string {
    return this.#media.id
  }

  /** Both channels are joined: each may be missed from now on. */
  get connected(): boolean {
    return this.#connected
  }

  connect(caller: string): Promise<Connection> {
    const { ari, scope } = this.#with
    return this.#join(() => make(scope, ari.createBridge(this.bridge), () => ari.destroyBridge(this.bridge)), caller)
  }

  /** Of its media channel; one that another has replaced is of no interest. */
  onAri(event: ChannelEvent): void {
    if (event.channel !== this.media) return
    if (event.kind === 'entered') this.#media.hasEntered()
    if ((event.kind === 'left' || event.kind === 'ended') && this.#connected) void this.#replace()
  }

  async #join(makeBridge: () => Promise<void>, ...others: readonly string[]): Promise<Connection> {
    const { ari, scope } = this.#with
    scope.signal.throwIfAborted()
    const { id } = this.#media
    const peer = await this.#media.open(this.#line, makeBridge)
    await ari.addToBridge(this.bridge, [...others, id])
    scope.signal.throwIfAborted()
    this.#connected = true
    const ports = { gateway: this.#line.local.port, asterisk: peer.port }
    return { channel: id, bridge: this.bridge, ports }
  }

  /** The line keeps its socket: the caller misses what was said meanwhile, and nothing else. */
  async #replace(): Promise<void> {
    const { scope } = this.#with
    this.#connected = false
    while (!scope.closed) {
      const detail = 'The media channel of a live call has ended.'
      this.#with.trouble(new GatewayError('MEDIA_FAILED', detail))
      const forGood = this.#replacements === limits.call.mediaReplacements
      this.#with.lost(detail, forGood)
      if (forGood) return
      this.#replacements += 1
      this.#media = this.#nextMedia()
      try {
        return this.#with.replaced(await this.#join(async () => {}))
      } catch (error) {
        if (!scope.closed) this.#with.trouble(error)
      }
    }
  }

  #nextMedia(): MediaChannel {
    return new MediaChannel(this.#with.name('media'), this.#with)
  }
}
