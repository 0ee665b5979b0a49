import type { Pace } from '../../agent/captions.ts'
import type { ConversantEvent } from '../../agent/ports.ts'
import { limits } from '../../limits.ts'
import type { Law } from '../../media/audio.ts'
import { Recoding } from '../../media/recode.ts'
import { type Memory, Said } from './items.ts'
import type { ServerEvent, ServerEventOf } from './protocol.ts'
import type { Responses } from './responses.ts'
import { PCM_RATE } from './session.ts'

interface SpeakingParts {
  readonly responses: Responses
  readonly memory: Memory
  readonly pace: Pace
  readonly law: Law
  readonly tell: (event: ConversantEvent) => void
  /** On the server, as if it had never been. */
  readonly remove: (item: string) => void
}

/** Bytes of G.711. */
const BYTES_PER_MS = 8

/** What the model gives: what it says as sound in the call's law, and what it wants to have done. */
export class Speaking {
  /** The session speaks PCM. */
  pcm = false
  readonly #with: SpeakingParts
  readonly #said = new Map<string, Said>()
  readonly #recodings = new Map<string, Recoding>()
  readonly #toldCalls = new Set<string>()

  constructor(parts: SpeakingParts) {
    this.#with = parts
  }

  get(item: string): Said | undefined {
    return this.#said.get(item)
  }

  happened(event: ServerEvent): void {
    switch (event.type) {
      case 'response.output_item.added':
        return this.#itemAdded(event)
      case 'response.output_audio_transcript.delta':
        return this.#saidOf(event)?.words(event.delta)
      case 'response.output_audio_transcript.done':
        return this.#saidOf(event)?.allWords(event.transcript)
      case 'response.output_audio.delta':
        return this.#audio(event)
      case 'response.output_item.done':
        return this.#itemDone(event)
      case 'response.function_call_arguments.done':
        return this.#toolCall(event.response_id, event.item_id, event.call_id, event.name, event.arguments)
    }
  }

  /** Nothing more of this response will come: what has come is all of it. */
  over(response: string): void {
    for (const [item, said] of this.#said) if (said.response === response) this.#saidAll(item)
    this.#recodings.clear()
  }

  /** The words of this response whose sound has come. */
  toldIn(response: string): string {
    const items = [...this.#said.values()].filter(said => said.response === response)
    return items
      .map(({ parts }) => parts.told)
      .join(' ')
      .trim()
  }

  /** The connection was lost in the middle of this response: which of its words have a sound, and which have none. */
  brokenOff(response: string | undefined): { told: string; untold: string } {
    let [told, untold] = ['', '']
    for (const [item, said] of this.#said) {
      if (said.response !== response || said.ended) continue
      told += said.parts.told
      untold += said.parts.untold
      said.ended = true
      this.#with.tell({ kind: 'audioEnded', item })
    }
    this.#recodings.clear()
    return { told, untold }
  }

  #itemAdded({ item, response_id }: ServerEventOf<'response.output_item.added'>): void {
    if (!('role' in item && item.role === 'assistant') || item.id === undefined) return
    this.#saidOf({ item_id: item.id, response_id })
  }

  /** What nobody wants any more and nobody has heard is as if it had never been said. */
  #saidOf({ item_id, response_id }: { item_id: string; response_id: string }): Said | undefined {
    const { responses, memory, pace, remove } = this.#with
    const wanted = responses.wants(response_id)
    const known = this.#said.get(item_id)
    if (known) return wanted ? known : undefined
    const said = new Said(response_id, pace)
    this.#said.set(item_id, said)
    if (this.#said.size > limits.agent.items) this.#said.delete(this.#said.keys().next().value!)
    if (wanted) memory.agent(item_id, '', false)
    else remove(item_id)
    return wanted ? said : undefined
  }

  #audio(event: ServerEventOf<'response.output_audio.delta'>): void {
    const said = this.#saidOf(event)
    if (!said) return
    const audio = this.#inLaw(event.item_id, Buffer.from(event.delta, 'base64'))
    this.#with.responses.gave(event.response_id)
    this.#tell(event.item_id, said, audio)
  }

  #tell(item: string, said: Said, audio: Uint8Array): void {
    const text = said.heard(audio.length / BYTES_PER_MS)
    this.#with.memory.agent(item, said.parts.told, false)
    this.#with.tell({ kind: 'audio', item, audio, text })
  }

  #inLaw(item: string, audio: Uint8Array): Uint8Array {
    if (!this.pcm) return audio
    let recoding = this.#recodings.get(item)
    if (!recoding) {
      recoding = new Recoding({ encoding: 'pcm16', rate: PCM_RATE }, this.#with.law)
      this.#recodings.set(item, recoding)
    }
    return recoding.process(audio)
  }

  #itemDone({ item, response_id }: ServerEventOf<'response.output_item.done'>): void {
    if (item.type === 'function_call') {
      return this.#toolCall(response_id, item.id, item.call_id ?? '', item.name, item.arguments)
    }
    if (item.id !== undefined) this.#saidAll(item.id)
  }

  #saidAll(item: string): void {
    const { responses, memory, tell, remove } = this.#with
    const said = this.#said.get(item)
    if (!said || said.ended || !responses.wants(said.response)) return
    const left = this.#recodings.get(item)?.flush()
    if (left) this.#tell(item, said, left)
    // Words without a sound are words that nobody hears.
    if (said.receivedMs === 0) {
      said.ended = true
      return remove(item)
    }
    tell({ kind: 'audio', item, audio: new Uint8Array(0), text: said.end() })
    memory.agent(item, said.parts.told, false)
    tell({ kind: 'audioEnded', item })
  }

  /** Told once, by whichever event has its name. One that nobody waits for has never been made. */
  #toolCall(response: string, item: string | undefined, id: string, name: string | undefined, json: string): void {
    const { responses, memory, tell, remove } = this.#with
    if (name === undefined || this.#toldCalls.has(id)) return
    this.#toldCalls.add(id)
    if (this.#toldCalls.size > limits.agent.toolResults) this.#toldCalls.delete(this.#toldCalls.keys().next().value!)
    if (!responses.wants(response)) {
      if (item !== undefined) remove(item)
      return
    }
    responses.gave(response)
    const call = { id, name, args: parsed(json) }
    memory.calls(call)
    tell({ kind: 'toolCall', ...call })
  }
}

/** What is no JSON is left to the tool to refuse, in words. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return json
  }
}
