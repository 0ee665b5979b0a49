import type { Handler, LiveCall } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Scope } from '../scope.ts'
import { briefing } from './briefing.ts'
import { answered, type Claim, claimAfter, isDue, NO_CLAIM } from './claim.ts'
import { listenWith } from './consulting.ts'
import { conversantSpeaker } from './conversant-speaker.ts'
import { ConversantTools } from './conversant-tools.ts'
import type { Mind } from './conversation.ts'
import { agent, Dialogue } from './dialogue.ts'
import { degraded } from './facts.ts'
import { guarded, unlessAborted } from './iterate.ts'
import { Ledger } from './ledger.ts'
import { OwedReplies } from './owed-replies.ts'
import type { Conversant, ConversantEvent, ConversantVoice, Speaker, ToolResult, ToolsOf } from './ports.ts'
import { SaidItems } from './said-items.ts'
import { type AgentSettings, settingsOf } from './settings.ts'
import type { Utterance } from './speech.ts'
import { StoredPhrases } from './stored-phrases.ts'
import { Voice } from './voice.ts'
import { recordOf } from './words.ts'

export interface RealtimeParts {
  readonly conversant: Conversant
  /** In reserve: says what is left to be said when the conversant is gone, and fillers. */
  readonly speaker: Speaker | undefined
  /** Of the speaker's sound; left out: a store of its own. */
  readonly stored?: StoredPhrases
  readonly tools: ToolsOf
  readonly settings: AgentSettings
  readonly clock: Clock
}

/** An agent that is one party: it hears, thinks and speaks. */
export function realtimeAgent(parts: RealtimeParts): Handler {
  const { stored = new StoredPhrases() } = parts
  return agent(parts.clock, (call, scope) => {
    const settings = settingsOf(call.business, parts.settings)
    return new RealtimeCall({ ...parts, settings }, stored, call, scope).begin()
  })
}

class RealtimeCall implements Mind {
  readonly #parts: RealtimeParts
  readonly #stored: StoredPhrases
  readonly #call: LiveCall
  readonly #scope: Scope
  readonly #dialogue: Dialogue
  readonly #reserve: Voice | undefined
  readonly #replies: OwedReplies
  readonly #tools: ConversantTools
  readonly #items = new SaidItems(() => this.#dialogue.speech.utterance('speech'))
  #voice: ConversantVoice | undefined
  #dead = false
  readonly #gone = Promise.withResolvers<void>()
  /** It hears nothing for now. */
  #absent = false
  #claim: Claim = NO_CLAIM
  readonly #ledger = new Ledger()
  /** Until the conversant has been told where it was cut: nothing may be replied to before. */
  #cutting: Promise<unknown> = Promise.resolve()

