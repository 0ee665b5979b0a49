import { Captions } from '../../agent/captions.ts'
import type {
  Conversant,
  ConversantEvent,
  ConversantSession,
  ConversantVoice,
  Message,
  Model,
  Recognizer,
  ToolResult,
} from '../../agent/ports.ts'
import { Queue } from '../../agent/queue.ts'
import { type Clock, pause } from '../../clock.ts'
import { asError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { AudioSink, FrameKind } from '../../media/audio.ts'
import { VoiceActivity } from '../../media/voice-activity.ts'
import { Sounds } from './sounds.ts'

export interface ConversantOptions {
  readonly clock: Clock
  readonly recognizer: Recognizer
  readonly model: Model
}

const PIECE_MS = 200
const BYTES_PER_MS = 8
/** Speech is made ten times as fast as it is spoken. */
const MAKING_MS = 20
/** What was on its way when it was cancelled arrives all the same. */
const ON_ITS_WAY_MS = 60

/** Hears, thinks and speaks in one, after the same script as the parts do. */
export function scriptedConversant(options: ConversantOptions): Conversant {
  const sounds = { ulaw: soundsIn('ulaw'), alaw: soundsIn('alaw') }
  return {
    async open(session, signal) {
      const { encoding } = session.format
      if (encoding === 'pcm16') throw new Error('The scripted conversant speaks G.711 only.')
      const text = await session.instructions
      signal.throwIfAborted()
      const history = [{ role: 'instruction', text }, ...session.history] as const
      return new ScriptedVoice(options, sounds[encoding], { ...session, history }, signal)
    },
  }
}

function soundsIn(encoding: 'ulaw' | 'alaw'): Sounds {
  return new Sounds({ encoding, rate: 8_000 })
}

/** Something it said, and the words of each piece of its sound. */
interface Item {
  readonly message: { role: 'agent'; text: string; interrupted: boolean }
  readonly parts: { readonly text: string; readonly ms: number }[]
}

class ScriptedVoice implements ConversantVoice {
  readonly events = new Queue<ConversantEvent>()
  readonly hear: AudioSink
  readonly #options: ConversantOptions
  readonly #sounds: Sounds
  readonly #session: ConversantSession
  readonly #signal: AbortSignal
  readonly #history: Message[]
  readonly #items = new Map<string, Item>()
  #responding = new AbortController()
  #itemCount = 0
  /** One reply at a time. */
  #turn: Promise<void> = Promise.resolve()

  constructor(options: ConversantOptions, sounds: Sounds, session: ConversantSession, signal: AbortSignal) {
    this.#options = options
    this.#sounds = sounds
    this.#session = session
    this.#signal = signal
    this.#history = [...session.history]
    this.hear = this.#openEars()
    signal.addEventListener('abort', () => this.events.end(), { once: true })
  }

  /** It replies to all that it understands, and leaves nothing to decide. */
  respond(): void {}

  say(text: string): void {
    this.#respond(signal => this.#speak(text, signal))
  }

  told(text: string): void {
    this.#history.push({ role: 'agent', text, interrupted: false })
  }

  instruct(text: string, reply: boolean): void {
    this.#history.push({ role: 'instruction', text })
    if (reply) this.#respond(signal => this.#reply(signal))
  }

  toolResult(id: string, result: ToolResult, reply: boolean): void {
    const call = this.#history.find(message => message.role === 'toolCall' && message.id === id)
    const name = call?.role === 'toolCall' ? call.name : ''
    this.#history.push({ role: 'toolResult', id, name, result })
    if (reply) this.#respond(signal => this.#reply(signal))
  }

  cancel(): void {
    this.#responding.abort(new Error('Cancelled.'))
    this.#responding = new AbortController()
  }

  heard(item: string, ms: number): void {
    const said = this.#items.get(item)
    if (!said) return
    let leftMs = ms
    let text = ''
    for (const part of said.parts) {
      leftMs -= part.ms
      if (leftMs < 0) break
      text += part.text
    }
    Object.assign(said.message, { text: text.trim(), interrupted: true })
  }

  #openEars(): AudioSink {
    const { recognizer } = this.#options
    const voice: AudioSink = new VoiceActivity(({ kind, atMs }) => {
      this.events.push({ kind: kind === 'voiceStarted' ? 'speechStarted' : 'speechStopped', atMs })
    })
    const ear = recognizer.open({ encoding: 'pcm16', rate: 8_000 }, this.#signal)
    void this.#listen(ear.results)
    return {
      format: { encoding: 'pcm16', rate: 8_000 },
      write(frame: Int16Array, atMs: number, kind: FrameKind) {
        voice.write(frame, atMs, kind)
        ear.write(frame, atMs, kind)
      },
    }
  }

  async #listen(results: AsyncIterable<{ kind: 'partial' | 'final'; text: string; startMs: number }>): Promise<void> {
    try {
      for await (const { kind, text, startMs } of results) {
        this.events.push({ kind: 'words', final: kind === 'final', text, startMs })
        if (kind === 'partial') continue
        this.#history.push({ role: 'caller', text })
        this.#respond(signal => this.#reply(signal))
      }
    } catch (error) {
      if (!this.#signal.aborted) this.events.push({ kind: 'failed', error: asError(error) })
    }
  }

  #respond(make: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#responding
    this.#turn = this.#turn.then(async () => {
      const either = AbortSignal.any([signal, this.#signal])
      if (either.aborted) return
      this.events.push({ kind: 'replying' })
      try {
        await make(either)
      } catch (error) {
        if (!either.aborted) this.events.push({ kind: 'failed', error: error as Error })
      }
      this.events.push({ kind: 'turnEnded' })
    })
  }

  async #reply(signal: AbortSignal): Promise<void> {
    let text = ''
    for await (const part of this.#options.model.reply(this.#history, this.#session.tools, signal)) {
      if (part.kind === 'text') text += part.text
      else {
        if (text.trim() !== '') await this.#speak(text, signal)
        text = ''
        this.#history.push({ role: 'toolCall', id: part.id, name: part.name, args: part.args })
        this.events.push(part)
      }
    }
    if (text.trim() !== '') await this.#speak(text, signal)
  }

  async #speak(text: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const id = `item-${this.#itemCount++}`
    const audio = this.#sounds.render(text)
    const captions = new Captions(text, audio.length / BYTES_PER_MS / text.length)
    const item: Item = { message: { role: 'agent', text: text.trim(), interrupted: false }, parts: [] }
    this.#remember(id, item)
    for (let at = 0; at < audio.length; at += PIECE_MS * BYTES_PER_MS) {
      const piece = audio.subarray(at, at + PIECE_MS * BYTES_PER_MS)
      const ms = piece.length / BYTES_PER_MS
      const words = at + piece.length < audio.length ? captions.during(ms) : captions.rest()
      item.parts.push({ text: words, ms })
      if (signal.aborted) await pause(clock, ON_ITS_WAY_MS, this.#signal)
      this.events.push({ kind: 'audio', item: id, audio: piece, text: words })
      if (signal.aborted) break
      await pause(clock, MAKING_MS, signal).catch(() => {})
    }
    this.events.push({ kind: 'audioEnded', item: id })
    signal.throwIfAborted()
  }

  #remember(id: string, item: Item): void {
    this.#history.push(item.message)
    this.#items.set(id, item)
    if (this.#items.size > limits.agent.items) this.#items.delete(this.#items.keys().next().value!)
  }
}
