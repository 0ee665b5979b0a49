import { type Clock, within } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Address, Line } from '../plane/line.ts'
import type { Scope } from '../scope.ts'
import type { Ari } from './ari.ts'

export interface Making {
  readonly ari: Ari
  readonly clock: Clock
  /** What is made goes with it. */
  readonly scope: Scope
}

/** A request still under way may yet succeed: what it makes is removed after it has settled. */
export function make<T>(scope: Scope, creation: Promise<T>, remove: () => Promise<void>): Promise<T> {
  scope.onClose(async () => {
    await creation.catch(() => {})
    await remove()
  })
  return creation
}

/** One that nobody waits for yet may fail all the same. */
export function arrivalIn(scope: Scope): PromiseWithResolvers<void> {
  const arrived = Promise.withResolvers<void>()
  arrived.promise.catch(() => {})
  const closed = () => arrived.reject(scope.signal.reason)
  if (scope.closed) closed()
  else scope.signal.addEventListener('abort', closed, { once: true })
  return arrived
}

/** A channel that carries sound between a bridge and a line. */
export class MediaChannel {
  readonly id: string
  readonly #with: Making
  readonly #entered: PromiseWithResolvers<void>

  constructor(id: string, making: Making) {
    this.id = id
    this.#with = making
    this.#entered = arrivalIn(making.scope)
  }

  /** Asterisk has told so. */
  hasEntered(): void {
    this.#entered.resolve()
  }

  /** Settles when it can be put into the bridge, which is being made meanwhile. */
  async open(line: Line, makeBridge: () => Promise<void>): Promise<Address> {
    const { ari, clock, scope } = this.#with
    scope.signal.throwIfAborted()
    const { id } = this
    const creation = ari.createExternalMedia({ channel: id, law: line.law, host: line.local })
    const [peer] = await Promise.all([make(scope, creation, () => ari.hangup(id, 'normal')), makeBridge()])
    // Asterisk refuses a channel in the bridge (422) that has not entered the application yet.
    const late = () => new GatewayError('ARI_TIMEOUT', 'The media channel did not enter the application in time.')
    await within(clock, limits.ari.requestMs, this.#entered.promise, late)
    line.connect(peer)
    return peer
  }
}
