import type { LiveCall, Outcome } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import { outcomeTold } from './outcome-told.ts'
import type { SettledTransfer } from './ports.ts'
import type { AgentSettings } from './settings.ts'
import type { Speech, Utterance } from './speech.ts'
import type { Transferring } from './transferring.ts'
import { greeting, step } from './turn.ts'
import { phraseOf } from './turn-moves.ts'
import { dueMs, isReplying, type TurnEffect, type TurnEvent, type TurnState } from './turn-state.ts'
import { isEmpty, textOf } from './words.ts'

/** What each kind of agent does about a decision in its own way. */
export interface Mind {
  think(text: string, keys: string): void
  /** Stops making whatever is being said; resolves when it is known for how long that had been heard. */
  cancelReply(): Promise<number>
  /** They belong to what is being replied to. */
  press?(keys: string): void
  /** A transfer is over that has not come about: reply to that. */
  tell(text: string, transfer: SettledTransfer): void
  finishHearing(): void
  commit(): void
  /** What the caller has said and pressed, and nobody will answer. */
  unanswered(text: string, keys: string): void
  fill(again: boolean): void
  say(words: string): void
  /** The first of something that it says can be heard. */
  started?(): void
  /** More of this waits to be heard than may: stop making it. What was taken of it is heard to its end. */
  shed(utterance: Utterance): void
}

interface ConversationDependencies {
  readonly call: LiveCall
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly settings: AgentSettings
  readonly speech: Speech
  readonly mind: Mind
  readonly transferring: Pick<Transferring, 'begin' | 'recall' | 'back'>
}

/** Carries out what the turn machine decides, and tells it what happens and when time has passed. */
export class Conversation {
  readonly outcome: Promise<Outcome>
  readonly #with: ConversationDependencies
  readonly #settle: (outcome: Outcome) => void
  readonly #events: TurnEvent[] = []
  #state: TurnState | undefined
  #brokenEarly = false
  #busy = false
  #cancelWake = () => {}
  #allowWrite = () => {}

  constructor(dependencies: ConversationDependencies) {
    this.#with = dependencies
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.outcome = promise
    this.#settle = resolve
  }

  /** The greeting is on its way to a caller who can hear it. */
  begin(): void {
    const { clock, settings } = this.#with
    this.#state = greeting(clock.now(), settings.turn)
    if (this.#brokenEarly) this.happened({ kind: 'failed', fatal: false })
    this.#armWake()
  }

  /** A reply is being heard or thought of, also while a voice has paused it. */
  get replying(): boolean {
    return this.#state !== undefined && isReplying(this.#state)
  }

  /** What the caller says now changes nothing any more. */
  get endsFirmly(): boolean {
    const state = this.#state
    return state !== undefined && 'ending' in state && state.ending?.firm === true
  }

  /** Everything that follows from it at once is done on return: a voice has paused the line by then. */
  happened(event: TurnEvent): void {
    // When the call ends everything ends with it, and none of that is an event of the conversation.
    if (this.#with.signal.aborted) return
    if (this.#state === undefined) return this.#happenedEarly(event)
    this.#events.push(event)
    if (this.#busy) return
    this.#busy = true
    try {
      for (let next = this.#events.shift(); next; next = this.#events.shift()) this.#step(next)
    } finally {
      this.#busy = false
      this.#armWake()
    }
  }

  /** False when nothing comes of it. */
  changedBy(event: TurnEvent): boolean {
    const before = this.#state
    this.happened(event)
    return this.#state !== before
  }

  /** Of all that happens before the caller hears us, only that there is less to be heard than there should be is of any interest. */
  #happenedEarly(event: TurnEvent): void {
    if (event.kind === 'failed' && !event.fatal) this.#brokenEarly = true
  }

  /** Resolves when the turn cannot be taken back any more; for a turn that is taken back, never. */
  certain(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#allowWrite = resolve
    this.happened({ kind: 'writeWanted' })
    return promise
  }

  close(): void {
    this.#cancelWake()
    const state = this.#state
    this.#state = undefined
    if (state === undefined || !('words' in state) || isEmpty(state.words)) return
    const committed = state.phase === 'thinking' && state.committed
    if (!committed) this.#with.mind.unanswered(textOf(state.words), state.words.keys)
  }

  #step(event: TurnEvent): void {
    if (this.#state === undefined) return
    const { clock, settings } = this.#with
    const before = this.#state.phase
    const [state, effects] = step(this.#state, event, clock.now(), settings.turn)
    this.#state = state
    for (const effect of effects) this.#carryOut(effect, before)
  }

  #carryOut(effect: TurnEffect, before: TurnState['phase']): void {
    const { call, mind, speech, transferring } = this.#with
    switch (effect.kind) {
      case 'pauseSpeech':
        speech.pause()
        return before === 'speaking' ? call.emit({ name: 'agentPaused' }) : undefined
      case 'resumeSpeech':
        speech.resume()
        return before === 'speaking' ? call.emit({ name: 'agentResumed' }) : undefined
      case 'cancelReply':
        return void this.#cancelReply(effect.interrupted)
      case 'answered':
        return call.emit({
          name: 'turnAnswered',
          thinkMs: Math.round(effect.thinkMs),
          pauseMs: Math.round(effect.pauseMs),
        })
      case 'think':
        return mind.think(effect.text, effect.keys)
      case 'press':
        return mind.press?.(effect.keys)
      case 'say':
        return mind.say(this.#with.settings.phrases[effect.phrase])
      case 'finishHearing':
      case 'commit':
        return mind[effect.kind]()
      case 'unanswered':
        return mind.unanswered(effect.text, effect.keys)
      case 'fill':
        return mind.fill(effect.again)
      case 'allowWrite':
        return this.#allowWrite()
      case 'transfer':
        return transferring.begin(effect.wish)
      case 'recall':
        return transferring.recall()
      case 'back':
        return transferring.back()
      case 'tellOutcome':
        return this.#tellOutcome(effect)
      case 'end':
        return this.#settle(effect.outcome)
    }
  }

  #tellOutcome({ wish: { destination }, outcome }: Extract<TurnEffect, { kind: 'tellOutcome' }>): void {
    const { call, mind, settings } = this.#with
    const heard = settings.phrases[phraseOf(outcome)]
    mind.tell(outcomeTold(call.business, { destination, outcome, heard }), { destination, outcome })
  }

  async #cancelReply(interrupted: boolean): Promise<void> {
    const ms = await this.#with.mind.cancelReply()
    if (interrupted && ms > 0) this.#with.call.emit({ name: 'agentInterrupted', ms: Math.round(ms) })
  }

  #armWake(): void {
    this.#cancelWake()
    this.#cancelWake = () => {}
    if (this.#state === undefined) return
    const atMs = dueMs(this.#state)
    if (atMs === Number.POSITIVE_INFINITY) return
    const waitMs = Math.max(0, atMs - this.#with.clock.now())
    this.#cancelWake = this.#with.clock.after(waitMs, () => this.happened({ kind: 'timePassed' }))
  }
}
