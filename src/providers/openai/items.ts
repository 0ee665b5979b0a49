import type { Captions, Pace } from '../../agent/captions.ts'
import type { Message, ToolCall, ToolResult } from '../../agent/ports.ts'
import { limits } from '../../limits.ts'

/** Something that the model says: how much of it has come, and which words its sound has said so far. */
export class Said {
  readonly response: string
  readonly #captions: Captions
  readonly #pace: Pace
  #transcript = ''
  #told = ''
  receivedMs = 0
  ended = false
  /** The server has been told how much of it was heard. */
  cut = false

  constructor(response: string, pace: Pace) {
    this.response = response
    this.#captions = pace.captions('')
    this.#pace = pace
  }

  words(text: string): void {
    this.#transcript += text
    this.#captions.add(text)
  }

  /** All of them, for a server that has not told each one before. */
  allWords(transcript: string): void {
    if (transcript.startsWith(this.#transcript)) this.words(transcript.slice(this.#transcript.length))
  }

  /** The words that go with so much more sound. */
  heard(ms: number): string {
    this.receivedMs += ms
    const text = this.#captions.during(ms)
    this.#told += text
    return text
  }

  /** The words that are left when all the sound is there. */
  end(): string {
    const rest = this.#captions.rest()
    this.#told += rest
    this.ended = true
    this.#pace.learn(this.#transcript, this.receivedMs)
    return rest
  }

  /** Of what has come: the words whose sound is there, and those whose sound is not. */
  get parts(): { readonly told: string; readonly untold: string } {
    return { told: this.#told, untold: this.#transcript.slice(this.#told.length) }
  }
}

/** What an interruption means for something that was being said. */
export type Cut =
  /** As if it had never been said. */
  | { readonly kind: 'delete' }
  /** In whole milliseconds, never beyond what there is: a server refuses that, and then believes that all was heard. */
  | { readonly kind: 'truncate'; readonly audioEndMs: number }
  | { readonly kind: 'nothing' }

export function cutAfter(heardMs: number, { receivedMs, ended }: Pick<Said, 'receivedMs' | 'ended'>): Cut {
  const audioEndMs = Math.floor(Math.min(heardMs, receivedMs))
  if (audioEndMs <= 0) return { kind: 'delete' }
  return ended && audioEndMs >= Math.floor(receivedMs) ? { kind: 'nothing' } : { kind: 'truncate', audioEndMs }
}

/** The conversation as both sides know it, for a session that takes over from another. The oldest is forgotten. */
export class Memory {
  readonly #entries = new Map<string, Message>()
  #count = 0

  constructor(history: readonly Message[]) {
    for (const message of history) this.#set(this.#newKey(), message)
  }

  caller(item: string, text: string): void {
    this.#set(item, { role: 'caller', text })
  }

  agent(item: string, text: string, interrupted: boolean): void {
    this.#set(item, { role: 'agent', text, interrupted })
  }

  instruction(text: string): void {
    this.#set(this.#newKey(), { role: 'instruction', text })
  }

  calls(call: ToolCall): void {
    this.#set(`call ${call.id}`, { role: 'toolCall', ...call })
  }

  results(id: string, result: ToolResult): void {
    const call = this.#entries.get(`call ${id}`)
    if (call?.role === 'toolCall') this.#set(`result ${id}`, { role: 'toolResult', id, name: call.name, result })
  }

  /** Calls that nobody has told a result of. */
  get openCalls(): ToolCall[] {
    return [...this.#entries.values()].filter(
      message => message.role === 'toolCall' && !this.#entries.has(`result ${message.id}`),
    ) as (Message & ToolCall)[]
  }

  textOf(item: string): string {
    const message = this.#entries.get(item)
    return message && 'text' in message ? message.text : ''
  }

  forget(item: string): void {
    this.#entries.delete(item)
  }

  /** With a result for each call: models want them in pairs. What nobody said a word of is left out. */
  get entries(): (readonly [key: string, message: Message])[] {
    return [...this.#entries].filter(([, message]) => {
      if (message.role === 'toolCall') return this.#entries.has(`result ${message.id}`)
      return !('text' in message) || message.text.trim() !== ''
    })
  }

  #newKey(): string {
    this.#count += 1
    return `message_${this.#count}`
  }

  /** One that is known keeps its place. */
  #set(key: string, message: Message): void {
    this.#entries.set(key, message)
    if (this.#entries.size > limits.openai.remembered) this.#entries.delete(this.#entries.keys().next().value!)
  }
}
