import type { Handler, LiveCall } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { VoiceActivity } from '../media/voice-activity.ts'
import type { Scope } from '../scope.ts'
import { briefing } from './briefing.ts'
import { listenBy } from './consulting.ts'
import type { Mind } from './conversation.ts'
import { agent, Dialogue } from './dialogue.ts'
import { degraded } from './facts.ts'
import { History, Turn } from './history.ts'
import { guarded } from './iterate.ts'
import type { Ear, Model, Recognizer, SettledTransfer, Speaker, ToolsOf } from './ports.ts'
import { type ReplyParts, reply } from './reply.ts'
import { type AgentSettings, settingsOf } from './settings.ts'
import { StoredPhrases } from './stored-phrases.ts'
import { Voice } from './voice.ts'
import { recordOf } from './words.ts'

export interface PipelineParts {
  readonly recognizer: Recognizer
  readonly model: Model
  readonly speaker: Speaker
  readonly tools: ToolsOf
  readonly settings: AgentSettings
  readonly clock: Clock
}

/** An agent of three parts: one recognizes, one thinks, one speaks. */
export function pipelineAgent(parts: PipelineParts): Handler {
  const stored = new StoredPhrases()
  return agent(parts.clock, (call, scope) => {
    const settings = settingsOf(call.business, parts.settings)
    return new PipelineCall({ ...parts, settings }, stored, call, scope).begin()
  })
}

class PipelineCall implements Mind {
  readonly #parts: PipelineParts
  readonly #stored: StoredPhrases
  readonly #call: LiveCall
  readonly #scope: Scope
  readonly #dialogue: Dialogue
  readonly #voice: Voice
  readonly #history = new History()
  readonly #replyParts: ReplyParts
  #ear: Ear | undefined
  /** Not in the history while nobody has heard an answer to it. */
  #uncommitted: Turn | undefined

  constructor(parts: PipelineParts, stored: StoredPhrases, call: LiveCall, scope: Scope) {
    const { clock, settings, tools } = parts
    this.#parts = parts
    this.#stored = stored
    this.#call = call
    this.#scope = scope
    this.#voice = new Voice(parts.speaker, call.line.law, clock, settings.stepMs)
    const replying = () => this.#dialogue.making.busy
    const consulting = { speaker: parts.speaker, listen: listenBy(parts.recognizer) }
    this.#dialogue = new Dialogue({ call, scope, clock, settings, tools, mind: this, replying, consulting })
    this.#replyParts = {
      clock,
      stepMs: settings.stepMs,
      model: parts.model,
      instructions: call.caller.then(known => briefing(call, known, this.#dialogue.openingWords)),
      voice: this.#voice,
      history: this.#history,
      dialogue: this.#dialogue,
      degraded: error => call.emit(degraded(error)),
    }
  }

  async begin(): Promise<Dialogue> {
    const format = { encoding: this.#call.line.law, rate: 8_000 } as const
    const ear = this.#parts.recognizer.open(format, this.#scope.signal)
    this.#ear = ear
    const earEnded = this.#follow(ear)
    const greeting = this.#greet()
    await this.#dialogue.answer(greeting)
    this.#converse(ear, earEnded, greeting)
    return this.#dialogue
  }

  think(text: string, keys: string): void {
    const turn = new Turn(recordOf(text, keys))
    this.#uncommitted = turn
    this.#reply(turn)
  }

  tell(text: string, transfer: SettledTransfer): void {
    const turn = new Turn('')
    turn.isTold(text, transfer)
    this.#history.add(turn)
    this.#reply(turn)
  }

  #reply(turn: Turn): void {
    const { making, conversation } = this.#dialogue
    making.start(async signal => {
      try {
        const spoke = await reply(turn, this.#replyParts, signal)
        if (!spoke && !signal.aborted) conversation.happened({ kind: 'replyEmpty' })
      } catch (error) {
        this.#dialogue.failed(error, signal, false)
      }
    })
  }

  cancelReply(): Promise<number> {
    this.#dialogue.making.cancel()
    return this.#dialogue.speech.cancel()
  }

  finishHearing(): void {
    this.#ear?.finish()
  }

  commit(): void {
    if (this.#uncommitted) this.#record(this.#uncommitted)
  }

  unanswered(text: string, keys: string): void {
    this.#record(new Turn(recordOf(text, keys)))
  }

  fill(again: boolean): void {
    const { speech, making } = this.#dialogue
    const { filler, fillerAgain } = this.#parts.settings.phrases
    // One that cannot be said is not missed: the reply itself tells whether the speaker works.
    this.#stored
      .speak(again ? fillerAgain : filler, this.#voice, speech.utterance('filler'), making.signal)
      .catch(() => {})
  }

  say(words: string): void {
    this.#dialogue.making.start(async signal => {
      try {
        await this.#speak(words, signal)
      } catch (error) {
        this.#dialogue.failed(error, signal, true)
      }
    })
  }

  shed(): void {
    this.#dialogue.making.cancel()
  }

  async #speak(text: string, signal: AbortSignal): Promise<void> {
    const turn = new Turn('')
    const utterance = this.#dialogue.speech.utterance('speech')
    turn.says(utterance)
    this.#history.add(turn)
    await this.#stored.speak(text, this.#voice, utterance, signal)
    if (!utterance.sent) throw new GatewayError('ENGINE_FAILED', 'The speaker made no sound of the words.')
  }

  /** Settles when all of the greeting is made. */
  #greet(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#dialogue.making.start(signal => this.#speak(this.#dialogue.opening, signal).then(resolve, reject))
    return promise
  }

  #converse(ear: Ear, earEnded: Promise<void>, greeting: Promise<void>): void {
    const { conversation, making } = this.#dialogue
    const { signal } = making
    this.#scope.onClose(this.#dialogue.hear(new VoiceActivity(event => conversation.happened(event))))
    this.#scope.onClose(this.#dialogue.hear(ear))
    // Deaf, the agent is of no use.
    void earEnded.then(() => conversation.happened({ kind: 'failed', fatal: true }))
    greeting.then(
      // Not before, so that the greeting has the speaker for itself.
      () => this.#stored.prepare(this.#parts.settings.phrases, this.#voice, this.#scope.signal).catch(() => {}),
      error => this.#dialogue.failed(error, signal, true),
    )
  }

  #record(turn: Turn): void {
    this.#uncommitted = undefined
    this.#history.add(turn)
    this.#call.emit({ name: 'callerSpoke', private: { text: turn.caller } })
  }

  /** Resolves when the recognizer has nothing more to tell, which it should not before the call ends. */
  async #follow(ear: Ear): Promise<void> {
    const { signal } = this.#scope
    try {
      for await (const { kind, text, startMs } of guarded(ear.results, signal)) {
        this.#dialogue.conversation.happened({ kind: 'words', text, final: kind === 'final', startMs })
      }
      throw new GatewayError('ENGINE_FAILED', 'The recognizer has ended.')
    } catch (error) {
      if (!signal.aborted) this.#call.emit(degraded(error))
    }
  }
}
