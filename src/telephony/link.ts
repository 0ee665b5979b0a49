import { type Clock, pause, within } from '../clock.ts'
import { asError, GatewayError, isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Scope } from '../scope.ts'
import type { AriConnection, AriEndpoint, ChannelEvent } from './ari.ts'

export interface LinkDependencies {
  readonly endpoint: AriEndpoint
  readonly clock: Clock
  readonly random: () => number
  readonly scope: Scope
  event(event: ChannelEvent): void
  /** Events flow, but those of the gap before are lost: what Asterisk has must be read anew. Rejects: connect again. */
  connected(): Promise<void>
  /** Ready, or not and why, in words. */
  changed(ready: boolean, words: string): void
  /** Another gateway serves the application now, and every call in it. */
  replaced(): void
  trouble(error: GatewayError): void
}

/**
 * Keeps the gateway connected to Asterisk, for ever. A connection that is dead, or that belongs to a frozen Asterisk,
 * is found by a heartbeat. Only one thing ends it: another gateway that takes the application over. To take it back would
 * be answered in kind, each time at the cost of the calls, so the one that was replaced steps down.
 */
export class Link {
  readonly #with: LinkDependencies
  readonly #first = Promise.withResolvers<void>()
  #ready = false
  #readySinceMs: number | undefined
  #lastTrouble = ''

  constructor(dependencies: LinkDependencies) {
    this.#with = dependencies
    this.#first.promise.catch(() => {})
    dependencies.scope.onClose(() => this.#end(new GatewayError('ARI_UNREACHABLE', 'The gateway stops.')))
  }

  get ready(): boolean {
    return this.#ready
  }

  /** Settles when ready for the first time; rejects when a person must act before that can be. */
  start(): Promise<void> {
    void this.#run()
    return this.#first.promise
  }

  async #run(): Promise<void> {
    const { clock, random, scope } = this.#with
    let failures = 0
    while (!scope.closed) {
      const stable = await this.#live()
      if (scope.closed) return
      failures = stable ? 0 : failures + 1
      await pause(clock, backoffMs(failures, random), scope.signal).catch(() => {})
    }
  }

  /** One connection from its beginning to its end; tells whether it was ready for as long as a heartbeat. */
  async #live(): Promise<boolean> {
    const life = this.#with.scope.child('connection')
    try {
      const connection = await this.#with.endpoint.connect({
        event: event => (event.kind === 'replaced' ? this.#stepDown() : this.#with.event(event)),
        unreadable: problem => this.#tell(new GatewayError('ARI_REJECTED', problem)),
        lost: reason => void life.close(new GatewayError('ARI_UNREACHABLE', reason)),
      })
      life.onClose(() => connection.close())
      await this.#with.connected()
      life.signal.throwIfAborted()
      this.#onReady()
      return await this.#beat(connection, life.signal)
    } catch (thrown) {
      const readyMs = this.#ready ? this.#with.clock.now() - (this.#readySinceMs ?? 0) : 0
      this.#onFailure(thrown)
      return readyMs >= limits.ari.heartbeatMs
    } finally {
      await life.close()
    }
  }

  /** Runs until a beat goes unanswered, or the connection's life ends; either rejects. */
  async #beat(connection: AriConnection, signal: AbortSignal): Promise<never> {
    const { clock, endpoint } = this.#with
    const late = () => new GatewayError('ARI_TIMEOUT', `Asterisk has not answered for ${limits.ari.heartbeatMs} ms.`)
    for (;;) {
      await pause(clock, limits.ari.heartbeatMs, signal)
      await within(clock, limits.ari.heartbeatMs, Promise.all([connection.ping(), endpoint.ping()]), late)
    }
  }

  #onReady(): void {
    this.#lastTrouble = ''
    this.#readySinceMs = this.#with.clock.now()
    this.#change(true, 'Connected to Asterisk.')
    this.#first.resolve()
  }

  #onFailure(thrown: unknown): void {
    this.#ready = false
    if (this.#with.scope.closed) return
    const error = thrown instanceof GatewayError ? thrown : new GatewayError('BUG', asError(thrown).message)
    this.#tell(error)
    this.#change(false, error.message)
    if (isCode(error, 'ARI_REFUSED') && this.#readySinceMs === undefined) this.#end(error)
  }

  #stepDown(): void {
    const error = new GatewayError(
      'ARI_REFUSED',
      'Another gateway has connected to this Asterisk with the same ARI_APP and has taken the calls over. ' +
        'This one steps down until it is started again. Give each gateway an ARI_APP of its own, or stop one of them.',
    )
    this.#with.replaced()
    this.#tell(error)
    this.#change(false, error.message)
    this.#end(error)
  }

  #end(error: GatewayError): void {
    this.#ready = false
    this.#first.reject(error)
    void this.#with.scope.close(error)
  }

  #change(ready: boolean, words: string): void {
    this.#ready = ready
    this.#with.changed(ready, words)
  }

  /** The same trouble at every attempt is told once. */
  #tell(error: GatewayError): void {
    if (error.message === this.#lastTrouble) return
    this.#lastTrouble = error.message
    this.#with.trouble(error)
  }
}

/** Doubles from the first to the most, less up to half, so that many clients do not come back at the same moment. */
export function backoffMs(failures: number, random: () => number): number {
  const { first, most } = limits.ari.backoffMs
  const longest = Math.min(most, first * 2 ** Math.min(failures, 16))
  return longest * (0.5 + random() / 2)
}
