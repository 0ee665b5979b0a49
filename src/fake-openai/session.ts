import type { Model, ToolDescription } from '../agent/ports.ts'
import { type Clock, pause } from '../clock.ts'
import { type ClientEvent, newNames } from '../providers/openai/protocol.ts'
import type { Client, Tell, Unnumbered } from './client.ts'
import { Conversation } from './conversation.ts'
import type { Hearing, OpenEars } from './ears.ts'
import type { Faults } from './faults.ts'
import { Response, type ResponseFault } from './response.ts'
import { changed, described, firstSettings, type Kind, type Settings } from './settings.ts'
import { Meter, usageOfWords } from './usage.ts'

export interface SessionParts {
  readonly clock: Clock
  readonly model: Model
  readonly kind: Kind
  readonly faults: Faults
  readonly openEars: OpenEars
  /** From the end of a segment to the words for it. */
  readonly transcriptionMs: number
  /** Nowhere the same, not even in another session. */
  readonly newId: (what: string) => string
}

const SESSION_MS = 60 * 60_000
const PREFIX_MS = 300
const SILENCE_MS = 500
/** A response of its own is active for so long before it is told. */
const UNTOLD_MS = 30
const olderNames: ReadonlyMap<string, string> = new Map(Object.entries(newNames).map(([older, name]) => [name, older]))

/** One session as the server keeps it. */
export class Session {
  /** What the client was told that it may not do. */
  readonly problems: string[] = []
  /** Of what the client has sent: the kinds, its sound left out. */
  readonly received: ClientEvent[] = []
  readonly conversation = new Conversation()
  readonly #parts: SessionParts
  readonly #client: Client
  readonly #abort = new AbortController()
  #settings: Settings = firstSettings
  #ears: Hearing | undefined
  #response: Response | undefined
  readonly #meter = new Meter()
  #hasSpoken = false
  #segment: { readonly id: string; readonly atMs: number } | undefined
  #events = 0
  #swallowed = false

  constructor(parts: SessionParts, client: Client) {
    this.#parts = parts
    this.#client = client
  }

  begin(): void {
    const cancel = this.#parts.clock.after(SESSION_MS, () => this.expire())
    this.#abort.signal.addEventListener('abort', cancel, { once: true })
    const fault = this.#parts.faults.take('session')
    if (fault?.what === 'close') return this.kill()
    if (fault?.what === 'silence') return
    this.#tell({ type: 'session.created', session: this.#described() })
  }

  get isSwallowed(): boolean {
    return this.#swallowed
  }

  get closed(): boolean {
    return this.#abort.signal.aborted
  }

  /** As if the network had swallowed it: nothing comes and nothing goes any more, and no connection ends. */
  swallow(): void {
    this.#swallowed = true
  }

  /** The client is gone, or the server is. */
  end(): void {
    this.#abort.abort(new Error('The session has ended.'))
  }

  kill(): void {
    this.end()
    this.#client.close()
  }

  expire(): void {
    this.#problem('session_expired', undefined)
    this.kill()
  }

  /** Whatever it is, straight to the client. */
  get client(): Client {
    return this.#client
  }

  get instructions(): string {
    return this.#settings.instructions
  }

