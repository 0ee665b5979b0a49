import { Captions } from '../agent/captions.ts'
import type { Model, ToolDescription } from '../agent/ports.ts'
import { type Clock, pause } from '../clock.ts'
import { limits } from '../limits.ts'
import type { AudioFormat } from '../media/audio.ts'
import type { Item, Response as ResponseObject } from '../providers/openai/protocol.ts'
import { Sounds } from '../providers/scripted/sounds.ts'
import type { Client, Tell } from './client.ts'
import type { Conversation, Entry } from './conversation.ts'
import type { Fault, Faults } from './faults.ts'

/** The session that it is made in. */
interface Home {
  readonly conversation: Conversation
  readonly instructions: string
  readonly tools: readonly ToolDescription[]
  readonly client: Client
  readonly signal: AbortSignal
  readonly closed: boolean
  kill(): void
  expire(): void
  newId(what: string): string
}

interface ResponseParts {
  readonly session: Home
  readonly tell: Tell
  readonly model: Model
  readonly clock: Clock
  readonly faults: Faults
  readonly format: AudioFormat
}

const PIECE_MS = 200
/** Speech is made ten times as fast as it is spoken. */
const MAKING_MS = 20
/** What was on its way when it was cancelled arrives all the same. */
const ON_ITS_WAY_MS = 60
/** Behind such instructions stand the words to be said. */
const saying = /^Say these words exactly[^\n]*\n(.*)$/s
const oversized = 'x'.repeat(limits.openai.frameBytes + 1)

type AudioFault = Extract<Fault, { at: 'audio' }>
/** The refused ones are never begun. */
export type ResponseFault = Exclude<Extract<Fault, { at: 'response' }>['what'], 'refuse'>
type Outcome = Required<Pick<ResponseObject, 'status'>> & Pick<ResponseObject, 'status_details'>

const soundsByFormat = new Map<string, Sounds>()

/** One reply in the making: as events, in the order in which a server tells them. */
export class Response {
  readonly id: string
  hasSpoken = false
  #mute = false
  readonly #parts: ResponseParts
  readonly #cancelled = new AbortController()
  readonly #sounds: Sounds
  readonly #bytesPerMs: number
  readonly #audioFault: AudioFault | undefined
  #outcome: Outcome = { status: 'completed' }
  #outputs = 0
  #sentMs = 0
  #text = ''

