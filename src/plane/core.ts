import type { Clock } from '../clock.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { FrameKind, Law } from '../media/audio.ts'
import { Wheel } from '../media/wheel.ts'
import { AudioLine } from './audio-line.ts'
import { FrameCollector } from './frames.ts'
import type { Direction, FromPlane, ToPlane } from './protocol.ts'
import { type OpenSocket, openOutside, type PortRange } from './sockets.ts'
import { Takes } from './takes.ts'

export interface CorePorts {
  readonly clock: Clock
  readonly random: () => number
  readonly openSocket: OpenSocket
  /** Asterisk's own ports: never one of ours. */
  readonly forbiddenPorts: PortRange
  /** Runs when this turn of the loop has done its work. */
  readonly afterTurn: (run: () => void) => void
  readonly post: (message: FromPlane) => void
  /** How many frames the main thread has taken so far; counts on over the end of 32 bits. */
  readonly taken: () => number
}

type ToLine = Exclude<ToPlane, { kind: 'open' | 'recordTo' }>

interface Entry {
  readonly law: Law
  /** What is recorded of it, and what is captured. */
  take: number | undefined
  capture: number | undefined
  readonly listened: Record<Direction, boolean>
  shedFrames: number
  /** Not before its socket is open. */
  audio: AudioLine | undefined
}

/** The media thread without its thread: messages in, messages out, sockets and time as they are given. */
export class PlaneCore {
  readonly #ports: CorePorts
  readonly #wheel: Wheel
  readonly #lines = new Map<number, Entry>()
  readonly #collector = new FrameCollector()
  readonly #takes: Takes
  #flushing = false
  /** Frames handed to the main thread so far. */
  #handed: number
  #listeners = 0

  constructor(ports: CorePorts) {
    this.#ports = ports
    this.#handed = ports.taken()
    this.#wheel = new Wheel(ports.clock)
    this.#takes = new Takes(ports.clock, ports.afterTurn)
  }

  get lineCount(): number {
    return this.#lines.size
  }

  receive(message: ToPlane): void {
    if (message.kind === 'open') return void this.#open(message.line, message.law)
    if (message.kind === 'recordTo') return this.#takes.goBy(message.way)
    const entry = this.#lines.get(message.line)
    if (entry) this.#receiveGuarded(entry, message)
    // A line that is gone still answers, so that nobody waits for it.
    else if (message.kind === 'close') this.#ports.post({ kind: 'closed', line: message.line })
    else if (message.kind === 'cancel') this.#ports.post({ ...message, kind: 'heard', heard: [] })
  }

