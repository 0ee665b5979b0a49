import type { Pace } from '../../agent/captions.ts'
import type { ConversantEvent, ConversantVoice, ToolCall, ToolResult } from '../../agent/ports.ts'
import { Queue } from '../../agent/queue.ts'
import { asError, type GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { type Connection, type ConnectionParts, openPatiently } from './connection.ts'
import { Ears } from './ears.ts'
import { failed, meaningOf, namedError } from './failures.ts'
import { cutAfter, Memory } from './items.ts'
import type { ApiError, Item, Response, ServerEvent } from './protocol.ts'
import { ANSWER, Responses, type Wish } from './responses.ts'
import { Rotation } from './rotation.ts'
import { Segments } from './segments.ts'
import { type Dialect, itemOf, lawOf, PCM_RATE, type ReadySession } from './session.ts'
import { Speaking } from './speaking.ts'
import { usageOfResponse } from './usage.ts'
import { paramsOf, restOf } from './wishes.ts'

type ReadyParts = ConnectionParts & { readonly session: ReadySession }

/** One call's part in the conversation with the server: across sessions, so that the loss of one is not the call's. */
export class RealtimeVoice implements ConversantVoice {
  readonly events = new Queue<ConversantEvent>()
  readonly hear: Ears
  readonly #parts: ReadyParts
  readonly #signal: AbortSignal
  readonly #speaking: Speaking
  readonly #memory: Memory
  readonly #responses = new Responses()
  /** Told to the session as text: such an item has no sound that could be cut. */
  readonly #asText = new Set<string>()
  readonly #segments: Segments
  readonly #rotation: Rotation
  /** What runs since before this session. */
  #untoldCalls = new Map<string, ToolCall>()
  #connection: Connection | undefined
  #truncates = true
  /** The agent knows of the reply that is being made. */
  #announced = false
  #absent = false
  #losses = 0
  #count = 0
  /** The name of the latest wish for a response. */
  #requested = ''
  #cancelWatch = () => {}

  private constructor(parts: ReadyParts, pace: Pace, signal: AbortSignal, first: Connection) {
    this.#parts = parts
    this.#signal = signal
    this.#memory = new Memory(parts.session.history)
    this.#speaking = new Speaking({
      responses: this.#responses,
      memory: this.#memory,
      pace,
      law: lawOf(parts.session),
      tell: event => this.events.push(event),
      remove: item => this.#delete(item),
    })
    const pcm = first.dialect.audio === 'pcm'
    this.hear = new Ears(pcm ? { encoding: 'pcm16', rate: PCM_RATE } : parts.session.format)
    this.#segments = new Segments({
      ears: this.hear,
      options: parts.options,
      memory: this.#memory,
      tell: event => this.events.push(event),
      remove: item => this.#delete(item),
    })
    this.#rotation = new Rotation({
      clock: parts.clock,
      quiet: () => this.#segments.quiet && this.#responses.expected === undefined,
      open: () => this.#open(),
      replace: next => this.#rotate(next),
    })
    signal.addEventListener('abort', () => this.#close(), { once: true })
    this.#use(first)
  }

  static async connect(parts: ConnectionParts, pace: Pace, signal: AbortSignal): Promise<RealtimeVoice> {
    const { history } = parts.session
    const troubles: GatewayError[] = []
    const known = (dialect: Dialect) => history.map(message => itemOf(message, dialect))
    const first = await openPatiently(parts, known, signal, error => troubles.push(error))
    // The session was opened with them.
    const instructions = await parts.session.instructions
    const session = { ...parts.session, instructions }
    const voice = new RealtimeVoice({ ...parts, session }, pace, signal, first)
    for (const error of troubles) voice.events.push({ kind: 'troubled', error })
    return voice
  }

  respond(): void {
    if (!this.#segments.answered()) return this.events.push({ kind: 'withdrawn' })
    this.#ask(ANSWER)
  }

  say(text: string): void {
    this.#ask({ words: text })
  }

  told(text: string): void {
    this.#count += 1
    this.#memory.agent(`told_${this.#count}`, text, false)
    this.#create({ role: 'agent', text, interrupted: false })
  }

  instruct(text: string, reply: boolean): void {
    this.#memory.instruction(text)
    this.#create({ role: 'instruction', text })
    if (reply) this.#ask({})
  }

  toolResult(id: string, result: ToolResult, reply: boolean): void {
    this.#memory.results(id, result)
    // A session that was opened meanwhile knows nothing of the call.
    const call = this.#untoldCalls.get(id)
    this.#untoldCalls.delete(id)
    if (call) this.#create({ role: 'toolCall', ...call })
    this.#create({ role: 'toolResult', id, name: '', result })
    if (reply) this.#ask({})
  }

  cancel(): void {
    if (this.#responses.cancel()) this.#connection?.send({ type: 'response.cancel' })
    this.#announced = false
    this.#watch()
  }

  heard(item: string, ms: number, text: string): void {
    const said = this.#speaking.get(item)
    if (!said || said.cut) return
    said.cut = true
    const cut = cutAfter(ms, said)
    if (cut.kind === 'nothing') return
    if (cut.kind === 'delete') return this.#delete(item)
    this.#memory.agent(item, text, true)
    if (this.#asText.has(item) || !this.#truncates) return this.#replaceByText(item, text)
    this.#connection?.send({
      type: 'conversation.item.truncate',
      event_id: `truncate ${item}`,
      item_id: item,
      content_index: 0,
      audio_end_ms: cut.audioEndMs,
    })
  }

  #delete(item: string): void {
    this.#memory.forget(item)
    this.#connection?.send({ type: 'conversation.item.delete', item_id: item })
  }

  /** For a server that cannot cut sound: the words that were heard take its place. */
  #replaceByText(item: string, text: string): void {
    this.#connection?.send({ type: 'conversation.item.delete', item_id: item })
    if (text.trim() !== '') this.#create({ role: 'agent', text, interrupted: true })
  }

  #create(message: Parameters<typeof itemOf>[0]): void {
    const connection = this.#connection
    connection?.send({ type: 'conversation.item.create', item: itemOf(message, connection.dialect) })
  }

  #ask(wish: Wish): void {
    const now = this.#responses.ask(wish)
    if (now) this.#request(now)
  }

  #request(wish: Wish): void {
    const response = paramsOf(wish)
    this.#count += 1
    this.#requested = `response ${this.#count}`
    const event = { type: 'response.create', event_id: this.#requested } as const
    this.#connection?.send(response ? { ...event, response } : event)
    this.#watch()
  }

  #open(): Promise<Connection> {
    const troubled = (error: GatewayError) => this.events.push({ kind: 'troubled', error })
    return openPatiently(this.#parts, dialect => this.#remembered(dialect), this.#signal, troubled)
  }

  /** The conversation as text, each thing we have said under the name it had. */
  #remembered(dialect: Dialect): Item[] {
    this.#untoldCalls = new Map(this.#memory.openCalls.map(call => [call.id, call]))
    return this.#memory.entries.map(([key, message]) => {
      if (message.role !== 'agent') return itemOf(message, dialect)
      this.#asText.add(key)
      return { ...itemOf(message, dialect), id: key } as Item
    })
  }

  #use(connection: Connection): boolean {
    if (this.#signal.aborted) {
      connection.close()
      return false
    }
    this.#connection = connection
    this.#speaking.pcm = connection.dialect.audio === 'pcm'
    this.hear.attach(connection)
    this.#rotation.follow(connection)
    connection.follow({
      event: event => this.#happened(event),
      absent: forMs => this.#hearsNothing(forMs),
      present: () => this.#hears(),
      lost: why => this.#lost(why),
    })
    return this.#connection === connection
  }

  #hearsNothing(forMs: number): void {
    this.#segments.keep(true)
    if (!this.#absent) this.events.push({ kind: 'absent', forMs })
    this.#absent = true
  }

  #hears(): void {
    this.#segments.keep(false)
    if (this.#absent) this.events.push({ kind: 'present' })
    this.#absent = false
  }

  #lost(why: string): void {
    this.#leave()
    this.#losses += 1
    const error = failed(`The connection was lost: ${why}.`)
    this.events.push({ kind: 'troubled', error })
    if (this.#losses > limits.openai.losses) return this.#fail(error)
    this.#hearsNothing(0)
    this.#breakOff()
    this.#open().then(
      connection => this.#goOn(connection),
      error => this.#fail(asError(error)),
    )
  }

  /** In the next session, with what has been wished for. */
  #goOn(connection: Connection): void {
    this.#hears()
    if (!this.#use(connection)) return
    const next = this.#responses.restored()
    if (next) this.#request(next)
  }

  #leave(): void {
    this.#connection?.close()
    this.#connection = undefined
    this.hear.detach()
    this.#cancelWatch()
    this.#rotation.stop()
  }

  /** Of what was being said, the rest is wished for. */
  #breakOff(): void {
    const unheard = this.#segments.leave()
    const active = this.#responses.lost()
    const broken = this.#speaking.brokenOff(active?.id)
    if (!active) return
    // What it was to answer is heard anew, and then answered.
    if (unheard && active.wish === ANSWER && !active.begun) return this.events.push({ kind: 'withdrawn' })
    const rest = restOf(active.wish, active.begun, broken, this.#parts.session.instructions)
    if (rest) this.#responses.askFirst(rest)
    else this.#turnEnded()
  }

  #rotate(next: Connection): void {
    this.#leave()
    this.#breakOff()
    this.#goOn(next)
  }

  #fail(error: Error): void {
    if (this.#signal.aborted) return
    this.#leave()
    this.#segments.leave()
    this.events.push({ kind: 'failed', error })
  }

  #close(): void {
    this.#leave()
    this.events.end()
  }

  /** What gives nothing when it should is as good as lost. */
  #watch(): void {
    this.#cancelWatch()
    const { expected } = this.#responses
    if (!expected || !this.#connection) return
    const ms = expected === 'first' ? limits.openai.firstMs : limits.openai.nextMs
    this.#cancelWatch = this.#parts.clock.after(ms, () => this.#connection?.giveUp(`it gave nothing for ${ms} ms`))
  }

  #happened(event: ServerEvent): void {
    switch (event.type) {
      case 'error':
        return this.#errorCame(event.error)
      default:
        this.#segments.happened(event)
        // Nothing else tells that a response is being made.
        if (!event.type.startsWith('response.')) return
        this.#responseEvent(event)
        if (this.#responses.begun) this.#segments.replied()
        return this.#watch()
    }
  }

  #responseEvent(event: ServerEvent): void {
    switch (event.type) {
      case 'response.created':
        if (this.#responses.expected === undefined) this.#segments.answeredByServer()
        if (!this.#responses.created(event.response.id ?? '') || this.#announced) return
        this.#announced = true
        return this.events.push({ kind: 'replying' })
      case 'response.done':
        return this.#responseDone(event.response)
      default:
        return this.#speaking.happened(event)
    }
  }

  #responseDone(response: Response): void {
    const { id = '', status, status_details: details } = response
    this.events.push({ kind: 'used', model: this.#parts.options.model, usage: usageOfResponse(response) })
    const wanted = this.#responses.wants(id)
    const broken = status === 'failed' || status === 'incomplete'
    if (wanted) {
      this.#speaking.over(id)
      if (details?.reason === 'turn_detected') this.#brokenOff(id)
      if (broken) this.#responseFailed(details?.error ?? { code: details?.reason ?? status })
      else this.#losses = 0
    }
    this.#next(wanted, broken)
  }

  /** By the server itself, at a voice: what has come may still be heard to its end, and the model believes that it said more. */
  #brokenOff(response: string): void {
    const told = this.#speaking.toldIn(response)
    const text = `You were broken off after these words: ${told || '(none)'}. What you wanted to say then has not been said.`
    this.#memory.instruction(text)
    this.#create({ role: 'instruction', text })
  }

  #responseFailed(error: { code?: string; type?: string }): void {
    const told = failed(`A response failed (${namedError(error)}).`)
    if (error.code === 'insufficient_quota') return this.#fail(told)
    this.events.push({ kind: 'troubled', error: told })
  }

  #next(wanted: boolean, broken = false): void {
    const next = this.#responses.over()
    if (wanted) this.#turnEnded(broken)
    if (next) this.#request(next)
  }

  #turnEnded(broken = false): void {
    this.#announced = false
    this.events.push({ kind: 'turnEnded', ...(broken && { broken }) })
  }

  /** A reply that nobody has heard of cannot end. */
  #refused(error: ApiError): void {
    const wanted = !this.#responses.unwanted
    if (wanted) this.events.push({ kind: 'troubled', error: failed(`A response was refused (${namedError(error)}).`) })
    if (wanted && !this.#announced) this.events.push({ kind: 'replying' })
    this.#next(wanted)
  }

  /** The server answers by itself: that is the answer. */
  #preceded(request: string | null | undefined): void {
    if (request && request !== this.#requested) return
    this.#responses.preceded()
    this.#segments.answeredByServer()
  }

  #errorCame(error: ApiError): void {
    const { event_id } = error
    if (error.code === 'conversation_already_has_active_response') return this.#preceded(event_id)
    if (event_id !== undefined && event_id === this.#requested && this.#responses.unborn) return this.#refused(error)
    if (event_id?.startsWith('truncate ') && meansUnknown(error)) {
      this.#truncates = false
      const item = event_id.slice('truncate '.length)
      const heard = this.#memory.textOf(item)
      return this.#replaceByText(item, heard)
    }
    const meaning = meaningOf(error)
    if (meaning === 'sessionOver') return this.#connection?.giveUp(`the session is over (${namedError(error)})`)
    if (meaning === 'fatal') return this.#fail(failed(`The server serves no more (${namedError(error)}).`))
  }
}

/** It is the kind of event that the server does not know, not what stands in it. */
function meansUnknown({ code, type, message }: ApiError): boolean {
  return (
    /unknown|not_implemented|unsupported|invalid_event/i.test(`${code} ${type}`) || /not implemented/i.test(message)
  )
}
