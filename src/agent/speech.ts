import type { Heard, Line, LineEvent, SpokenChunk, UtteranceId } from '../call/ports.ts'
import { type Clock, within } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'

/** A filler bridges a wait: it is neither an answer nor part of the conversation. */
export type UtteranceKind = 'speech' | 'filler'

/** One thing that the agent says, while it is being made, spoken and heard. */
export class Utterance {
  readonly kind: UtteranceKind
  readonly #write: (audio: Uint8Array, text: string, last: boolean) => void
  #text = ''
  #open = true
  #sent = false
  readonly #over = Promise.withResolvers<Heard>()
  /** Once it is over: what the caller has heard of it. */
  heard: Heard | undefined

  constructor(kind: UtteranceKind, write: (audio: Uint8Array, text: string, last: boolean) => void) {
    this.kind = kind
    this.#write = write
  }

  /** All that was to be said, heard or not. */
  get text(): string {
    return this.#text
  }

  get sent(): boolean {
    return this.#sent
  }

  get open(): boolean {
    return this.#open
  }

  /** Without effect on one that has ended or was cancelled: late audio never plays. */
  write(audio: Uint8Array, text: string): void {
    if (!this.#open || (audio.length === 0 && !this.#sent)) return
    this.#sent = true
    this.#text += text
    this.#write(audio, text, false)
  }

  end(): void {
    if (this.#open && this.#sent) this.#write(new Uint8Array(0), '', true)
    this.#open = false
  }

  cut(): void {
    this.#open = false
  }

  /** Settles with what was heard of it. */
  get over(): Promise<Heard> {
    return this.#over.promise
  }

  finish(heard: Heard): void {
    this.heard = heard
    this.#over.resolve(heard)
  }
}

interface SpeechListener {
  started(utterance: Utterance): void
  heard(utterance: Utterance, heard: Heard): void
  /** More of it was handed over than may wait to be heard: what came last is lost, and nothing more is taken. */
  overflowed(utterance: Utterance): void
  /** Nothing is left that could be heard. */
  quiet(): void
}

/** What the agent says, on its way to the caller. Until it is released nothing leaves, so that no first word is lost. */
export class Speech {
  readonly #line: Line
  readonly #clock: Clock
  readonly #listener: SpeechListener
  /** Handed over and not over yet. */
  readonly #unfinished = new Map<UtteranceId, Utterance>()
  readonly #open = new Set<Utterance>()
  readonly #ready = Promise.withResolvers<void>()
  #held: SpokenChunk[] | undefined = []
  #lastId = 0
  #paused = false
  #holds = 0
  #settled: Promise<unknown> = Promise.resolve()

  constructor(line: Line, clock: Clock, listener: SpeechListener) {
    this.#line = line
    this.#clock = clock
    this.#listener = listener
  }

  /** Follows the line; the returned function ends it. */
  attach(): () => void {
    return this.#line.onEvent(event => this.#onLineEvent(event))
  }

  /** The first audio is there. */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  get pending(): boolean {
    return this.#unfinished.size > 0
  }

  /** Of everything that was cancelled it is known what was heard. */
  get settled(): Promise<unknown> {
    return this.#settled
  }

  /** The caller can hear now. */
  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const chunk of held) this.#line.speak(chunk)
  }

  utterance(kind: UtteranceKind): Utterance {
    let id: UtteranceId | undefined
    const utterance = new Utterance(kind, (audio, text, last) => {
      // A filler that comes too late would be heard behind what it was to bridge.
      if (id === undefined && kind === 'filler' && this.pending) return utterance.cut()
      if (id === undefined) {
        // Not before there is audio: the line wants identifiers that rise.
        id = ++this.#lastId
        this.#unfinished.set(id, utterance)
        this.#ready.resolve()
      }
      if (last) this.#open.delete(utterance)
      const chunk = { utterance: id, audio, text, last }
      if (this.#held) this.#held.push(chunk)
      else this.#line.speak(chunk)
    })
    this.#open.add(utterance)
    return utterance
  }

  pause(): void {
    this.#paused = true
    this.#line.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#holds === 0) this.#line.resume()
  }

  /** Nothing of it is heard, whoever resumes it, until the returned function is called; then it goes on where it stopped. */
  hold(): () => void {
    this.#holds += 1
    this.#line.pause()
    return () => {
      this.#holds -= 1
      if (this.#holds === 0 && !this.#paused) this.#line.resume()
    }
  }

  /** Drops all that is unplayed and ends a pause; tells for how long what was cut had been heard. */
  cancel(): Promise<number> {
    for (const utterance of [...this.#open, ...this.#unfinished.values()]) utterance.cut()
    this.#open.clear()
    if (this.#held) this.#held = []
    const cut = new Map(this.#unfinished)
    this.#unfinished.clear()
    const heardMs = this.#settle(cut)
    this.#paused = false
    if (this.#holds > 0) this.#line.pause()
    this.#settled = Promise.all([this.#settled, heardMs])
    return heardMs
  }

  async #settle(cut: Map<UtteranceId, Utterance>): Promise<number> {
    const late = () => new GatewayError('MEDIA_FAILED', 'The media thread did not tell in time what was heard.')
    // What finished before the line was told to cancel is told as an event, perhaps only now.
    const stop = this.#line.onEvent(event => event.kind === 'finished' && this.#over(cut, event.heard))
    const heard = await within(this.#clock, limits.agent.heardMs, this.#line.cancel(), late).catch(() => [])
    stop()
    let ms = 0
    for (const each of heard) {
      if (cut.get(each.utterance)?.kind === 'speech') ms += each.ms
      this.#over(cut, each)
    }
    for (const id of [...cut.keys()]) this.#over(cut, { utterance: id, text: '', ms: 0, complete: false })
    return ms
  }

  #onLineEvent(event: LineEvent): void {
    switch (event.kind) {
      case 'started': {
        const utterance = this.#unfinished.get(event.utterance)
        if (utterance) this.#listener.started(utterance)
        return
      }
      case 'overflowed':
        return this.#overflowed(this.#unfinished.get(event.utterance))
      case 'finished':
        if (this.#over(this.#unfinished, event.heard) && !this.pending) this.#listener.quiet()
        return
      case 'failed':
        return
    }
  }

  #overflowed(utterance: Utterance | undefined): void {
    if (!utterance) return
    utterance.cut()
    this.#listener.overflowed(utterance)
  }

  #over(among: Map<UtteranceId, Utterance>, heard: Heard): boolean {
    const utterance = among.get(heard.utterance)
    if (!utterance) return false
    among.delete(heard.utterance)
    utterance.finish(heard)
    this.#listener.heard(utterance, heard)
    return true
  }
}