  constructor(parts: ResponseParts) {
    this.#parts = parts
    this.id = parts.session.newId('resp')
    const { encoding, rate } = parts.format
    const key = `${encoding} ${rate}`
    this.#sounds = soundsByFormat.get(key) ?? new Sounds(parts.format)
    soundsByFormat.set(key, this.#sounds)
    this.#bytesPerMs = encoding === 'pcm16' ? (2 * rate) / 1_000 : 8
    this.#audioFault = parts.faults.take('audio')
  }

  cancel(reason: 'client_cancelled' | 'turn_detected'): void {
    if (this.#cancelled.signal.aborted) return
    this.#outcome = { status: 'cancelled', status_details: { type: 'cancelled', reason } }
    this.#cancelled.abort(new Error('Cancelled.'))
  }

  async make(instructions: string | undefined, fault: ResponseFault | undefined, untoldMs: number): Promise<void> {
    const { session, tell, clock } = this.#parts
    if (untoldMs > 0) await pause(clock, untoldMs, session.signal).catch(() => {})
    tell({ type: 'response.created', response: { id: this.id, status: 'in_progress' } })
    const signal = AbortSignal.any([this.#cancelled.signal, session.signal])
    try {
      if (fault === 'stall') await ended(signal)
      this.#mute = fault === 'mute'
      if (fault === 'fail' || fault === 'quota')
        return this.#fail(fault === 'quota' ? 'insufficient_quota' : 'server_error')
      const words = instructions === undefined ? undefined : saying.exec(instructions)?.[1]
      if (words === undefined) await this.#reply(signal)
      else await this.#speak(words, signal)
    } catch (error) {
      if (!signal.aborted) this.#fail(error instanceof Error ? 'server_error' : String(error))
    }
  }

  /** Up to now: what was cancelled counts as far as it came. */
  get made(): { readonly ms: number; readonly text: string } {
    return { ms: this.#sentMs, text: this.#text }
  }

  tellDone(usage: NonNullable<ResponseObject['usage']>): void {
    this.#parts.tell({ type: 'response.done', response: { id: this.id, ...this.#outcome, usage } })
  }

  #fail(code: string): void {
    this.#outcome = { status: 'failed', status_details: { type: 'failed', error: { type: 'server_error', code } } }
  }

  async #reply(signal: AbortSignal): Promise<void> {
    const { model, session } = this.#parts
    let text = ''
    const told = [{ role: 'instruction', text: session.instructions }, ...session.conversation.messages] as const
    for await (const part of model.reply(told, session.tools, signal)) {
      if (part.kind === 'text') text += part.text
      else {
        if (text.trim() !== '') await this.#speak(text, signal)
        text = ''
        this.#call(part.id, part.name, part.args)
      }
    }
    if (text.trim() !== '') await this.#speak(text, signal)
  }

  #call(call_id: string, name: string, args: unknown): void {
    const { session, tell } = this.#parts
    const place = { response_id: this.id, output_index: this.#outputs++ }
    const item_id = session.newId('item')
    const json = JSON.stringify(args)
    this.#text += json
    const item: Item = { type: 'function_call', id: item_id, call_id, name, arguments: json }
    session.conversation.add(item_id, { role: 'toolCall', id: call_id, name, args })
    tell({ type: 'response.output_item.added', ...place, item: { ...item, arguments: '' } })
    tell({ type: 'conversation.item.added', item: { ...item, arguments: '' } })
    tell({ type: 'response.function_call_arguments.delta', ...place, item_id, call_id, delta: json })
    tell({ type: 'response.function_call_arguments.done', ...place, item_id, call_id, name, arguments: json })
    tell({ type: 'response.output_item.done', ...place, item })
  }

  async #speak(text: string, signal: AbortSignal): Promise<void> {
    const { clock, session, tell } = this.#parts
    const item_id = session.newId('item')
    const place = { response_id: this.id, output_index: this.#outputs++ }
    const item: Item = { type: 'message', role: 'assistant', id: item_id, content: [] }
    const entry = session.conversation.add(item_id, { role: 'agent', text: text.trim(), interrupted: false })
    tell({ type: 'response.output_item.added', ...place, item })
    tell({ type: 'conversation.item.added', item })
    const part = { ...place, item_id, content_index: 0 }
    tell({ type: 'response.content_part.added', ...part, part: { type: 'audio' } })
    const audio = this.#mute ? new Uint8Array(0) : this.#sounds.render(text)
    const captions = new Captions(text, audio.length / this.#bytesPerMs / text.length)
    const pieceBytes = PIECE_MS * this.#bytesPerMs
    for (let at = 0; at < audio.length; at += pieceBytes) {
      const piece = audio.subarray(at, at + pieceBytes)
      const ms = piece.length / this.#bytesPerMs
      await this.#goWrong(signal)
      if (signal.aborted) await pause(clock, ON_ITS_WAY_MS, session.signal).catch(() => {})
      this.#tellPiece(entry, part, piece, at + piece.length < audio.length ? captions.during(ms) : captions.rest())
      if (signal.aborted) break
      await pause(clock, MAKING_MS, signal).catch(() => {})
    }
    tell({ type: 'response.output_audio.done', ...part })
    tell({
      type: 'response.output_audio_transcript.done',
      ...part,
      transcript: entry.parts.map(each => each.text).join(''),
    })
    tell({ type: 'response.content_part.done', ...part, part: { type: 'audio' } })
    tell({ type: 'response.output_item.done', ...place, item })
    signal.throwIfAborted()
  }

  #tellPiece(
    entry: Entry,
    part: { response_id: string; output_index: number; item_id: string; content_index: number },
    piece: Uint8Array,
    text: string,
  ): void {
    const { tell, session } = this.#parts
    if (!session.conversation.has(entry.id) || session.closed) return
    const ms = piece.length / this.#bytesPerMs
    entry.parts.push({ text, ms })
    this.hasSpoken = true
    this.#sentMs += ms
    this.#text += text
    if (text !== '') tell({ type: 'response.output_audio_transcript.delta', ...part, delta: text })
    tell({ type: 'response.output_audio.delta', ...part, delta: Buffer.from(piece).toString('base64') })
  }

  async #goWrong(signal: AbortSignal): Promise<void> {
    const fault = this.#audioFault
    const { session } = this.#parts
    // Once, between two pieces.
    if (!fault || this.#sentMs < fault.afterMs || this.#sentMs >= fault.afterMs + PIECE_MS) return
    switch (fault.what) {
      case 'kill':
        return session.kill()
      case 'expire':
        return session.expire()
      case 'stall':
        return ended(signal)
      case 'fail':
        throw new Error('It fails in the middle.')
      case 'malformed':
        return session.client.text('{"type":"response.output_audio.delta","delta":7')
      case 'binary':
        return session.client.binary(new Uint8Array(16))
      case 'oversize':
        return session.client.text(oversized)
      case 'error':
        return this.#parts.tell({
          type: 'error',
          error: { type: 'server_error', code: 'inference_rate', message: 'secret words' },
        })
    }
  }
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
