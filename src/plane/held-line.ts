import { isIPv4 } from 'node:net'
import { asError, GatewayError } from '../errors.ts'
import type { AudioSink, FrameKind, Law } from '../media/audio.ts'
import { converterTo } from '../media/convert.ts'
import type { Address, Heard, Line, LineEvent, LineFigures, SpokenChunk } from './line.ts'
import type { Direction, FromPlane, ToPlane } from './protocol.ts'

interface Way {
  readonly post: (message: ToPlane, transfer?: readonly ArrayBuffer[]) => void
  readonly closed: () => void
}

/** A line as its call holds it; the audio itself is on the other side. */
export class HeldLine implements Line {
  readonly law: Law
  readonly local: Address
  readonly #id: number
  readonly #way: Way
  readonly #sinks: Record<Direction, Set<AudioSink>> = { received: new Set(), sent: new Set() }
  readonly #listeners = new Set<(event: LineEvent) => void>()
  readonly #cancels = new Map<number, (heard: Heard[]) => void>()
  readonly #questions = new Map<number, PromiseWithResolvers<LineFigures>>()
  readonly #closed = Promise.withResolvers<void>()
  #tickets = 0
  #open = true

  constructor(id: number, law: Law, local: Address, way: Way) {
    this.#id = id
    this.law = law
    this.local = local
    this.#way = way
  }

  connect(peer: Address): void {
    const { address, port } = peer
    if (!isIPv4(address) || !Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new GatewayError('MEDIA_FAILED', `The far end's media address cannot be sent to: ${address}, port ${port}.`)
    }
    this.#post({ kind: 'connect', line: this.#id, peer })
  }

  speak(chunk: SpokenChunk): void {
    // A copy, handed over whole: the sender may use its buffer again. Not `slice`, which on a Buffer is but a view.
    const audio = new Uint8Array(chunk.audio)
    this.#post({ kind: 'speak', line: this.#id, chunk: { ...chunk, audio } }, [audio.buffer])
  }

  pause(): void {
    this.#post({ kind: 'pause', line: this.#id })
  }

  resume(): void {
    this.#post({ kind: 'resume', line: this.#id })
  }

  cancel(): Promise<Heard[]> {
    if (!this.#open) return Promise.resolve([])
    const ticket = ++this.#tickets
    return new Promise(resolve => {
      this.#cancels.set(ticket, resolve)
      this.#post({ kind: 'cancel', line: this.#id, ticket })
    })
  }

  hear(sink: AudioSink): () => void {
    return this.#listen('received', sink)
  }

  tap(sink: AudioSink): () => void {
    return this.#listen('sent', sink)
  }

  record(take: number, order: unknown): boolean {
    this.#post({ kind: 'record', line: this.#id, take, order })
    return this.#open
  }

  capture(take: number, order: unknown): boolean {
    this.#post({ kind: 'capture', line: this.#id, take, order })
    return this.#open
  }

  recordNoMore(take: number): void {
    this.#post({ kind: 'recordNoMore', line: this.#id, take })
  }

  digitReleased(heldMs: number): void {
    this.#post({ kind: 'digitReleased', line: this.#id, heldMs })
  }

  onEvent(listener: (event: LineEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  figures(): Promise<LineFigures> {
    const question = Promise.withResolvers<LineFigures>()
    if (this.#open) {
      const ticket = ++this.#tickets
      this.#questions.set(ticket, question)
      this.#post({ kind: 'stats', line: this.#id, ticket })
    } else question.reject(new GatewayError('MEDIA_FAILED', 'The line is closed.'))
    return question.promise
  }

  close(): Promise<void> {
    if (this.#open) {
      this.#post({ kind: 'close', line: this.#id })
      this.#end('the line is closed')
    }
    return this.#closed.promise
  }

  receive(message: Exclude<FromPlane, { kind: 'opened' | 'refused' | 'frames' }>): void {
    switch (message.kind) {
      case 'heard':
        this.#cancels.get(message.ticket)?.(message.heard)
        this.#cancels.delete(message.ticket)
        return
      case 'stats':
        this.#questions.get(message.ticket)?.resolve(message.figures)
        this.#questions.delete(message.ticket)
        return
      case 'happened':
        return this.#tell(message.event)
      case 'closed':
        this.#way.closed()
        return this.#closed.resolve()
    }
  }

  deliver(direction: Direction, audio: Uint8Array, timeMs: number, kind: FrameKind): void {
    for (const sink of this.#sinks[direction]) sink.write(audio, timeMs, kind)
  }

  /** For this call nothing will work any more; the line is still to be closed. */
  fail(message: string): void {
    for (const direction of ['received', 'sent'] as const) this.#sinks[direction].clear()
    this.#tell({ kind: 'failed', message })
  }

  /** The other side is gone: nobody will answer. */
  abandon(why: string): void {
    if (this.#open) this.#tell({ kind: 'failed', message: why })
    this.#end(why)
    this.#way.closed()
    this.#closed.resolve()
  }

  #listen(direction: Direction, sink: AudioSink): () => void {
    const sinks = this.#sinks[direction]
    const converter = converterTo(sink, { encoding: this.law, rate: 8_000 })
    if (sinks.size === 0) this.#post({ kind: 'listen', line: this.#id, to: direction, on: true })
    sinks.add(converter)
    return () => {
      if (sinks.delete(converter) && sinks.size === 0) {
        this.#post({ kind: 'listen', line: this.#id, to: direction, on: false })
      }
    }
  }

  #tell(event: LineEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }

  #end(why: string): void {
    this.#open = false
    for (const direction of ['received', 'sent'] as const) this.#sinks[direction].clear()
    this.#listeners.clear()
    for (const resolve of this.#cancels.values()) resolve([])
    this.#cancels.clear()
    const error = new GatewayError('MEDIA_FAILED', `The figures are lost: ${asError(why).message}.`)
    for (const question of this.#questions.values()) question.reject(error)
    this.#questions.clear()
  }

  #post(message: ToPlane, transfer?: readonly ArrayBuffer[]): void {
    if (this.#open) this.#way.post(message, transfer)
  }
}
