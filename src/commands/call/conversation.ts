import type { Call } from '../../caller/call.ts'
import type { Ending } from '../../caller/session.ts'
import { type Clock, pause, within } from '../../clock.ts'
import { limits } from '../../limits.ts'
import { FRAME_MS } from '../../media/audio.ts'
import { audiblePart, type Ear, type Stretch } from './ear.ts'

/** What a conversation needs of a call. */
export interface Phone extends Pick<Call, 'answered' | 'ended' | 'play' | 'digits' | 'hangup'> {
  /** When the last sample that was sent so far was spoken. */
  spokenUntilMs(): number
}

/** What the caller does when it is their turn. */
export type CallerTurn =
  | {
      readonly kind: 'say'
      readonly words: string
      /** At 8 kHz. */
      readonly samples: Int16Array
      /** Begins while the agent still answers the turn before. */
      readonly interrupting: boolean
    }
  | { readonly kind: 'press'; readonly digits: string }

export function wordsOf(turn: CallerTurn): string {
  return turn.kind === 'say' ? turn.words : `keys ${turn.digits}`
}

export interface Plan {
  readonly turns: readonly CallerTurn[]
  /** From the answer on. */
  readonly hangupAfterMs: number | undefined
}

/** What happened in the call, told as soon as it is known; times are on the call's clock. */
export type Happening =
  | { readonly kind: 'answered'; readonly atMs: number; readonly setUpMs: number }
  | { readonly kind: 'unanswered'; readonly atMs: number; readonly status: number | undefined; readonly reason: string }
  | { readonly kind: 'callerBegan'; readonly atMs: number; readonly turn: CallerTurn }
  | { readonly kind: 'callerStopped'; readonly atMs: number }
  | {
      readonly kind: 'agentBegan'
      readonly atMs: number
      /** Since the end of what the caller said; undefined when the agent speaks of its own accord. */
      readonly afterMs: number | undefined
    }
  | { readonly kind: 'agentStopped'; readonly atMs: number; readonly spokeMs: number }
  /** Nothing was heard of it within the time. */
  | { readonly kind: 'agentSilent'; readonly atMs: number; readonly waitedMs: number }
  /** It did not come to an end within the time. */
  | { readonly kind: 'agentSpeaksOn'; readonly atMs: number; readonly spokeMs: number }
  | {
      readonly kind: 'agentInterrupted'
      readonly atMs: number
      readonly how: 'fellSilent' | 'wasSilent' | 'spokeOn'
      /** From the first sound of the caller to the last one of the agent, where it fell silent. */
      readonly silentAfterMs: number | undefined
    }
  | { readonly kind: 'ended'; readonly atMs: number; readonly ending: Ending }

/** Silence after which it is the caller's turn. */
const TURN_OVER_MS = 900
/** How long the agent has spoken when it is interrupted. */
const INTO_ANSWER_MS = 1_000
const LOOK_MS = FRAME_MS

export interface ConversationDeps {
  readonly clock: Clock
  readonly tell: (happening: Happening) => void
}

/** Holds one conversation to its end, which whoever calls may bring about by hanging up. `ear`: what is heard meanwhile. */
export async function converse(deps: ConversationDeps, phone: Phone, ear: Ear, plan: Plan): Promise<void> {
  await new Conversation(deps, phone, ear).hold(plan)
}

class Conversation {
  readonly #clock: Clock
  readonly #phone: Phone
  readonly #tell: (happening: Happening) => void
  readonly #ear: Ear
  readonly #over = new AbortController()
  /** When the agent began what it is saying. */
  #agentBeganMs: number | undefined

  constructor({ clock, tell }: ConversationDeps, phone: Phone, ear: Ear) {
    this.#clock = clock
    this.#tell = tell
    this.#phone = phone
    this.#ear = ear
  }

