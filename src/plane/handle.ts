import type { Transferable } from 'node:worker_threads'
import { asError, GatewayError } from '../errors.ts'
import type { Law } from '../media/audio.ts'
import { forEachFrame, frameCount } from './frames.ts'
import { HeldLine } from './held-line.ts'
import type { Line, Plane } from './line.ts'
import type { FromPlane, ToPlane } from './protocol.ts'
import type { RecorderWay } from './takes.ts'

/** The way to a core: another thread, or the same one. */
export interface CoreLink {
  post(message: ToPlane, transfer?: readonly Transferable[]): void
  /** So many frames have been taken: room for as many more. */
  took(frames: number): void
  end(): Promise<void>
}

export type ConnectCore = (receive: (message: FromPlane) => void, died: (why: string) => void) => CoreLink

/**
 * The media thread as the main thread holds it. One that dies takes its lines with it, and another is started: at once
 * when it had worked, else with the next line, so that one that cannot start is not started for ever.
 */
export class PlaneHandle implements Plane {
  readonly #connectCore: ConnectCore
  readonly #onTrouble: (text: string) => void
  readonly #lines = new Map<number, HeldLine>()
  readonly #opening = new Map<number, PromiseWithResolvers<Line>>()
  readonly #laws = new Map<number, Law>()
  #link: CoreLink | undefined
  #recorderWay: (() => RecorderWay) | undefined
  #lastLine = 0
  #closed = false

  constructor(connectCore: ConnectCore, onTrouble: (text: string) => void) {
    this.#connectCore = connectCore
    this.#onTrouble = onTrouble
    this.#link = this.#connect()
  }

  get alive(): boolean {
    return this.#link !== undefined
  }

  get lineCount(): number {
    return this.#lines.size
  }

  open(law: Law): Promise<Line> {
    if (this.#closed) return Promise.reject(new GatewayError('MEDIA_FAILED', 'The media thread has been closed.'))
    this.#link ??= this.#connect()
    const line = ++this.#lastLine
    const opening = Promise.withResolvers<Line>()
    this.#opening.set(line, opening)
    this.#laws.set(line, law)
    this.#link.post({ kind: 'open', line, law })
    return opening.promise
  }

  /** Makes the way by which the media thread hands over what it records: now, and again for each that is started. */
  recordTo(way: () => RecorderWay): void {
    this.#recorderWay = way
    this.#postRecorderWay(this.#link)
  }

  #postRecorderWay(link: CoreLink | undefined): void {
    const way = link && this.#recorderWay?.()
    if (way) link.post({ kind: 'recordTo', way }, [way.port as Transferable])
  }

  async close(): Promise<void> {
    this.#closed = true
    const link = this.#link
    this.#link = undefined
    this.#abandon('the media thread has been closed')
    await link?.end()
  }

  #connect(): CoreLink {
    let worked = false
    const link = this.#connectCore(
      message => {
        worked = true
        this.#receive(message)
      },
      why => {
        if (this.#link !== link) return
        this.#link = worked ? this.#connect() : undefined
        this.#onTrouble(`The media thread ended (${why}): its calls are handed back, and it is started again.`)
        this.#abandon(why)
      },
    )
    this.#postRecorderWay(link)
    return link
  }

  #receive(message: FromPlane): void {
    switch (message.kind) {
      case 'frames':
        return this.#deliver(message)
      case 'opened': {
        const line = new HeldLine(message.line, this.#laws.get(message.line)!, message.local, {
          post: (toPlane, transfer) => this.#link?.post(toPlane, transfer),
          closed: () => this.#lines.delete(message.line),
        })
        this.#lines.set(message.line, line)
        return this.#settleOpening(message.line)?.resolve(line)
      }
      case 'refused':
        return this.#settleOpening(message.line)?.reject(
          new GatewayError('MEDIA_FAILED', `No line could be opened: ${message.message}.`),
        )
      default:
        return this.#lines.get(message.line)?.receive(message)
    }
  }

  #settleOpening(line: number): PromiseWithResolvers<Line> | undefined {
    const opening = this.#opening.get(line)
    this.#opening.delete(line)
    this.#laws.delete(line)
    return opening
  }

  #deliver({ batch }: Extract<FromPlane, { kind: 'frames' }>): void {
    forEachFrame(batch, (line, direction, audio, timeMs, kind) => {
      try {
        this.#lines.get(line)?.deliver(direction, audio, timeMs, kind)
      } catch (error) {
        // One call's listener must not cost the others their frames.
        this.#lines.get(line)?.fail(`a listener failed: ${asError(error).message}`)
      }
    })
    this.#link?.took(frameCount(batch))
  }

  #abandon(why: string): void {
    for (const line of [...this.#opening.keys()]) {
      this.#settleOpening(line)?.reject(new GatewayError('MEDIA_FAILED', `No line could be opened: ${why}.`))
    }
    for (const line of [...this.#lines.values()]) line.abandon(why)
  }
}
