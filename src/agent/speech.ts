import type { Heard, Line, LineEvent, SpokenChunk, UtteranceId } from '../call/ports.ts'
import { type Clock, within } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'

/** A filler bridges a wait, and so does ringing: neither is an answer nor part of the conversation. */
export type UtteranceKind = 'speech' | 'filler' | 'ringing'

/** One thing that the agent says, while it is being made, spoken and heard. */
export class Utterance {
  readonly kind: UtteranceKind
  readonly #write: (audio: Uint8Array, text: string, last: boolean) => void
  readonly #closed: () => void
  #text = ''
  #open = true
  #sent = false
  /** Of the parts of it that are over. */
  #parts: Heard = { utterance: 0, text: '', ms: 0, complete: false }
  readonly #over = Promise.withResolvers<Heard>()
  /** Once it is over: what the caller has heard of it. */
  heard: Heard | undefined

  constructor(
    kind: UtteranceKind,
    write: (audio: Uint8Array, text: string, last: boolean) => void,
    closed: () => void,
  ) {
    this.kind = kind
    this.#write = write
    this.#closed = closed
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
    this.cut()
  }

  cut(): void {
    this.#open = false
    this.#closed()
  }

  /** Settles with what was heard of it. */
  get over(): Promise<Heard> {
    return this.#over.promise
  }

  heardMore({ utterance, text, ms, complete }: Heard): void {
    this.#parts = { utterance, text: this.#parts.text + text, ms: this.#parts.ms + ms, complete }
  }

