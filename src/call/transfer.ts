import type { Clock } from '../clock.ts'
import { asError, GatewayError, isCode } from '../errors.ts'
import type { Plane } from '../plane/line.ts'
import type { Scope } from '../scope.ts'
import type { CallFact, TransferMode, TransferOutcome } from './events.ts'
import type { Dialled, DialledEvent, DialRequest, Leg, Line, TransferParty } from './ports.ts'
import {
  dialling,
  stepTransfer,
  type TransferEffect,
  type TransferInput,
  type TransferState,
  type Waiting,
} from './transfer-machine.ts'

export interface TransferDependencies {
  readonly clock: Clock
  readonly plane: Plane
  readonly leg: Leg
  readonly party: TransferParty
  /** The attempt's lifetime; it closes when the attempt is over. */
  readonly scope: Scope
  readonly attempt: number
  readonly mode: TransferMode
  readonly waiting: Waiting
  readonly ringMs: number
  readonly request: DialRequest
  readonly emit: (fact: CallFact) => void
}

/** One attempt: carries out what the machine decides, and tells each fact once. */
export class Transfer {
  /** Settles when the caller is with the destination, or hears our line. */
  readonly outcome: Promise<TransferOutcome>
  readonly #with: TransferDependencies
  readonly #settle: (outcome: TransferOutcome) => void
  readonly #beganMs: number
  readonly #digitListeners = new Set<(digit: string) => void>()
  #state: TransferState
  #dialled: Dialled | undefined
  #farLine: Line | undefined
  /** Whom the caller hears changes one after the other. */
  #hearing: Promise<void> = Promise.resolve()
  #cancelWake = () => {}

  constructor(dependencies: TransferDependencies) {
    this.#with = dependencies
    this.#beganMs = dependencies.clock.now()
    const { promise, resolve } = Promise.withResolvers<TransferOutcome>()
    this.outcome = promise
    this.#settle = resolve
    const { mode, waiting, ringMs } = dependencies
    const [state, effects] = dialling(mode, waiting, ringMs, this.#beganMs)
    this.#state = state
    this.#armTimeout()
    this.#carryOut(effects)
  }

  /** The caller is to be brought back, which may be too late. */
  cancel(): void {
    this.#input({ kind: 'cancelled' })
  }

  /** Whatever it has come to. */
  stop(outcome: 'callerGone' | 'cancelled' | 'failed'): void {
    this.#input({ kind: 'stopped', outcome })
  }

  get #afterMs(): number {
    return Math.round(this.#with.clock.now() - this.#beganMs)
  }

  #input(input: TransferInput): void {
    const [state, effects] = stepTransfer(this.#state, input, this.#with.clock.now())
    const before = this.#state
    this.#state = state
    // A timer may come a little early: then it is set again for what is left.
    if (state !== before || input.kind === 'timePassed') this.#armTimeout()
    if (state !== before) this.#carryOut(effects)
  }

  #carryOut(effects: readonly TransferEffect[]): void {
    const { attempt, party, emit } = this.#with
    for (const effect of effects) {
      switch (effect.kind) {
        case 'dial':
        case 'consult':
        case 'brief':
        case 'join':
          this.#attempt(effect.kind)
          break
        case 'hear':
          this.#hear(effect.what)
          break
        case 'tellRang':
          emit({ name: 'transferRang', attempt, afterMs: this.#afterMs })
          party.rings()
          break
        case 'tellAnswered':
          emit({ name: 'transferAnswered', attempt, afterMs: this.#afterMs })
          break
        case 'end':
          this.#end(effect.outcome)
      }
    }
  }

  /** What fails ends the transfer, and the agent has the caller back: nobody is lost by it. */
  #attempt(what: 'dial' | 'consult' | 'brief' | 'join'): void {
    const acts = { dial: this.#dial, consult: this.#consult, brief: this.#brief, join: this.#join }
    acts[what].call(this).catch(error => this.#fail(asError(error)))
  }

  async #dial(): Promise<void> {
    const { leg, request, scope } = this.#with
    const dialled = await leg.dial(request)
    this.#dialled = dialled
    scope.onClose(() => dialled.close())
    if (!scope.closed) dialled.onEvent(event => this.#onDialledEvent(event))
  }

  async #consult(): Promise<void> {
    const { leg, plane, scope } = this.#with
    const line = await plane.open(leg.facts.law)
    scope.onClose(() => line.close())
    line.onEvent(event => {
      if (event.kind === 'failed') this.#fail(new GatewayError('MEDIA_FAILED', event.message))
    })
    // Whoever has answered must have left the caller.
    await this.#hearing
    if (scope.closed) return
    await this.#dialled?.consult(line)
    this.#farLine = line
    this.#input({ kind: 'consulted' })
  }

  async #brief(): Promise<void> {
    const onDigit = (listener: (digit: string) => void) => {
      this.#digitListeners.add(listener)
      return () => this.#digitListeners.delete(listener)
    }
    const { party, scope } = this.#with
    const answer = await party.brief({ line: this.#farLine!, onDigit }, scope.signal)
    this.#input({ kind: 'briefed', accepted: answer === 'accepted' })
  }

  async #join(): Promise<void> {
    await this.#hearing
    if (this.#with.scope.closed) return
    this.#input({ kind: 'joined', result: await this.#with.leg.join(this.#dialled!) })
  }

  /** There is always something to hear: our line sounds before it is heard again, and until something else is. */
  #hear(what: 'far' | Waiting): void {
    const { leg, party } = this.#with
    if (what === 'line') party.ownSound(false)
    this.#hearing = this.#hearing.then(async () => {
      if (what !== 'line' && this.#state.name === 'ended') return
      const heard = what === 'far' ? this.#dialled : what === 'music' ? what : undefined
      await leg.letHear(heard).then(
        () => what !== 'line' && party.ownSound(true),
        error => this.#tellFailure(asError(error)),
      )
    })
  }

  #onDialledEvent(event: DialledEvent): void {
    switch (event.kind) {
      case 'ringing':
        return this.#input({ kind: 'rang' })
      case 'ownSound':
      case 'answered':
        return this.#input({ kind: event.kind })
      case 'digit':
        for (const listener of [...this.#digitListeners]) listener(event.digit)
        return
      case 'ended':
        return this.#input({ kind: 'farEnded', why: event.why })
    }
  }

  #fail(error: Error): void {
    // Who has hung up meanwhile has not failed: their own event tells, and until then the state has its time.
    if (this.#state.name === 'ended' || isCode(error, 'CHANNEL_GONE')) return
    this.#tellFailure(error)
    this.#input({ kind: 'stopped', outcome: 'failed' })
  }

  #tellFailure(error: Error): void {
    if (isCode(error, 'CHANNEL_GONE')) return
    const code = error instanceof GatewayError ? error.code : 'BUG'
    this.#with.emit({ name: 'degraded', code, detail: `A transfer failed: ${error.message}` })
  }

  #end(outcome: TransferOutcome): void {
    const { attempt, emit, scope } = this.#with
    emit({ name: 'transferEnded', attempt, outcome, tookMs: this.#afterMs })
    this.#digitListeners.clear()
    void scope.close()
    if (outcome === 'connected' || outcome === 'callerGone') return this.#settle(outcome)
    void this.#hearing.then(() => this.#settle(outcome))
  }

  #armTimeout(): void {
    this.#cancelWake()
    if (this.#state.name === 'ended') return
    const waitMs = this.#state.untilMs - this.#with.clock.now()
    this.#cancelWake = this.#with.clock.after(waitMs, () => this.#input({ kind: 'timePassed' }))
  }
}