  get tools(): readonly ToolDescription[] {
    return this.#settings.tools
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  receive(frame: string): void {
    if (this.closed || this.#swallowed) return
    let event: ClientEvent
    try {
      event = JSON.parse(frame)
    } catch {
      return this.#problem('invalid_json', undefined)
    }
    if (event.type !== 'input_audio_buffer.append') this.received.push(event)
    this.#obey(event)
  }

  #obey(event: ClientEvent): void {
    switch (event.type) {
      case 'session.update':
        return this.#update(event)
      case 'input_audio_buffer.append':
        return this.#hearing().hear(Buffer.from(event.audio, 'base64'))
      case 'conversation.item.create': {
        const id = event.item.id ?? this.newId('item')
        const problem = this.conversation.create(id, event.item)
        if (problem) return this.#problem(problem, event.event_id)
        return this.#tell({ type: 'conversation.item.added', item: { ...event.item, id } })
      }
      case 'conversation.item.delete': {
        const problem = this.conversation.delete(event.item_id)
        if (problem) return this.#problem(problem, event.event_id)
        return this.#tell({ type: 'conversation.item.deleted', item_id: event.item_id })
      }
      case 'conversation.item.truncate':
        return this.#truncate(event)
      case 'response.create':
        return this.#create(event)
      case 'response.cancel':
        if (!this.#response) return this.#problem('response_cancel_not_active', event.event_id)
        return this.#response.cancel('client_cancelled')
      default:
        return this.#problem('unknown_event', event.event_id)
    }
  }

  #update({ session, event_id }: Extract<ClientEvent, { type: 'session.update' }>): void {
    const next = changed(this.#settings, session as never, this.#parts.kind, this.#hasSpoken)
    if ('problem' in next) return this.#problem(next.problem, event_id)
    this.#settings = next
    this.#tell({ type: 'session.updated', session: this.#described() })
  }

  #truncate({
    item_id,
    audio_end_ms,
    content_index,
    event_id,
  }: Extract<ClientEvent, { type: 'conversation.item.truncate' }>): void {
    if (!this.#parts.kind.truncates) return this.#problem('unknown_event', event_id)
    const problem = content_index === 0 ? this.conversation.truncate(item_id, audio_end_ms) : 'invalid_value'
    if (problem) return this.#problem(problem, event_id)
    this.#tell({ type: 'conversation.item.truncated', item_id, audio_end_ms, content_index })
  }

  #create({ response, event_id }: Extract<ClientEvent, { type: 'response.create' }>): void {
    if (this.#response) return this.#problem('conversation_already_has_active_response', event_id)
    const fault = this.#parts.faults.take('response')?.what
    if (fault === 'refuse') return this.#problem('rate_limit_exceeded', event_id)
    this.#respond(response?.instructions, fault)
  }

  #respond(instructions?: string, fault?: ResponseFault, untoldMs = 0): void {
    const { model, clock, faults } = this.#parts
    const tell: Tell = event => this.#tell(event)
    const response = new Response({ session: this, tell, model, clock, faults, format: this.#settings.output })
    this.#response = response
    void response.make(instructions, fault, untoldMs).finally(() => {
      this.#hasSpoken ||= response.hasSpoken
      if (this.#response === response) this.#response = undefined
      const usage = this.#meter.response(this.#settings.instructions, this.conversation.messages, response.made)
      response.tellDone(usage)
    })
  }

  #hearing(): Hearing {
    const { turnDetection, input } = this.#settings
    const silenceMs =
      turnDetection?.type === 'server_vad' ? (turnDetection.silence_duration_ms ?? SILENCE_MS) : SILENCE_MS
    this.#ears ??= this.#parts.openEars(
      input,
      silenceMs,
      this.#parts.clock,
      {
        started: atMs => this.#voiceStarted(atMs),
        stopped: (atMs, text) => this.#voiceStopped(atMs + silenceMs, text),
      },
      this.#abort.signal,
    )
    return this.#ears
  }

  #voiceStarted(atMs: number): void {
    const { turnDetection } = this.#settings
    const prefixMs = turnDetection?.type === 'server_vad' ? (turnDetection.prefix_padding_ms ?? PREFIX_MS) : PREFIX_MS
    const item_id = this.newId('item')
    this.#segment = { id: item_id, atMs: atMs - prefixMs }
    const audio_start_ms = Math.round(atMs - prefixMs)
    this.#tell({ type: 'input_audio_buffer.speech_started', audio_start_ms, item_id })
    if (turnDetection?.interrupt_response) this.#response?.cancel('turn_detected')
  }

  #voiceStopped(atMs: number, text: string): void {
    if (!this.#segment) return
    const { id: item_id, atMs: startMs } = this.#segment
    this.#segment = undefined
    this.#meter.heard(atMs - startMs)
    this.#tell({ type: 'input_audio_buffer.speech_stopped', audio_end_ms: Math.round(atMs), item_id })
    this.#tell({ type: 'input_audio_buffer.committed', item_id, previous_item_id: this.conversation.lastId })
    this.conversation.add(item_id, { role: 'caller', text })
    const item = { type: 'message', role: 'user', id: item_id, content: [{ type: 'input_audio' }] } as const
    this.#tell({ type: 'conversation.item.added', item: { ...item, content: [...item.content] } })
    if (this.#settings.transcribedBy !== '') this.#transcribe(item_id, text, atMs - startMs)
    const answers = this.#parts.kind.answers === 'always' || this.#settings.turnDetection?.create_response
    if (answers && !this.#response) this.#respond(undefined, undefined, UNTOLD_MS)
  }

  #transcribe(item_id: string, text: string, heardMs: number): void {
    const { clock, transcriptionMs } = this.#parts
    const tell = () => {
      const name = 'conversation.item.input_audio_transcription'
      for (const delta of text.split(/(?<=\s)/)) {
        if (delta !== '') this.#tell({ type: `${name}.delta`, item_id, content_index: 0, delta })
      }
      const usage = usageOfWords(this.#settings.transcribedBy, heardMs, text)
      this.#tell({ type: `${name}.completed`, item_id, content_index: 0, transcript: text, usage })
    }
    pause(clock, transcriptionMs, this.#abort.signal).then(tell, () => {})
  }

  newId(what: string): string {
    return this.#parts.newId(what)
  }

  #described() {
    return described(this.#settings, this.#parts.kind) as never
  }

  #problem(code: string, event_id: string | undefined): void {
    this.problems.push(code)
    const error = { type: 'invalid_request_error', code, message: `${code}.`, event_id: event_id ?? null }
    this.#tell({ type: 'error', error })
  }

  #tell(event: Unnumbered): void {
    if (this.closed || this.#swallowed) return
    this.#events += 1
    const older = this.#parts.kind.names === 'older' ? olderNames.get(event.type) : undefined
    this.#client.text(JSON.stringify({ event_id: `event_${this.#events}`, ...event, type: older ?? event.type }))
  }
}