  constructor(parts: RealtimeParts, stored: StoredPhrases, call: LiveCall, scope: Scope) {
    const { clock, settings, speaker, tools } = parts
    this.#parts = parts
    this.#stored = stored
    this.#call = call
    this.#scope = scope
    this.#reserve = speaker && new Voice(speaker, call.line.law, clock, settings.stepMs)
    const late = () => this.#useless(`The conversant gave nothing for ${settings.stepMs} ms.`)
    this.#replies = new OwedReplies({ clock, patienceMs: settings.stepMs, late })
    scope.onClose(() => this.#replies.drop())
    const replying = () => this.#absent || this.#busy || this.#dialogue.making.busy
    const { voice, language } = call.business
    const consulting = {
      speaker: speaker ?? conversantSpeaker(parts.conversant, { voice, language }),
      listen: listenWith(parts.conversant, language),
    }
    this.#dialogue = new Dialogue({ call, scope, clock, settings, tools, mind: this, replying, consulting })
    this.#tools = new ConversantTools({
      dialogue: this.#dialogue,
      signal: scope.signal,
      replyWhole: () => this.#replies.whole,
      told: (id, result, reply) => this.#tellResult(id, result, reply),
      over: () => this.#turnOver(),
    })
  }

  async begin(): Promise<Dialogue> {
    const voice = await this.#open()
    void this.#follow(voice)
    this.#sayBy(voice, this.#dialogue.opening)
    await this.#dialogue.answer(this.#gone.promise.then(goneTooSoon))
    this.#scope.onClose(this.#dialogue.hear(voice.hear))
    void this.#gone.promise.then(() => this.#dialogue.conversation.happened({ kind: 'failed', fatal: true }))
    const { phrases } = this.#parts.settings
    if (this.#reserve) this.#stored.prepare(phrases, this.#reserve, this.#scope.signal).catch(() => {})
    return this.#dialogue
  }

  /** The conversant takes the turn by itself; only what it cannot hear must be told. */
  think(_text: string, keys: string): void {
    if (keys === '') return
    this.#replies.await()
    // What it has been told cannot be taken back.
    this.#dialogue.conversation.happened({ kind: 'turnTaken' })
    this.#tellKeys(keys, true)
  }

  /** What was said it tells itself. */
  unanswered(_text: string, keys: string): void {
    if (keys !== '') this.#tellKeys(keys, false)
  }

  press(keys: string): void {
    this.#tellKeys(keys, false)
  }

  #tellKeys(keys: string, reply: boolean): void {
    this.#call.emit({ name: 'callerSpoke', private: { text: recordOf('', keys) } })
    this.#live?.instruct(`The caller pressed ${keys} on the keypad.`, reply)
  }

  cancelReply(): Promise<number> {
    const cutting = this.#cut()
    this.#cutting = Promise.all([this.#cutting, cutting])
    return cutting
  }

  async #cut(): Promise<number> {
    const cut = this.#items.unheard
    this.#stopMaking()
    this.#replies.forget()
    const ms = await this.#dialogue.speech.cancel()
    // Where the line paused: beyond it the caller has heard nothing.
    for (const [item, { heard }] of cut) this.#live?.heard(item, Math.floor(heard?.ms ?? 0), heard?.text ?? '')
    return ms
  }

  tell(text: string): void {
    this.#replies.await()
    this.#live?.instruct(text, true)
  }

  finishHearing(): void {}

  commit(): void {}

  fill(again: boolean): void {
    const { speech, making } = this.#dialogue
    const { filler, fillerAgain } = this.#parts.settings.phrases
    // The conversant itself is busy with the reply that is waited for.
    if (this.#reserve) {
      this.#stored
        .speak(again ? fillerAgain : filler, this.#reserve, speech.utterance('filler'), making.signal)
        .catch(() => {})
    }
  }

  /** What is kept as sound is heard at once; what is not, the conversant says itself as long as it is there. */
  say(text: string): void {
    const voice = this.#live
    if (voice && !this.#stored.has(text)) return this.#sayBy(voice, text)
    const utterance = this.#dialogue.speech.utterance('speech')
    this.#dialogue.making.start(async signal => {
      try {
        if (!this.#reserve) throw new GatewayError('ENGINE_FAILED', 'There is no speaker in reserve.')
        await this.#stored.speak(text, this.#reserve, utterance, signal)
      } catch (error) {
        this.#dialogue.failed(error, signal, true)
      }
    })
    void utterance.over.then(heard => {
      if (heard.text.trim() !== '') this.#live?.told(heard.text.trim())
    })
  }

  started(): void {
    const times = this.#ledger.heard(this.#parts.clock.now())
    if (times) this.#call.emit({ name: 'replyTimed', ...times })
  }

  shed(utterance: Utterance): void {
    this.#stopMaking()
    this.#replies.drop()
    const item = this.#items.nameOf(utterance)
    if (item === undefined) return
    void utterance.over.then(({ ms, text }) => this.#live?.heard(item, Math.floor(ms), text))
  }

  async #open(): Promise<ConversantVoice> {
    const { conversant, clock, settings } = this.#parts
    const { signal } = this.#scope
    const { business, line, caller } = this.#call
    const session = {
      format: { encoding: line.law, rate: 8_000 },
      instructions: caller.then(known => briefing(this.#call, known, this.#dialogue.openingWords)),
      voice: business.voice,
      language: business.language,
      tools: this.#dialogue.tools,
      history: [],
    } as const
    const ms = settings.readyMs
    const late = () => new GatewayError('ENGINE_FAILED', `The conversant was not there after ${ms} ms.`)
    const voice = await unlessAborted(conversant.open(session, signal), signal, { clock, ms, late })
    this.#voice = voice
    return voice
  }

  #sayBy(voice: ConversantVoice, text: string): void {
    this.#replies.awaitWords()
    voice.say(text)
  }

  /** What can still be told something. */
  get #live(): ConversantVoice | undefined {
    return this.#dead || this.#scope.closed ? undefined : this.#voice
  }

  get #busy(): boolean {
    return this.#replies.any || this.#tools.running
  }

  #stopMaking(): void {
    this.#dialogue.making.cancel()
    if (this.#replies.any) this.#live?.cancel()
  }

  /** One that does not give what it should is as good as gone. */
  #useless(why: string): void {
    this.#lose(new GatewayError('ENGINE_FAILED', why))
  }

  #lose(error: unknown): void {
    if (this.#dead || this.#scope.closed) return
    this.#dead = true
    this.#absent = false
    this.#replies.drop()
    this.#call.emit(degraded(error))
    this.#gone.resolve()
  }

  /** What the conversant has to tell ends with the call, or it is gone. */
  async #follow(voice: ConversantVoice): Promise<void> {
    const { signal } = this.#scope
    try {
      for await (const event of guarded(voice.events, signal)) {
        if (event.kind === 'failed') throw event.error
        this.#happened(event)
        this.#weigh(event)
        this.#replies.watch()
      }
      throw new GatewayError('ENGINE_FAILED', 'The conversant has ended.')
    } catch (error) {
      this.#lose(error)
    }
  }

  /** Whether what the caller has said wants a reply. */
  #weigh(event: ConversantEvent): void {
    const { conversation } = this.#dialogue
    switch (event.kind) {
      case 'speechStarted':
      case 'speechStopped':
      case 'committed':
      case 'words':
        this.#claim = claimAfter(this.#claim, event)
    }
    // Nobody writes down what is said: only whether we were speaking tells an answer from a cough.
    const trusted = event.kind === 'committed' && !event.wordsFollow && !conversation.replying && !this.#claim.speaking
    if (trusted || isDue(this.#claim, this.#parts.settings.turn.interruptMs)) void this.#respond()
  }

  async #respond(): Promise<void> {
    this.#claim = answered(this.#claim)
    const { conversation, making, transferring } = this.#dialogue
    if (conversation.endsFirmly || transferring.away) return
    this.#replies.await()
    conversation.happened({ kind: 'turnTaken' })
    const { signal } = making
    await this.#cutting
    if (signal.aborted || this.#dead) return
    this.#ledger.asked(this.#parts.clock.now())
    this.#live?.respond()
  }

  #happened(event: Exclude<ConversantEvent, { kind: 'failed' }>): void {
    const { conversation } = this.#dialogue
    switch (event.kind) {
      case 'speechStarted':
        return conversation.happened({ ...event, kind: 'voiceStarted' })
      case 'speechStopped':
        this.#ledger.ended(this.#parts.clock.now())
        return conversation.happened({ kind: 'voiceStopped', atMs: event.atMs })
      case 'replying':
        this.#replies.began()
        this.#ledger.begun(this.#parts.clock.now())
        return conversation.happened({ kind: 'turnTaken' })
      case 'withdrawn':
        this.#ledger.withdrawn()
        return this.#replies.withdrawn()
      case 'absent':
        this.#absent = true
        return conversation.happened(event)
      case 'present':
        this.#absent = false
        return this.#busy ? undefined : this.#dialogue.quiet()
      case 'committed':
        return
      case 'used':
        // Not every server counts.
        if (Object.keys(event.usage).length === 0) return
        return this.#call.emit({ ...event.usage, name: 'usageCounted', model: event.model })
      case 'troubled':
        return this.#call.emit(degraded(event.error))
      case 'words':
        if (event.final) this.#call.emit({ name: 'callerSpoke', private: { text: event.text } })
        conversation.happened(event)
        return event.final ? this.#dialogue.understood(event.text) : undefined
      case 'audio': {
        const utterance = this.#items.utterance(event.item)
        // What is said to nobody is no part of the conversation.
        if (this.#dialogue.transferring.away) return this.#unsay(event.item, utterance)
        if (utterance.open) this.#replies.spoke()
        this.#ledger.made(this.#parts.clock.now())
        return utterance.write(event.audio, event.text)
      }
      case 'audioEnded':
        return this.#items.find(event.item)?.end()
      case 'toolCall':
        return void this.#tools.run(event)
      case 'turnEnded':
        return this.#replies.ended(event.broken ?? false) ? this.#turnOver() : undefined
    }
  }

  #unsay(item: string, utterance: Utterance): void {
    if (utterance.open) this.#live?.heard(item, 0, '')
    utterance.cut()
    this.#stopMaking()
    this.#replies.forget()
  }

  #tellResult(id: string, result: ToolResult, reply: boolean): void {
    const voice = this.#live
    const wanted = reply && !this.#dialogue.transferring.away
    if (voice && wanted) this.#replies.awaitMore()
    voice?.toolResult(id, result, wanted)
  }

  #turnOver(): void {
    const { conversation, making } = this.#dialogue
    if (this.#busy || making.busy) return
    switch (this.#replies.takeOutcome()) {
      case 'spoken':
        return this.#dialogue.quiet()
      case 'broken':
        return conversation.happened({ kind: 'failed', fatal: false })
      case 'unsaid':
        return this.#useless('The conversant made no sound of the words that it was to say.')
      case 'empty':
        return conversation.happened({ kind: 'replyEmpty' })
    }
  }
}

function goneTooSoon(): never {
  throw new GatewayError('ENGINE_FAILED', 'The conversant was gone before it had greeted the caller.')
}