  /** Nothing more of it will be heard. */
  finish(complete: boolean): Heard {
    this.heard = { ...this.#parts, complete }
    this.#over.resolve(this.heard)
    return this.heard
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

const BYTES_PER_MS = 8

/** Those of a line rise, whoever speaks on it after whom. */
const lastIds = new WeakMap<Line, UtteranceId>()

/**
 * What the agent says, on its way to the caller. Until it is released nothing leaves, so that no first word is lost. What
 * runs dry in mid-sentence rests: for the line that part of it is over, so that something else may be heard meanwhile, and
 * what comes of it after all goes on as another part.
 */
export class Speech {
  readonly #line: Line
  readonly #clock: Clock
  readonly #listener: SpeechListener
  /** Handed over and not over yet. */
  readonly #unfinished = new Map<UtteranceId, Utterance>()
  /** What tells the line that a part of it is over. */
  readonly #open = new Map<Utterance, () => void>()
  readonly #resting = new Set<Utterance>()
  readonly #ready = Promise.withResolvers<void>()
  #held: SpokenChunk[] | undefined = []
  #paused = false
  #holds = 0
  #settled: Promise<unknown> = Promise.resolve()
  /** All that was handed over will have been heard by then, unless a pause holds it up. */
  #drainsMs = 0
  #pausedMs: number | undefined
  #cancelWatch: (() => void) | undefined

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
    for (const chunk of held) this.#handOver(chunk)
  }

  utterance(kind: UtteranceKind): Utterance {
    let id: UtteranceId | undefined
    const write = (audio: Uint8Array, text: string, last: boolean) => {
      // A filler that comes too late would be heard behind what it was to bridge.
      if (id === undefined && kind === 'filler' && this.pending) return utterance.cut()
      if (id === undefined) {
        // Not before there is audio: the line wants identifiers that rise.
        id = (lastIds.get(this.#line) ?? 0) + 1
        lastIds.set(this.#line, id)
        this.#unfinished.set(id, utterance)
        this.#resting.delete(utterance)
        this.#ready.resolve()
      }
      const chunk = { utterance: id, audio, text, last }
      if (this.#held) this.#held.push(chunk)
      else this.#handOver(chunk)
    }
    const rest = () => {
      if (id === undefined) return
      this.#resting.add(utterance)
      this.#line.speak({ utterance: id, audio: new Uint8Array(0), text: '', last: true })
      id = undefined
    }
    const utterance = new Utterance(kind, write, () => this.#closed(utterance))
    this.#open.set(utterance, rest)
    return utterance
  }

  pause(): void {
    this.#paused = true
    this.#stop()
  }

  resume(): void {
    this.#paused = false
    this.#goOn()
  }

  /** Nothing of it is heard, whoever resumes it, until the returned function is called; then it goes on where it stopped. */
  hold(): () => void {
    this.#holds += 1
    this.#stop()
    return () => {
      this.#holds -= 1
      this.#goOn()
    }
  }

  #stop(): void {
    this.#pausedMs ??= this.#clock.now()
    this.#line.pause()
  }

  #goOn(): void {
    if (this.#paused || this.#holds > 0) return
    this.#drainsMs += this.#clock.now() - (this.#pausedMs ?? this.#clock.now())
    this.#pausedMs = undefined
    this.#line.resume()
    this.#watch()
  }

  #closed(utterance: Utterance): void {
    this.#open.delete(utterance)
    this.#resting.delete(utterance)
  }

  #handOver(chunk: SpokenChunk): void {
    const nowMs = this.#pausedMs ?? this.#clock.now()
    this.#drainsMs = Math.max(nowMs, this.#drainsMs) + chunk.audio.length / BYTES_PER_MS
    this.#line.speak(chunk)
    this.#watch()
  }

  /** One timer for all chunks: when it fires it looks whether more has come. */
  #watch(): void {
    if (this.#cancelWatch) return
    const waitMs = Math.max(0, this.#drainsMs + limits.agent.dryMs - this.#clock.now())
    this.#cancelWatch = this.#clock.after(waitMs, () => {
      this.#cancelWatch = undefined
      if (this.#pausedMs !== undefined || !this.pending) return
      if (this.#clock.now() < this.#drainsMs + limits.agent.dryMs) return this.#watch()
      for (const rest of this.#open.values()) rest()
    })
  }

  #stopWatching(): void {
    this.#cancelWatch?.()
    this.#cancelWatch = undefined
    this.#pausedMs = undefined
    this.#drainsMs = 0
  }

  /** Drops all that is unplayed and ends a pause; tells for how long what was cut had been heard. */
  cancel(): Promise<number> {
    const cut = new Map(this.#unfinished)
    const resting = new Set(this.#resting)
    for (const utterance of [...this.#open.keys(), ...cut.values()]) utterance.cut()
    this.#stopWatching()
    if (this.#held) this.#held = []
    this.#unfinished.clear()
    const heardMs = this.#settle(cut, resting)
    this.#paused = false
    if (this.#holds > 0) this.#stop()
    this.#settled = Promise.all([this.#settled, heardMs])
    return heardMs
  }

  async #settle(cut: Map<UtteranceId, Utterance>, resting: Set<Utterance>): Promise<number> {
    const late = () => new GatewayError('MEDIA_FAILED', 'The media thread did not tell in time what was heard.')
    // What finished before the line was told to cancel is told as an event, perhaps only now.
    const stop = this.#line.onEvent(event => event.kind === 'finished' && this.#over(cut, event.heard))
    const heard = await within(this.#clock, limits.agent.heardMs, this.#line.cancel(), late).catch(() => [])
    stop()
    const broken = new Set(resting)
    for (const each of heard) {
      const utterance = cut.get(each.utterance)
      if (utterance) broken.add(utterance)
      this.#over(cut, each)
    }
    for (const id of [...cut.keys()]) this.#over(cut, { utterance: id, text: '', ms: 0, complete: false })
    for (const utterance of resting) if (!utterance.heard) this.#listener.heard(utterance, utterance.finish(false))
    return [...broken].reduce((ms, { kind, heard }) => ms + (kind === 'speech' ? (heard?.ms ?? 0) : 0), 0)
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
    utterance.heardMore(heard)
    const moreMayCome = this.#resting.has(utterance) || [...among.values()].includes(utterance)
    if (!moreMayCome) this.#listener.heard(utterance, utterance.finish(heard.complete))
    return true
  }
}
