import { unlessAborted } from '../../agent/iterate.ts'
import type { ConversantSession } from '../../agent/ports.ts'
import { type Clock, every, pause } from '../../clock.ts'
import type { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { failed, judgeOpening, namedError } from './failures.ts'
import type { RealtimeOptions } from './options.ts'
import { type ClientEvent, type Item, readEvent, type ServerEvent, type ServerEventOf } from './protocol.ts'
import { type Dialect, lawOf, namesOf, refusesLaw, sessionUpdate } from './session.ts'
import type { Dial, Wire } from './wire.ts'

export interface ConnectionListener {
  event(event: ServerEvent): void
  /** It has given no sign of life for so long, which may mean that it is lost. */
  absent(forMs: number): void
  /** It was not. */
  present(): void
  /** Once, and nothing after it. */
  lost(why: string): void
}

export interface ConnectionParts {
  readonly dial: Dial
  readonly address: URL
  readonly headers: Readonly<Record<string, string>>
  readonly options: RealtimeOptions
  readonly session: ConversantSession
  readonly clock: Clock
}

/** What a session is to know from its beginning. */
type Items = (dialect: Dialect) => readonly Item[]

/** One session with the server, from its opening to its end. */
export class Connection {
  readonly openedMs: number
  readonly #parts: ConnectionParts
  readonly #abort = new AbortController()
  #wire: Wire | undefined
  #listener: ConnectionListener | undefined
  #dialect: Dialect
  #malformed = 0
  /** Signs of life asked for in a row that did not come. */
  #unanswered = 0
  #aliveMs: number
  #stopAsking = () => {}
  #lost: string | undefined
  /** While the session is being set up: what that waits for. */
  #awaited: PromiseWithResolvers<ServerEvent> | undefined
  readonly #early: ServerEvent[] = []

  private constructor(parts: ConnectionParts) {
    this.#parts = parts
    this.openedMs = parts.clock.now()
    this.#aliveMs = this.openedMs
    this.#dialect = { names: 'new', audio: parts.options.audio === 'pcm' ? 'pcm' : 'g711' }
  }

  /** One attempt. */
  static async open(parts: ConnectionParts, items: Items, signal: AbortSignal): Promise<Connection> {
    const connection = new Connection(parts)
    const { clock } = parts
    const ms = limits.openai.sessionMs
    const late = () => failed(`The server did not open a session within ${ms} ms.`, true)
    try {
      await unlessAborted(connection.#setUp(items), signal, { clock, ms, late })
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  get dialect(): Dialect {
    return this.#dialect
  }

  /** From now on everything is told, also what has come since the session was ready. */
  follow(listener: ConnectionListener): void {
    this.#listener = listener
    this.#alive()
    this.#stopAsking = every(this.#parts.clock, limits.openai.signOfLife.everyMs, () => this.#askForLife())
    for (const event of this.#early.splice(0)) listener.event(event)
    if (this.#lost !== undefined) listener.lost(this.#lost)
  }

  send(event: ClientEvent): void {
    this.#wire?.send(JSON.stringify(event))
  }

  /** Fifty times a second: the one message that is not built as an object first. */
  sendAudio(base64: string): void {
    if (!this.#wire) return
    if (this.#wire.queuedBytes > limits.openai.unsentBytes) return this.#end('it takes no more audio')
    this.#wire.send(`{"type":"input_audio_buffer.append","audio":"${base64}"}`)
  }

  /** Of no use any more, whatever it still says. */
  giveUp(why: string): void {
    this.#end(why)
  }

  /**
   * A server that the network has swallowed ends no connection: nobody would hear of the end of a voice any more. It is
   * asks that are counted, not time: a gateway that was busy has asked for nothing.
   */
  #askForLife(): void {
    const { everyMs, absent, lost } = limits.openai.signOfLife
    if (this.#unanswered >= lost) return this.#end(`it gave no sign of life for ${everyMs * lost} ms`)
    if (this.#unanswered === absent) this.#listener?.absent(this.#parts.clock.now() - this.#aliveMs)
    this.#unanswered += 1
    this.#wire?.ping()
  }

  #alive(): void {
    const wasAbsent = this.#unanswered > limits.openai.signOfLife.absent
    this.#unanswered = 0
    this.#aliveMs = this.#parts.clock.now()
    if (wasAbsent) this.#listener?.present()
  }

  close(): void {
    this.#lost ??= ''
    this.#stopAsking()
    this.#listener = undefined
    this.#abort.abort(new Error('Closed.'))
    this.#wire?.close()
    this.#wire = undefined
  }

  async #setUp(items: Items): Promise<void> {
    const { dial, address, headers } = this.#parts
    const wire = await dial(
      address,
      headers,
      {
        text: text => this.#received(readEvent(text)),
        alive: () => this.#alive(),
        unreadable: () => this.#received(undefined),
        lost: why => this.#end(why),
      },
      this.#abort.signal,
    )
    if (this.#lost !== undefined) return wire.close()
    this.#wire = wire
    const created = await this.#next('session.created')
    this.#dialect = { ...this.#dialect, names: namesOf(created) }
    await this.#shape(await this.#parts.session.instructions)
    for (const item of items(this.#dialect)) this.send({ type: 'conversation.item.create', item })
  }

  /** As the call needs it; with PCM when the server does not know the call's law. */
  async #shape(instructions: string): Promise<void> {
    const { session, options } = this.#parts
    this.send(sessionUpdate({ ...session, instructions }, options, this.#dialect))
    const answer = await this.#next('session.updated', 'error')
    if (answer.type === 'session.updated' && !refusesLaw(answer, lawOf(session))) return
    if (this.#dialect.audio === 'pcm') {
      if (answer.type === 'session.updated') return
      throw failed(`The server refuses the session's settings (${namedError(answer.error)}).`)
    }
    this.#dialect = { ...this.#dialect, audio: 'pcm' }
    await this.#shape(instructions)
  }

  /** Whatever else comes meanwhile is of no interest yet; an error that ends everything is. */
  async #next<T extends ServerEvent['type']>(...types: T[]): Promise<ServerEventOf<T>> {
    for (;;) {
      const queued = this.#early.findIndex(({ type }) => (types as string[]).includes(type) || type === 'error')
      const event = queued >= 0 ? this.#early.splice(queued, 1)[0]! : await this.#wait()
      if ((types as string[]).includes(event.type)) return event as ServerEventOf<T>
      if (event.type === 'error') throw failed(`The server refuses a session (${namedError(event.error)}).`)
    }
  }

  async #wait(): Promise<ServerEvent> {
    if (this.#lost !== undefined) throw failed(`The connection was lost: ${this.#lost}.`, true)
    this.#awaited = Promise.withResolvers()
    return await this.#awaited.promise
  }

  #received(event: ServerEvent | undefined): void {
    if (this.#lost !== undefined) return
    this.#alive()
    if (!event) return this.#wasMalformed()
    const awaited = this.#awaited
    this.#awaited = undefined
    if (awaited) awaited.resolve(event)
    else if (this.#listener) this.#listener.event(event)
    else if (this.#early.length < limits.agent.queued) this.#early.push(event)
  }

  /** One may be an accident; a server that sends many is none that we understand. */
  #wasMalformed(): void {
    this.#malformed += 1
    if (this.#malformed > limits.openai.malformedFrames) this.#end('it sends what nobody can read')
  }

  #end(why: string): void {
    if (this.#lost !== undefined) return
    const listener = this.#listener
    this.close()
    this.#lost = why
    this.#awaited?.reject(failed(`The connection was lost: ${why}.`, true))
    listener?.lost(why)
  }
}

/** Tries until there is a session, there is no hope, or the time is over. */
export async function openPatiently(
  parts: ConnectionParts,
  items: Items,
  signal: AbortSignal,
  troubled: (error: GatewayError) => void,
): Promise<Connection> {
  const { clock } = parts
  const untilMs = clock.now() + limits.openai.openingMs
  for (let attempt = 1; ; attempt++) {
    try {
      return await Connection.open(parts, items, signal)
    } catch (error) {
      signal.throwIfAborted()
      const verdict = judgeOpening(error, attempt, untilMs - clock.now())
      if (verdict.kind === 'giveUp') throw verdict.error
      troubled(verdict.error)
      await pause(clock, verdict.afterMs, signal)
    }
  }
}
