import { type Clock, within } from '../clock.ts'
import { asError, GatewayError } from '../errors.ts'
import type { Plane } from '../plane/line.ts'
import type { Scope } from '../scope.ts'
import type { Connection, Leg, Line, LineFigures, Outcome } from './ports.ts'

interface EngagementDependencies {
  readonly clock: Clock
  readonly plane: Plane
  readonly leg: Leg
  readonly scope: Scope
  /** The handler's part, once there is a line. */
  readonly run: (line: Line, scope: Scope) => Promise<Outcome>
  readonly done: (outcome: Outcome) => void
  readonly failed: (error: Error) => void
  readonly closed: (figures: LineFigures | undefined) => void
}

const FIGURES_MS = 500

/**
 * An agent's time with the caller: a line, the way from there to the channel, and the handler. A call has one at a time, and
 * another when a caller comes back who had been connected with somebody else.
 */
export class Engagement {
  readonly #with: EngagementDependencies
  readonly #answered = Promise.withResolvers<void>()
  #line: Line | undefined
  #connecting: Promise<Connection> | undefined
  #figures: LineFigures | undefined
  #closing: Promise<void> | undefined
  /** As it is now: a media channel may be replaced. */
  connection: Connection | undefined

  constructor(dependencies: EngagementDependencies) {
    this.#with = dependencies
    // One that ends before it is answered leaves nobody to look at the rejection.
    this.#answered.promise.catch(() => {})
  }

  get line(): Line | undefined {
    return this.#line
  }

  /** Settles when the line is joined to the channel; nothing when there is none any more. */
  get connected(): Promise<Connection | undefined> {
    return Promise.resolve(this.#connecting)
  }

  /** Settles when the caller hears the agent. */
  get answered(): Promise<void> {
    return this.#answered.promise
  }

  settleAnswered(): void {
    this.#answered.resolve()
  }

  /** Of the line while there is one, and what it came to afterwards. */
  async figures(): Promise<LineFigures | undefined> {
    return this.#figures ?? (await this.#line?.figures())
  }

  async begin(): Promise<void> {
    const { plane, leg, scope, run, done, failed } = this.#with
    try {
      const line = await plane.open(leg.facts.law)
      this.#line = line
      scope.onClose(() => line.close())
      if (scope.closed) return
      line.onEvent(event => {
        if (event.kind === 'failed' && !this.#closing) failed(new GatewayError('MEDIA_FAILED', event.message))
      })
      this.#connecting = leg.connect(line)
      // Whoever awaits it later hears of a failure; until then it must not count as unhandled.
      this.#connecting.catch(() => {})
      const outcome = await run(line, scope.child('agent'))
      if (!this.#closing) done(outcome)
    } catch (error) {
      if (!this.#closing) failed(asError(error))
    }
  }

  /** Whatever its agent still says counts no more. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#answered.reject(new GatewayError('CHANNEL_GONE', 'The call has ended.'))
    this.#figures = await this.#figuresInTime()
    await this.#with.scope.close()
    this.#with.closed(this.#figures)
  }

  /** A media thread that does not answer must not keep the call from being given back. */
  async #figuresInTime(): Promise<LineFigures | undefined> {
    if (!this.#line) return undefined
    const late = () => new GatewayError('MEDIA_FAILED', 'The media thread did not tell its figures in time.')
    return within(this.#with.clock, FIGURES_MS, this.#line.figures(), late).catch(() => undefined)
  }
}
