import { limits } from '../limits.ts'
import type { Message, SettledTransfer, ToolCall, ToolResult } from './ports.ts'
import type { Utterance } from './speech.ts'

type Entry =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'said'; readonly utterance: Utterance }

/** One turn: what the caller said, what was done about it, and what the caller has heard of our answer. */
export class Turn {
  readonly caller: string
  readonly #entries: Entry[] = []
  readonly #openCalls = new Map<string, string>()

  constructor(caller: string) {
    this.caller = caller
    if (caller !== '') this.#add({ role: 'caller', text: caller })
  }

  /** It is cause for a reply by itself. */
  isTold(text: string, transfer: SettledTransfer): void {
    this.#add({ role: 'instruction', text, transfer })
  }

  says(utterance: Utterance): void {
    if (utterance.kind === 'speech') this.#entries.push({ kind: 'said', utterance })
  }

  calls({ id, name, args }: ToolCall): void {
    this.#openCalls.set(id, name)
    this.#add({ role: 'toolCall', id, name, args })
  }

  results({ id, name }: ToolCall, result: ToolResult): void {
    this.#openCalls.delete(id)
    this.#add({ role: 'toolResult', id, name, result })
  }

  /** For the reply that is being made: what it says counts as said. */
  get underWay(): Message[] {
    return this.#messages(({ text, heard }) => spoken(heard?.text ?? text, false))
  }

  /** For every later reply: what was heard, and nothing else. */
  get heard(): Message[] {
    const messages = this.#messages(({ heard }) => spoken(heard?.text ?? '', heard?.complete === false))
    // A call without a result is one that nobody waits for any more; models want them in pairs.
    const problem = 'The caller interrupted before there was a result.'
    for (const [id, name] of this.#openCalls) {
      messages.push({ role: 'toolResult', id, name, result: { ok: false, problem } })
    }
    return messages
  }

  #messages(said: (utterance: Utterance) => Message[]): Message[] {
    return this.#entries.flatMap(entry => (entry.kind === 'said' ? said(entry.utterance) : [entry.message]))
  }

  #add(message: Message): void {
    this.#entries.push({ kind: 'message', message })
  }
}

function spoken(text: string, interrupted: boolean): Message[] {
  const heard = text.trim()
  return heard === '' ? [] : [{ role: 'agent', text: heard, interrupted }]
}

/** The turns that both sides know of; the oldest are forgotten. */
export class History {
  readonly #turns: Turn[] = []

  add(turn: Turn): void {
    this.#turns.push(turn)
    if (this.#turns.length > limits.agent.historyTurns) this.#turns.shift()
  }

  /** As it is for one who replies to `current`, which may be among the turns already. */
  before(current: Turn): Message[] {
    return this.#turns.filter(turn => turn !== current).flatMap(turn => turn.heard)
  }
}