  #receiveGuarded(entry: Entry, message: ToLine): void {
    try {
      this.#receiveFor(entry, message)
    } catch (error) {
      entry.audio?.fail(asError(error).message)
    }
  }

  #receiveFor(entry: Entry, message: ToLine): void {
    const { line } = message
    const { audio } = entry
    switch (message.kind) {
      case 'connect':
        return audio?.connect(message.peer)
      case 'speak':
        return audio?.speak(message.chunk)
      case 'pause':
        return audio?.pause()
      case 'resume':
        return audio?.resume()
      case 'digitReleased':
        return audio?.digitReleased(message.heldMs)
      case 'cancel':
        return this.#ports.post({ kind: 'heard', line, ticket: message.ticket, heard: audio?.cancel() ?? [] })
      case 'stats':
        return this.#tellFigures(line, entry, message.ticket)
      case 'listen':
        return this.#listen(entry, message.to, message.on)
      case 'record':
        return this.#record(entry, message.take, message.order)
      case 'capture':
        return this.#capture(entry, message.take, message.order)
      case 'recordNoMore':
        return this.#recordNoMore(entry, message.take)
      case 'close':
        return this.#close(line, entry)
    }
  }

  async #open(line: number, law: Law): Promise<void> {
    const refuse = (message: string) => this.#ports.post({ kind: 'refused', line, message })
    if (this.#lines.size >= limits.media.lines)
      return refuse(`the media thread carries no more than ${limits.media.lines} lines`)
    const listened = { received: false, sent: false }
    const entry: Entry = { law, take: undefined, capture: undefined, listened, shedFrames: 0, audio: undefined }
    this.#lines.set(line, entry)
    try {
      const socket = await openOutside(this.#ports.forbiddenPorts, this.#ports.openSocket, {
        received: (datagram, address, port) => entry.audio?.received(datagram, address, port),
        failed: message => entry.audio?.fail(message),
      })
      // Closed while its socket was being opened.
      if (this.#lines.get(line) !== entry) return socket.close()
      entry.audio = new AudioLine(law, socket, {
        clock: this.#ports.clock,
        wheel: this.#wheel,
        random: this.#ports.random,
        onFrame: (audio, timeMs, kind) => this.#collect(line, entry, 'received', audio, timeMs, kind),
        onSent: (audio, timeMs) => this.#collect(line, entry, 'sent', audio, timeMs, 'heard'),
        onEvent: event => this.#ports.post({ kind: 'happened', line, event }),
      })
      this.#ports.post({ kind: 'opened', line, local: socket.local })
    } catch (error) {
      this.#lines.delete(line)
      refuse(asError(error).message)
    }
  }

  #tellFigures(line: number, { audio, shedFrames }: Entry, ticket: number): void {
    if (audio) this.#ports.post({ kind: 'stats', line, ticket, figures: { ...audio.figures(), shedFrames } })
  }

  #close(line: number, entry: Entry): void {
    this.#lines.delete(line)
    for (const direction of ['received', 'sent'] as const) this.#listen(entry, direction, false)
    entry.audio?.close()
    for (const take of [entry.take, entry.capture]) if (take !== undefined) this.#recordNoMore(entry, take)
    this.#ports.post({ kind: 'closed', line })
  }

  /** One at a time: what was recorded of the line before has ended. */
  #record(entry: Entry, take: number, order: unknown): void {
    if (entry.take !== undefined) this.#recordNoMore(entry, entry.take)
    entry.take = take
    const listener = this.#takes.begin(take, entry.law, order)
    if (entry.audio) entry.audio.record(listener)
    else this.#recordNoMore(entry, take)
  }

  /** One at a time, too. */
  #capture(entry: Entry, take: number, order: unknown): void {
    if (entry.capture !== undefined) this.#recordNoMore(entry, entry.capture)
    entry.capture = take
    const listener = this.#takes.capture(take, entry.law, order)
    if (entry.audio) entry.audio.capture(listener)
    else this.#recordNoMore(entry, take)
  }

  #recordNoMore(entry: Entry, take: number): void {
    if (entry.take === take) {
      entry.take = undefined
      entry.audio?.recordNoMore()
    } else if (entry.capture === take) {
      entry.capture = undefined
      entry.audio?.capture(undefined)
    } else return
    this.#takes.end(take)
  }

  #listen(entry: Entry, direction: Direction, on: boolean): void {
    if (entry.listened[direction] === on) return
    entry.listened[direction] = on
    this.#listeners += on ? 1 : -1
  }

  #collect(line: number, entry: Entry, direction: Direction, audio: Uint8Array, timeMs: number, kind: FrameKind): void {
    if (!entry.listened[direction]) return
    // The main thread does not keep up: what it would hear seconds later is of no use to it.
    if (this.#untaken + this.#collector.count >= limits.media.pendingFrames * this.#listeners) {
      entry.shedFrames += 1
      return
    }
    this.#collector.add(line, direction, audio, timeMs, kind)
    if (this.#flushing) return
    this.#flushing = true
    this.#ports.afterTurn(() => this.#flush())
  }

  /** Frames on their way to the main thread, or waiting there. */
  get #untaken(): number {
    return (this.#handed - this.#ports.taken()) | 0
  }

  #flush(): void {
    this.#flushing = false
    this.#handed += this.#collector.count
    this.#ports.post({ kind: 'frames', batch: this.#collector.take() })
  }
}
