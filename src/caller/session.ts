import type { Clock } from '../clock.ts'
import { hostPort, tagOf } from './address.ts'
import type { Connection } from './connection.ts'
import { type Dialog, requestIn, targetOf } from './dialog.ts'
import { type Header, headerOf, type SipMessage, type SipRequest, type SipResponse, sequenceOf } from './message.ts'
import { allowed, responseTo, type Status } from './response.ts'
import { type AudioDescription, parseDescription } from './sdp.ts'
import { TRANSACTION_MS, Transactions } from './transactions.ts'

/** Who of the two has done something. */
export type Side = 'caller' | 'callee'

export interface Ending {
  readonly by: Side | 'nobody'
  readonly how: 'bye' | 'cancelled' | 'vanished' | 'refused' | 'failed'
  /** The Reason header of a BYE, the words of a refusal, what failed. */
  readonly reason: string
  /** On the call's clock. */
  readonly atMs: number
}

/** What came of an offer within the call. */
export interface OfferAnswer {
  readonly status: number
  readonly audio: AudioDescription | undefined
}

/** What signalling needs of its connection. */
export type Path = Pick<Connection, 'local' | 'target' | 'transport' | 'reliable' | 'send' | 'attach'>

export interface SessionAudio {
  /** The description to offer, where nothing was offered to us. */
  offer(): string
  /** The other side wants to change the audio, or to hear what it could be: the answer, or undefined for a refusal. */
  changed(audio: AudioDescription | undefined): string | undefined
  ended(ending: Ending): void
}

export interface SessionDeps {
  readonly clock: Clock
  readonly random: () => number
  readonly path: Path
}

export const SDP: Header = ['Content-Type', 'application/sdp']
const answeredWithOk = ['OPTIONS', 'INFO', 'NOTIFY']

/** What both sides of a call do alike (RFC 3261), on a connection that is open: nearly all from the answer to the end. */
export abstract class Session {
  /** Never rejects. */
  readonly ended: Promise<Ending>
  protected readonly clock: Clock
  protected readonly path: Path
  protected readonly transactions: Transactions
  protected readonly tag: string
  protected state: 'early' | 'up' | 'leaving' | 'over' = 'early'
  protected dialog: Dialog | undefined
  /** The ACK of what was answered last has come. */
  protected acknowledged = () => {}
  readonly #side: Side
  readonly #audio: SessionAudio
  readonly #random: () => number
  readonly #released: () => void
  readonly #resolveEnded: (ending: Ending) => void
  readonly #cancels: (() => void)[] = []
  #isReleased = false

  constructor(deps: SessionDeps, side: Side, audio: SessionAudio, released: () => void) {
    this.clock = deps.clock
    this.path = deps.path
    this.#random = deps.random
    this.#side = side
    this.#audio = audio
    this.#released = released
    this.transactions = new Transactions(deps.clock, deps.path)
    this.tag = this.token()
    const ended = Promise.withResolvers<Ending>()
    this.ended = ended.promise
    this.#resolveEnded = ended.resolve
  }

  /** The user part of our own address. */
  protected abstract get contactUser(): string

  /** A request that is new, and not within the call. */
  protected abstract requestedOutside(request: SipRequest): void

  protected attach(callId: string): void {
    this.onRelease(
      this.path.attach(callId, {
        received: message => this.received(message),
        lost: reason => this.finish('nobody', 'failed', reason),
      }),
    )
  }

  /** Offers other audio within the call (RFC 3261 section 14); resolves with the final answer, unless the call ends first. */
  reinvite(offer: string): Promise<OfferAnswer> {
    const dialog = this.dialog
    if (!dialog || this.state !== 'up') return Promise.reject(new Error('there is no call to change'))
    const { promise, resolve } = Promise.withResolvers<OfferAnswer>()
    dialog.lastSequence += 1
    const number = dialog.lastSequence
    const headers = [this.via(), this.contact(), allowed, SDP]
    this.transactions.request(
      { ...requestIn(dialog, 'INVITE', number, headers), body: offer },
      {
        responded: response => {
          if (response.status < 200) return
          if (response.status < 300) this.path.send(requestIn(dialog, 'ACK', number, [this.via()]))
          resolve({ status: response.status, audio: parseDescription(response.body) })
        },
        timedOut: () => resolve({ status: 408, audio: undefined }),
      },
    )
    return promise
  }

  /** Any other request within the call, such as REFER; resolves with the status of its final answer. */
  ask(method: string, headers: readonly Header[]): Promise<number> {
    const { dialog } = this
    if (!dialog || this.state !== 'up') return Promise.reject(new Error('there is no call to ask within'))
    return new Promise(resolve => this.request(dialog, method, resolve, [this.contact(), ...headers]))
  }

