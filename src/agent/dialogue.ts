import type { CallFact } from '../call/events.ts'
import type { FarParty, Handler, LiveCall, Outcome, TransferWish } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import { GatewayError, isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import type { AudioSink } from '../media/audio.ts'
import type { Scope } from '../scope.ts'
import { Announcing } from './announcing.ts'
import { callTools } from './call-tools.ts'
import { ClosingTools } from './closing-tools.ts'
import { type Consulting, consult } from './consulting.ts'
import { Conversation, type Mind } from './conversation.ts'
import { degraded, heardOfAgent } from './facts.ts'
import { hushed } from './hushed.ts'
import { introduction } from './introduction.ts'
import { unlessAborted } from './iterate.ts'
import { Making } from './making.ts'
import type { Tool, ToolsOf } from './ports.ts'
import type { AgentSettings } from './settings.ts'
import { Speech, type Utterance } from './speech.ts'
import { ToolRunner } from './tools.ts'
import { Transferring } from './transferring.ts'
import { withoutEngine } from './without-engine.ts'

interface DialogueDependencies {
  readonly call: LiveCall
  readonly scope: Scope
  readonly clock: Clock
  readonly settings: AgentSettings
  readonly tools: ToolsOf
  readonly mind: Mind
  /** More will come to be said, even if all that is there has been heard. */
  readonly replying: () => boolean
  readonly consulting: Consulting
}

/** An agent's part in a call. One that cannot even begin leaves the caller to somebody who can, unanswered. */
export function agent(clock: Clock, begin: (call: LiveCall, scope: Scope) => Promise<Dialogue>): Handler {
  return async (call, scope) => {
    const own = scope.child('conversation')
    let answers = false
    const answer = () => {
      answers = true
      return call.answer()
    }
    try {
      const dialogue = await begin({ ...call, answer }, own)
      return await dialogue.outcome()
    } catch (error) {
      own.signal.throwIfAborted()
      // Whose caller has gone has not failed.
      if (!isCode(error, 'CHANNEL_GONE')) call.emit(degraded(error))
      const failed = { kind: 'handBack', reason: 'engine failed', message: 'failure' } as const
      return answers ? failed : await withoutEngine(call, scope, clock)
    } finally {
      await own.close()
    }
  }
}

/** What agents of every kind are made of, wired for one call. */
export class Dialogue {
  readonly speech: Speech
  readonly making: Making
  readonly conversation: Conversation
  readonly tools: readonly Tool[]
  readonly closing: ClosingTools
  readonly runner: ToolRunner
  readonly transferring: Transferring
  readonly #announcing: Announcing
  /** As they have told it. */
  #callerName: string | undefined
  readonly #with: DialogueDependencies

  constructor(dependencies: DialogueDependencies) {
    const { call, scope, clock, settings, mind } = dependencies
    this.#with = dependencies
    this.#announcing = new Announcing(call.recording, () => this.openingWords)
    this.speech = new Speech(call.line, clock, {
      started: ({ kind }) => {
        if (kind !== 'speech') return
        mind.started?.()
        this.conversation.happened({ kind: 'agentStarted' })
      },
      heard: ({ kind }, heard) => {
        if (kind === 'filler') this.conversation.happened({ kind: 'fillerHeard' })
        if (kind !== 'speech') return
        if (heard.ms > 0) call.emit(heardOfAgent(heard))
        this.#announcing.heard(heard.complete)
      },
      overflowed: utterance => this.#shed(utterance),
      quiet: () => this.quiet(),
    })
    this.making = new Making(scope, () => this.quiet())
    const { signal } = scope
    const { speech } = this
    this.transferring = new Transferring({
      ...{ call, signal, clock, speech },
      settled: outcome => this.conversation.happened({ kind: 'transferSettled', outcome }),
      consult: (wish, far, own) => this.#consult(wish, far, own),
    })
    const { transferring } = this
    this.conversation = new Conversation({ call, signal, clock, settings, speech, mind, transferring })
    this.closing = new ClosingTools(call.business, outcome =>
      this.conversation.happened({ kind: 'endWanted', outcome }),
    )
    const named = { ...call, emit: (fact: CallFact) => this.#emitNamed(fact) }
    this.tools = [
      ...dependencies.tools(call),
      ...callTools(named, clock, speech, () => this.#announcing.decline()),
      ...this.closing.tools,
    ]
    const callId = call.id
    this.runner = new ToolRunner({ callId, tools: this.tools, clock, signal, emit: fact => call.emit(fact) })
    scope.onClose(() => this.#finish())
    scope.onClose(this.speech.attach())
    scope.onClose(() => this.transferring.close())
  }

  /** What is said first of all. */
  get opening(): string {
    return this.#announcing.opening
  }

  /** A caller who was already talking to us, or to somebody else, hears that we are back. */
  get openingWords(): string {
    const { call, settings } = this.#with
    if (call.again) return settings.phrases.notReached
    if (call.returned) return settings.phrases.returned
    if (call.takenOver) return settings.phrases.back
    const { greeting, outbound } = call.business
    return (call.outbound ? outbound.greeting : undefined) ?? greeting
  }

  /**
   * Answers when there is something to say and somebody who says it, not before: until then the caller hears ringing.
   * `greeting` settles when all of it is made, which may be long after its first word is there.
   */
  async answer(greeting: Promise<void>): Promise<void> {
    const { call, scope, clock, settings } = this.#with
    const ms = settings.readyMs
    const late = () => new GatewayError('ENGINE_FAILED', `There was no greeting after ${ms} ms.`)
    await unlessAborted(Promise.race([this.speech.ready, greeting]), scope.signal, { clock, ms, late })
    await unlessAborted(call.answer(), scope.signal)
    this.conversation.begin()
    const release = () => this.speech.release()
    if (call.takenOver || call.returned) release()
    else scope.onClose(clock.after(settings.greetAfterMs, release))
    scope.onClose(call.onDigit(digit => this.conversation.happened({ kind: 'digit', digit })))
    scope.onClose(call.onHold(held => this.conversation.happened({ kind: held ? 'held' : 'unheld' })))
    scope.onClose(
      call.onTransferAsked(asked =>
        this.conversation.changedBy(asked === 'back' ? { kind: 'recalled' } : { kind: 'transferWanted', wish: asked }),
      ),
    )
  }

  /** The caller is heard, unless what they say changes nothing any more or somebody else is to hear them. */
  hear(sink: AudioSink): () => void {
    return this.#with.call.line.hear(hushed(sink, () => this.transferring.away || this.conversation.endsFirmly))
  }

  /** Whole words of the caller, whatever is made of them. */
  understood(text: string): void {
    const wish = this.#with.settings.turn.transferIn?.({ text, keys: '' })
    if (wish) this.conversation.happened({ kind: 'transferWanted', wish })
  }

  /** The conversation, until it is over. */
  outcome(): Promise<Outcome> {
    return unlessAborted(this.conversation.outcome, this.#with.scope.signal)
  }

  /** Something may have been the last that could be heard. */
  quiet(): void {
    if (this.speech.pending) return
    const replying = this.#with.replying()
    const owed = replying || this.conversation.endsFirmly ? undefined : this.#announcing.next()
    if (owed !== undefined) return this.#with.mind.say(owed)
    this.conversation.happened({ kind: 'agentQuiet', replying })
  }

  /** Unless nobody wants any more what has failed. */
  failed(error: unknown, signal: AbortSignal, fatal: boolean): void {
    if (signal.aborted) return
    this.#with.call.emit(degraded(error))
    this.conversation.happened({ kind: 'failed', fatal })
  }

  #emitNamed(fact: CallFact): void {
    if (fact.name === 'callerNamed') this.#callerName = fact.private.name
    this.#with.call.emit(fact)
  }

  async #consult(wish: TransferWish, far: FarParty, signal: AbortSignal): Promise<'accepted' | 'declined'> {
    const { call, clock, settings, consulting } = this.#with
    const { name, language } = call.business
    const told = introduction({
      ...{ business: name, language, number: call.facts.callerNumber, reason: wish.reason },
      name: this.#callerName ?? (await call.caller).name,
      inTheirWords: wish.by === 'caller',
    })
    return consult(far, told, { ...consulting, clock, stepMs: settings.stepMs }, signal)
  }

  #shed(utterance: Utterance): void {
    const seconds = limits.media.unplayedMs / 1_000
    const words = `More than ${seconds} s of speech waited to be heard: the rest was dropped, and no more of it is made.`
    this.#with.call.emit(degraded(new GatewayError('ENGINE_FAILED', words)))
    this.#with.mind.shed(utterance)
  }

  /** What was heard last belongs to the record, also when the caller hangs up in the middle of it. */
  async #finish(): Promise<void> {
    this.conversation.close()
    await this.speech.cancel()
  }
}