  async hold(plan: Plan): Promise<void> {
    const atMs = await this.#answered()
    if (atMs === undefined) return
    void this.#phone.ended.then(() => this.#over.abort(new Error('The call has ended.')))
    const mostMs = Math.min(plan.hangupAfterMs ?? limits.caller.callMs, limits.caller.callMs)
    const forget = this.#clock.after(mostMs, () => void this.#phone.hangup())
    try {
      await this.#takeTurns(atMs, plan.turns)
    } catch (error) {
      // With the call ends whatever the caller was about to do.
      if (!this.#over.signal.aborted) throw error
    } finally {
      forget()
      await this.#end()
    }
  }

  async #answered(): Promise<number | undefined> {
    const late = () => new Error('late')
    const answer = await within(this.#clock, limits.caller.ringMs, this.#phone.answered, late).catch(async () => {
      await this.#phone.hangup()
      return await this.#phone.answered
    })
    const nowMs = this.#clock.now()
    if (answer.kind === 'answered') {
      this.#tell({ kind: 'answered', atMs: answer.atMs, setUpMs: answer.setUpMs })
      return answer.atMs
    }
    const status = answer.kind === 'refused' ? answer.status : undefined
    this.#tell({ kind: 'unanswered', atMs: nowMs, status, reason: answer.reason })
    return undefined
  }

  async #takeTurns(answeredMs: number, turns: readonly CallerTurn[]): Promise<void> {
    await this.#hearAgent({ sinceMs: answeredMs, afterMs: undefined, interruptedBy: turns[0] })
    for (const [index, turn] of turns.entries()) {
      const said = await this.#take(turn)
      await this.#hearAgent({ sinceMs: said.fromMs, afterMs: said.toMs, interruptedBy: turns[index + 1] })
    }
  }

  /** From its first sound until it is the caller's turn, or until the caller wants to interrupt. */
  async #hearAgent(when: {
    sinceMs: number
    afterMs: number | undefined
    interruptedBy: CallerTurn | undefined
  }): Promise<void> {
    const { sinceMs, afterMs, interruptedBy } = when
    const began = await this.#until(() => this.#ear.firstOf(sinceMs, afterMs), limits.caller.agentBeginsMs)
    if (!began) {
      return this.#tell({ kind: 'agentSilent', atMs: this.#clock.now(), waitedMs: limits.caller.agentBeginsMs })
    }
    const { fromMs } = began
    this.#agentBeganMs = fromMs
    this.#tell({ kind: 'agentBegan', atMs: fromMs, afterMs: afterMs === undefined ? undefined : fromMs - afterMs })
    const isInterrupted = interruptedBy?.kind === 'say' && interruptedBy.interrupting
    const isTurn = () => {
      const nowMs = this.#clock.now()
      return nowMs - this.#ear.last!.toMs >= TURN_OVER_MS || (isInterrupted && nowMs - fromMs >= INTO_ANSWER_MS)
    }
    const patienceMs = limits.caller.agentSpeaksMs
    if (!(await this.#until(isTurn, patienceMs))) {
      return this.#tell({ kind: 'agentSpeaksOn', atMs: this.#clock.now(), spokeMs: patienceMs })
    }
    if (this.#clock.now() - this.#ear.last!.toMs >= TURN_OVER_MS) this.#agentStopped()
  }

  /** Where on the clock the sound of it was, from the first to the last. */
  async #take(turn: CallerTurn): Promise<Stretch> {
    const spoken = this.#agentBeganMs === undefined ? undefined : this.#ear.last
    this.#tell({ kind: 'callerBegan', atMs: this.#clock.now(), turn })
    const [said, fellSilent] = await Promise.all([this.#say(turn), spoken && this.#fallsSilent(spoken)])
    const isInterruption = spoken !== undefined || (turn.kind === 'say' && turn.interrupting)
    if (isInterruption) {
      const wasSilent = spoken === undefined || spoken.toMs < said.fromMs
      const how = wasSilent ? 'wasSilent' : fellSilent ? 'fellSilent' : 'spokeOn'
      const silentAfterMs = how === 'fellSilent' ? spoken!.toMs - said.fromMs : undefined
      this.#tell({ kind: 'agentInterrupted', atMs: this.#clock.now(), how, silentAfterMs })
    }
    return said
  }

  async #say(turn: CallerTurn): Promise<Stretch> {
    const startedMs = this.#clock.now()
    const sent = await (turn.kind === 'say' ? this.#phone.play(turn.samples) : this.#phone.digits(turn.digits))
    if (sent === 'cut') await this.#phone.ended
    this.#over.signal.throwIfAborted()
    const said =
      turn.kind === 'say'
        ? partOf(turn.samples, this.#phone.spokenUntilMs())
        : { fromMs: startedMs, toMs: this.#clock.now() }
    this.#tell({ kind: 'callerStopped', atMs: said.toMs })
    return said
  }

  async #fallsSilent(spoken: Stretch): Promise<boolean> {
    const isOver = () => this.#ear.isOver(spoken, this.#clock.now())
    const over = await this.#until(isOver, limits.caller.fallsSilentMs)
    if (over) this.#agentStopped(spoken)
    return over ?? false
  }

  #agentStopped(stretch = this.#ear.last!): void {
    this.#tell({ kind: 'agentStopped', atMs: stretch.toMs, spokeMs: stretch.toMs - this.#agentBeganMs! })
    this.#agentBeganMs = undefined
  }

  async #end(): Promise<void> {
    const ending = await this.#phone.hangup()
    if (this.#agentBeganMs !== undefined) this.#agentStopped()
    this.#tell({ kind: 'ended', atMs: ending.atMs, ending })
  }

  /** Looks again and again; undefined when the time is over. Rejects when the call is. */
  async #until<T>(found: () => T | undefined | false, timeoutMs: number): Promise<T | undefined> {
    const deadlineMs = this.#clock.now() + timeoutMs
    for (;;) {
      const value = found()
      if (value) return value
      if (this.#clock.now() >= deadlineMs) return undefined
      await pause(this.#clock, LOOK_MS, this.#over.signal)
    }
  }
}

function partOf(samples: Int16Array, spokenUntilMs: number): Stretch {
  const wholeMs = Math.ceil(samples.length / 8 / FRAME_MS) * FRAME_MS
  const part = audiblePart(samples) ?? { fromMs: 0, toMs: wholeMs }
  return { fromMs: spokenUntilMs - wholeMs + part.fromMs, toMs: spokenUntilMs - wholeMs + part.toMs }
}