  /** Is gone without a word. */
  vanish(): void {
    this.finish(this.#side, 'vanished', '')
    this.release()
  }

  protected sayBye(): void {
    this.state = 'leaving'
    this.request(this.dialog!, 'BYE', (_, words) => this.finish(this.#side, 'bye', words))
  }

  protected request(
    dialog: Dialog,
    method: string,
    done: (status: number, words: string) => void,
    headers: readonly Header[] = [],
  ): void {
    dialog.lastSequence += 1
    this.transactions.request(requestIn(dialog, method, dialog.lastSequence, [this.via(), ...headers]), {
      responded: ({ status, reason }) => {
        if (status >= 200) done(status, `${status} ${reason}`)
      },
      timedOut: () => done(408, `the ${this.#otherSide} did not respond`),
    })
  }

  protected respond(request: SipRequest, status: Status, headers: readonly Header[] = []): void {
    this.transactions.answer(request, this.responseTo(request, status, { headers }))
  }

  protected responseTo(
    request: SipRequest,
    status: Status,
    more?: { headers?: readonly Header[]; body?: string },
  ): SipResponse {
    return responseTo(request, status, { source: this.path.target, tag: this.tag }, more)
  }

  protected finish(by: Ending['by'], how: Ending['how'], reason: string): void {
    if (this.state === 'over') return
    this.state = 'over'
    const ending = { by, how, reason, atMs: this.clock.now() }
    this.#audio.ended(ending)
    this.#resolveEnded(ending)
    // Over UDP the last response may be lost: what the other side repeats is answered for as long as it may.
    if (this.path.reliable) this.release()
    else this.onRelease(this.clock.after(TRANSACTION_MS, () => this.release()))
  }

  protected release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.transactions.close()
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#released()
  }

  protected onRelease(cancel: () => void): void {
    if (this.#isReleased) cancel()
    else this.#cancels.push(cancel)
  }

  protected via(): Header {
    const sentBy = hostPort(this.path.local)
    // The magic cookie of RFC 3261 section 8.1.1.7; rport asks for the way back through a NAT (RFC 3581).
    return ['Via', `SIP/2.0/${this.path.transport} ${sentBy};branch=z9hG4bK${this.token()};rport`]
  }

  protected contact(): Header {
    const { local, transport } = this.path
    return ['Contact', `<sip:${this.contactUser}@${hostPort(local)};transport=${transport.toLowerCase()}>`]
  }

  /** Of the first request of a dialog. */
  protected firstSequence(): number {
    return 1 + Math.floor(this.#random() * 10_000)
  }

  protected token(): string {
    let token = ''
    while (token.length < 20) token += Math.floor(this.#random() * 2 ** 32).toString(36)
    return token
  }

  get #otherSide(): Side {
    return this.#side === 'caller' ? 'callee' : 'caller'
  }

  protected received(message: SipMessage): void {
    if (message.kind === 'response') this.transactions.received(message)
    else if (this.transactions.isNew(message)) this.#requested(message)
  }

  #requested(request: SipRequest): void {
    const dialog = this.dialog
    const within = dialog && tagOf(headerOf(request, 'From')) === dialog.remoteTag
    if (!within || tagOf(headerOf(request, 'To')) !== this.tag) return this.requestedOutside(request)
    if (request.method === 'ACK') return this.#ackReceived(request)
    const { number } = sequenceOf(request)!
    // RFC 3261 section 12.2.2: what comes out of order is refused.
    if (number <= dialog.remoteSequence) return this.respond(request, 500)
    dialog.remoteSequence = number
    if (request.method === 'BYE') return this.#byeReceived(request)
    if (this.state === 'over') return this.respond(request, 481)
    if (request.method === 'INVITE') return this.#reinvited(request, dialog)
    if (answeredWithOk.includes(request.method)) return this.respond(request, 200, [allowed])
    this.respond(request, 405, [allowed])
  }

  #byeReceived(request: SipRequest): void {
    this.respond(request, 200)
    this.finish(this.#otherSide, 'bye', headerOf(request, 'Reason') ?? '')
  }

  #reinvited(request: SipRequest, dialog: Dialog): void {
    const offered = request.body === '' ? undefined : parseDescription(request.body)
    const unusable = request.body !== '' && (!offered || offered.laws.length === 0)
    const description = unusable ? undefined : this.#audio.changed(offered)
    if (description === undefined) return this.respond(request, 488)
    dialog.target = targetOf(request) ?? dialog.target
    this.succeed(request, description)
  }

  /** 200 to an INVITE, until its ACK comes. */
  protected succeed(invite: SipRequest, description: string): void {
    const success = this.responseTo(invite, 200, { headers: [this.contact(), allowed, SDP], body: description })
    this.acknowledged()
    this.acknowledged = this.transactions.answerUntilAcknowledged(invite, success, () => {
      if (this.state === 'up') this.sayBye()
    })
  }

  #ackReceived(request: SipRequest): void {
    this.acknowledged()
    const answered = request.body === '' ? undefined : parseDescription(request.body)
    if (answered && answered.laws.length > 0) this.#audio.changed(answered)
  }
}
