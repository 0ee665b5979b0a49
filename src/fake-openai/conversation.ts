import type { Message, ToolResult } from '../agent/ports.ts'
import type { Item } from '../providers/openai/protocol.ts'

/** A thing said or done, as the conversation holds it. */
export interface Entry {
  readonly id: string
  message: Message
  /** Of what is said in sound: the words of each piece that was sent. */
  readonly parts: { readonly text: string; readonly ms: number }[]
}

/** Of a name that a client gives. https://github.com/livekit/agents/issues/1717 */
const itemId = /^[a-zA-Z0-9_-]+$/

/** The oldest is forgotten, as a model's memory is bounded. */
const KEPT = 500

/** The conversation of one session. What a client may not do with it is told as the problem's code. */
export class Conversation {
  readonly #entries: Entry[] = []

  get messages(): Message[] {
    return this.#entries.map(({ message }) => message).filter(message => !('text' in message) || message.text !== '')
  }

  get lastId(): string | null {
    return this.#entries.at(-1)?.id ?? null
  }

  add(id: string, message: Message): Entry {
    const entry: Entry = { id, message, parts: [] }
    this.#entries.push(entry)
    if (this.#entries.length > KEPT) this.#entries.shift()
    return entry
  }

  has(id: string): boolean {
    return this.#entries.some(entry => entry.id === id)
  }

  create(id: string, item: Item): string | undefined {
    if (this.has(id)) return 'item_create_duplicate_id'
    if (!itemId.test(id)) return 'invalid_value'
    const message = this.#messageOf(item)
    if (!message) return 'invalid_value'
    this.add(id, message)
    return undefined
  }

  delete(id: string): string | undefined {
    const index = this.#entries.findIndex(entry => entry.id === id)
    if (index < 0) return 'item_delete_invalid_item_id'
    this.#entries.splice(index, 1)
    return undefined
  }

  /** In whole milliseconds, and never beyond the sound that was sent. */
  truncate(id: string, audioEndMs: number): string | undefined {
    const entry = this.#entries.find(each => each.id === id)
    if (entry?.message.role !== 'agent' || entry.parts.length === 0) return 'item_truncate_invalid_item_id'
    const sentMs = entry.parts.reduce((sum, { ms }) => sum + ms, 0)
    if (!Number.isInteger(audioEndMs) || audioEndMs < 0 || audioEndMs > sentMs) return 'invalid_audio_end_ms'
    entry.message = { role: 'agent', text: wordsWithin(entry, audioEndMs), interrupted: true }
    return undefined
  }

  #messageOf(item: Item): Message | undefined {
    if (item.type === 'function_call') {
      return { role: 'toolCall', id: item.call_id ?? '', name: item.name, args: JSON.parse(item.arguments) }
    }
    if (item.type === 'function_call_output') return this.#resultOf(item.call_id, item.output)
    if (!('role' in item)) return undefined
    const text = item.content.map(part => ('text' in part ? (part.text ?? '') : '')).join('')
    if (item.role === 'user') return { role: 'caller', text }
    if (item.role === 'assistant') return { role: 'agent', text, interrupted: false }
    return { role: 'instruction', text }
  }

  #resultOf(id: string, output: string): Message | undefined {
    const call = this.#entries.find(({ message }) => message.role === 'toolCall' && message.id === id)?.message
    if (call?.role !== 'toolCall') return undefined
    return { role: 'toolResult', id, name: call.name, result: JSON.parse(output) as ToolResult }
  }
}

function wordsWithin({ parts }: Entry, ms: number): string {
  let leftMs = ms
  let text = ''
  for (const part of parts) {
    leftMs -= part.ms
    if (leftMs < 0) break
    text += part.text
  }
  return text.trim()
}
