import type { ConversantEvent } from '../../agent/ports.ts'
import { limits } from '../../limits.ts'
import type { Ears } from './ears.ts'
import type { Memory } from './items.ts'
import { endLateMsOf, type RealtimeOptions } from './options.ts'
import type { ServerEvent, ServerEventOf } from './protocol.ts'
import { usageOfWords } from './usage.ts'

interface SegmentsParts {
  readonly ears: Ears
  readonly options: RealtimeOptions
  readonly memory: Memory
  readonly tell: (event: ConversantEvent) => void
  /** On the server, as if it had never been. */
  readonly remove: (item: string) => void
}

interface Segment {
  readonly startMs: number
  /** With the silence that ended it. */
  untilMs: number
  text: string
  /** Or is being answered. */
  answered: 'as asked' | 'by the server' | undefined
}

/** What the caller says, as the server hears it: in segments that end with a silence. */
export class Segments {
  readonly #with: SegmentsParts
  readonly #segments = new Map<string, Segment>()
  /** Committed, neither written down nor replied to: only the session that has heard them knows what they say. */
  readonly #unwritten = new Map<string, Segment>()
  /** The item of the voice that is on. */
  #voice: string | undefined

  constructor(parts: SegmentsParts) {
    this.#with = parts
  }

  /** Nobody speaks, and what was said is known. */
  get quiet(): boolean {
    return this.#voice === undefined && this.#unwritten.size === 0
  }

  /** A reply to all of it is asked for. False when the server has replied to it by itself. */
  answered(): boolean {
    const segments = [...this.#segments.values()]
    const byServer = segments.at(-1)?.answered === 'by the server'
    for (const segment of segments) segment.answered ??= 'as asked'
    return !byServer
  }

  /** It replies of its own accord to all that it has. */
  answeredByServer(): void {
    for (const segment of this.#unwritten.values()) segment.answered = 'by the server'
  }

  /** A reply is being made: what it answers need not be heard again. */
  replied(): void {
    if (this.#unwritten.size === 0) return
    for (const [item, { answered }] of this.#unwritten) {
      if (answered || this.#with.options.serverAnswers) this.#known(item)
    }
  }

  /** The session is over: the next one hears anew what is not known. Tells whether there is any of it. */
  leave(): boolean {
    const { ears, tell } = this.#with
    if (this.#voice !== undefined) tell({ kind: 'speechStopped', atMs: ears.nowMs })
    const unknown = this.#unwritten.size > 0
    this.#voice = undefined
    this.#unwritten.clear()
    return unknown
  }

  /** Whether it is being heard is not known: what is not written down by then will be, or is heard anew. */
  keep(all: boolean): void {
    this.#with.ears.keep(all || !this.quiet)
  }

  happened(event: ServerEvent): void {
    switch (event.type) {
      case 'input_audio_buffer.speech_started':
        return this.#started(event)
      case 'input_audio_buffer.speech_stopped':
        return this.#stopped(event)
      case 'input_audio_buffer.committed':
        return this.#committed(event.item_id)
      case 'conversation.item.input_audio_transcription.delta':
        return this.#words(event.item_id, event.delta ?? '', false)
      case 'conversation.item.input_audio_transcription.completed':
        this.#with.tell({
          kind: 'used',
          model: this.#with.options.transcriptionModel,
          usage: usageOfWords(event.usage),
        })
        return this.#words(event.item_id, event.transcript, true)
      case 'conversation.item.input_audio_transcription.failed':
        return this.#known(event.item_id)
    }
  }

  #started({ item_id, audio_start_ms }: ServerEventOf<'input_audio_buffer.speech_started'>): void {
    const { ears, options, tell } = this.#with
    // What was kept from before the voice belongs to the segment, and is none of it.
    const startMs = ears.mediaTimeMs(audio_start_ms + options.prefixMs)
    this.#segments.set(item_id, { startMs, untilMs: startMs, text: '', answered: undefined })
    if (this.#segments.size > limits.agent.items) this.#segments.delete(this.#segments.keys().next().value!)
    this.#voice = item_id
    ears.keep(true)
    tell({ kind: 'speechStarted', atMs: startMs, endLateMs: endLateMsOf(options) })
  }

  #stopped({ item_id, audio_end_ms }: ServerEventOf<'input_audio_buffer.speech_stopped'>): void {
    this.#voiceEnded(item_id, this.#with.ears.mediaTimeMs(audio_end_ms))
  }

  #voiceEnded(item: string, untilMs: number): void {
    const { options, tell } = this.#with
    const segment = this.#segments.get(item)
    if (segment) segment.untilMs = untilMs
    this.#voice = undefined
    tell({ kind: 'speechStopped', atMs: Math.max(untilMs - endLateMsOf(options), segment?.startMs ?? 0) })
  }

  #committed(item: string): void {
    const { ears, memory, options, tell } = this.#with
    const wordsFollow = options.transcriptionModel !== ''
    const segment = this.#segments.get(item)
    // Not every server tells the end of a voice apart from that.
    if (this.#voice === item) this.#voiceEnded(item, ears.nowMs)
    memory.caller(item, '')
    if (segment) this.#unwritten.set(item, segment)
    if (this.#unwritten.size > limits.openai.unwritten) this.#known(this.#unwritten.keys().next().value!)
    if (!wordsFollow) this.#known(item)
    if (!options.serverAnswers) tell({ kind: 'committed', wordsFollow })
  }

  /** As well as it ever will be. */
  #known(item: string): void {
    const segment = this.#unwritten.get(item)
    if (!segment) return
    this.#unwritten.delete(item)
    this.#with.ears.forget(segment.untilMs)
    this.keep(false)
  }

  #words(item: string, text: string, final: boolean): void {
    const { memory, remove, tell } = this.#with
    if (final) this.#known(item)
    const segment = this.#segments.get(item)
    if (!segment) return
    segment.text = final ? text.trim() : segment.text + text
    if (segment.text.trim() !== '') {
      tell({ kind: 'words', final, text: segment.text.trim(), startMs: segment.startMs })
    } else if (final && !segment.answered) remove(item)
    if (final && segment.text !== '') memory.caller(item, segment.text)
  }
}
