import type { Socket } from 'node:dgram'
import { within } from '../clock.ts'
import { limits } from '../limits.ts'
import { hostPort } from './address.ts'
import { Connection } from './connection.ts'
import { type CallOptions, type Invitation, invitationOf } from './invitation.ts'
import type { Header } from './message.ts'
import type { Ending, OfferAnswer } from './session.ts'
import { type Answer, Signalling } from './signalling.ts'
import { bindRtp, type CallerDeps, checkSound, Talk } from './talk.ts'

export type { CallerDeps, CallFigures } from './talk.ts'

/** Calls, as a telephone network would. Rejects when nobody can be reached there; the answer is awaited apart. */
export async function placeCall(deps: CallerDeps, options: CallOptions): Promise<Call> {
  checkSound(options)
  const invitation = invitationOf(options)
  const connection = options.connection ?? new Connection(options)
  try {
    const late = () => new Error(`no connection to ${hostPort(options.target)} within ${limits.caller.connectMs} ms`)
    await within(deps.clock, limits.caller.connectMs, connection.opened, late)
    const socket = await bindRtp(options.localAddress ?? connection.local.address)
    return new Call(deps, options, { invitation, connection, socket })
  } catch (error) {
    if (!options.connection) connection.destroy()
    throw error
  }
}

/** One call, from the INVITE that has just left until its end. */
export class Call extends Talk {
  /** What came of the INVITE; never rejects. */
  readonly answered: Promise<Answer>
  /** Never rejects. */
  readonly ended: Promise<Ending>
  readonly #options: CallOptions
  readonly #connection: Connection
  readonly #signalling: Signalling

  constructor(
    deps: CallerDeps,
    options: CallOptions,
    parts: { invitation: Invitation; connection: Connection; socket: Socket },
  ) {
    super(deps, options, parts.socket)
    this.#options = options
    this.#connection = parts.connection
    const released = () => {
      if (!options.connection) this.#connection.close()
    }
    const path = this.#connection
    this.#signalling = new Signalling({ ...deps, path }, parts.invitation, this.soundFor('callee'), released)
    this.answered = this.#signalling.answered
    this.ended = this.#signalling.ended.then(ending => this.mediaEnded.then(() => ending))
    this.#signalling.start()
  }

  /** CANCEL before an answer, BYE after it; settles when the callee has confirmed, or is given up. */
  hangup(): Promise<Ending> {
    void this.#signalling.hangup()
    return this.ended
  }

  /** Closes all sockets without a word: the callee is not told. */
  vanish(): void {
    if (!this.#options.connection) this.#connection.destroy()
    this.#signalling.vanish()
  }

  /** Any other request within the call, such as REFER; resolves with the status of its answer. */
  ask(method: string, headers: readonly Header[] = []): Promise<number> {
    return this.#signalling.ask(method, headers)
  }

  protected reinvite(description: string): Promise<OfferAnswer> {
    return this.#signalling.reinvite(description)
  }
}
