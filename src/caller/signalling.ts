import type { Clock } from '../clock.ts'
import { hostPort, tagOf } from './address.ts'
import type { Connection } from './connection.ts'
import { type Dialog, dialogOf, requestIn, targetOf } from './dialog.ts'
import type { Invitation } from './invitation.ts'
import { type Header, headerOf, type SipMessage, type SipRequest, type SipResponse, sequenceOf } from './message.ts'
import { allowed, responseTo } from './response.ts'
import { type AudioDescription, parseDescription } from './sdp.ts'
import { TRANSACTION_MS, Transactions } from './transactions.ts'

/** What came of the INVITE. */
export type Answer =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** From the INVITE leaving to the success arriving. */
      readonly setUpMs: number
      /** On the call's clock. */
      readonly atMs: number
      readonly audio: AudioDescription
      /** Where the callee wants to be reached. */
      readonly contact: string
    }
  | { readonly kind: 'refused'; readonly status: number; readonly reason: string; readonly afterMs: number }
  | { readonly kind: 'failed'; readonly reason: string }

export interface Ending {
  readonly by: 'caller' | 'callee' | 'nobody'
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

export interface Audio {
  /** The description to put into the INVITE. */
  offer(): string
  /** The callee answered; undefined audio is a failure and is not told. */
  answered(audio: AudioDescription): void
  /** The callee wants to change the audio, or to hear what it could be: the answer, or undefined for a refusal. */
  changed(audio: AudioDescription | undefined): string | undefined
  ended(ending: Ending): void
}

const SDP: Header = ['Content-Type', 'application/sdp']
const answeredWithOk = ['OPTIONS', 'INFO', 'NOTIFY']

/** One call's signalling, from INVITE to BYE (RFC 3261), on a connection that is open. */
export class Signalling {
  readonly answered: Promise<Answer>
  readonly ended: Promise<Ending>
  readonly #clock: Clock
  readonly #random: () => number
  readonly #path: Path
  readonly #invitation: Invitation
  readonly #audio: Audio
  readonly #released: () => void
  readonly #transactions: Transactions
  readonly #callId: string
  readonly #tag: string
  readonly #invite: SipRequest
  readonly #acks = new Map<string, SipRequest>()
  readonly #resolveAnswered: (answer: Answer) => void
  readonly #resolveEnded: (ending: Ending) => void
  readonly #cancels: (() => void)[] = []
  #invitedMs = 0
  #state: 'calling' | 'up' | 'leaving' | 'over' = 'calling'
  #heardOfCallee = false
  #unwanted = false
  #isReleased = false
  #dialog: Dialog | undefined
  #acknowledged = () => {}

  constructor(
    deps: { clock: Clock; random: () => number; path: Path },
    invitation: Invitation,
    audio: Audio,
    released: () => void,
  ) {
    this.#clock = deps.clock
    this.#random = deps.random
    this.#path = deps.path
    this.#invitation = invitation
    this.#audio = audio
    this.#released = released
    this.#transactions = new Transactions(deps.clock, deps.path)
    this.#callId = this.#token()
    this.#tag = this.#token()
    const answered = Promise.withResolvers<Answer>()
    const ended = Promise.withResolvers<Ending>()
    this.answered = answered.promise
    this.#resolveAnswered = answered.resolve
    this.ended = ended.promise
    this.#resolveEnded = ended.resolve
    this.#invite = this.#buildInvite()
    this.#cancels.push(
      this.#path.attach(this.#callId, {
        received: message => this.#received(message),
        lost: reason => this.#finish('nobody', 'failed', reason),
      }),
    )
  }

  start(): void {
    if (this.#state !== 'calling') return
    this.#invitedMs = this.#clock.now()
    this.#transactions.request(this.#invite, {
      responded: response => this.#inviteAnswered(response),
      timedOut: () => this.#finish('nobody', 'failed', 'the callee did not respond'),
    })
  }

  /** Ends the call in the way its state asks for: CANCEL before an answer, BYE after. */
  hangup(): Promise<Ending> {
    if (this.#state === 'up') this.#sayBye()
    else if (this.#state === 'calling' && !this.#unwanted) {
      this.#unwanted = true
      if (this.#heardOfCallee) this.#sendCancel()
    }
    return this.ended
  }

  /** Offers other audio within the call (RFC 3261 section 14); resolves with the final answer, unless the call ends first. */
  reinvite(offer: string): Promise<OfferAnswer> {
    const dialog = this.#dialog
    if (!dialog || this.#state !== 'up') return Promise.reject(new Error('there is no call to change'))
    const { promise, resolve } = Promise.withResolvers<OfferAnswer>()
    dialog.lastSequence += 1
    const number = dialog.lastSequence
    const headers = [this.#via(), this.#contact(), allowed, SDP]
    this.#transactions.request(
      { ...requestIn(dialog, 'INVITE', number, headers), body: offer },
      {
        responded: response => {
          if (response.status < 200) return
          if (response.status < 300) this.#path.send(requestIn(dialog, 'ACK', number, [this.#via()]))
          resolve({ status: response.status, audio: parseDescription(response.body) })
        },
        timedOut: () => resolve({ status: 408, audio: undefined }),
      },
    )
    return promise
  }

  /** Is gone without a word. */
  vanish(): void {
    this.#finish('caller', 'vanished', '')
    this.#release()
  }

  #received(message: SipMessage): void {
    if (message.kind === 'response') this.#transactions.received(message)
    else if (this.#transactions.isNew(message)) this.#requested(message)
  }

  #inviteAnswered(response: SipResponse): void {
    if (response.status < 200) this.#progressed()
    else if (response.status < 300) this.#succeeded(response)
    else this.#refused(response)
  }

  #progressed(): void {
    if (this.#heardOfCallee) return
    this.#heardOfCallee = true
    if (this.#unwanted) this.#sendCancel()
  }

  /** RFC 3261 section 9.1: never before a provisional response, and with the branch of the INVITE. */
  #sendCancel(): void {
    const kept = ['via', 'from', 'to', 'call-id', 'max-forwards']
    const headers: Header[] = this.#invite.headers.filter(([name]) => kept.includes(name.toLowerCase()))
    const cancel: SipRequest = {
      kind: 'request',
      method: 'CANCEL',
      uri: this.#invite.uri,
      headers: [...headers, ['CSeq', `${sequenceOf(this.#invite)!.number} CANCEL`]],
      body: '',
    }
    this.#transactions.request(cancel, { responded: () => {}, timedOut: () => {} })
    this.#cancels.push(
      this.#clock.after(TRANSACTION_MS, () => {
        if (this.#state === 'calling') this.#finish('caller', 'cancelled', 'the callee did not respond')
      }),
    )
  }

  #refused(response: SipResponse): void {
    const { status, reason } = response
    this.#resolveAnswered({ kind: 'refused', status, reason, afterMs: this.#clock.now() - this.#invitedMs })
    if (this.#unwanted) this.#finish('caller', 'cancelled', reason)
    else this.#finish('callee', 'refused', `${status} ${reason}`)
  }

  /** The success of an INVITE arrives as often as the callee sends it, and once a fork (RFC 3261 section 13.2.2.4). */
  #succeeded(response: SipResponse): void {
    const dialog = dialogOf(this.#invite, response)
    if (!dialog) return this.#finish('nobody', 'failed', 'the answer lacks a tag or a Contact')
    const known = this.#acks.get(dialog.remoteTag)
    if (known) return this.#path.send(known)
    const ack = requestIn(dialog, 'ACK', dialog.lastSequence, [this.#via()])
    this.#acks.set(dialog.remoteTag, ack)
    this.#path.send(ack)
    if (this.#state === 'calling') this.#enterDialog(dialog, response)
    else this.#request(dialog, 'BYE', () => {})
  }

  #enterDialog(dialog: Dialog, response: SipResponse): void {
    this.#dialog = dialog
    this.#state = 'up'
    const audio = parseDescription(response.body)
    if (!audio || audio.laws.length === 0 || audio.port === 0) {
      this.#resolveAnswered({ kind: 'failed', reason: 'the answer holds no audio that could be used' })
      return this.#sayBye()
    }
    const { status } = response
    const atMs = this.#clock.now()
    const setUpMs = atMs - this.#invitedMs
    this.#resolveAnswered({ kind: 'answered', status, setUpMs, atMs, audio, contact: dialog.target })
    this.#audio.answered(audio)
    if (this.#unwanted) this.#sayBye()
  }

  #sayBye(): void {
    this.#state = 'leaving'
    this.#request(this.#dialog!, 'BYE', reason => this.#finish('caller', 'bye', reason))
  }

  #request(dialog: Dialog, method: string, done: (reason: string) => void): void {
    dialog.lastSequence += 1
    this.#transactions.request(requestIn(dialog, method, dialog.lastSequence, [this.#via()]), {
      responded: ({ status, reason }) => {
        if (status >= 200) done(`${status} ${reason}`)
      },
      timedOut: () => done('the callee did not respond'),
    })
  }

  #requested(request: SipRequest): void {
    const dialog = this.#dialog
    const within = dialog && tagOf(headerOf(request, 'From')) === dialog.remoteTag
    if (!within || tagOf(headerOf(request, 'To')) !== this.#tag) return this.#outOfDialog(request)
    if (request.method === 'ACK') return this.#ackReceived(request)
    const { number } = sequenceOf(request)!
    // RFC 3261 section 12.2.2: what comes out of order is refused.
    if (number <= dialog.remoteSequence) return this.#respond(request, 500)
    dialog.remoteSequence = number
    if (request.method === 'BYE') return this.#byeReceived(request)
    if (this.#state === 'over') return this.#respond(request, 481)
    if (request.method === 'INVITE') return this.#reinvited(request, dialog)
    if (answeredWithOk.includes(request.method)) return this.#respond(request, 200, [allowed])
    this.#respond(request, 405, [allowed])
  }

  #outOfDialog(request: SipRequest): void {
    if (request.method === 'ACK') return
    if (request.method === 'OPTIONS') return this.#respond(request, 200, [allowed])
    this.#respond(request, 481)
  }

  #byeReceived(request: SipRequest): void {
    this.#respond(request, 200)
    this.#finish('callee', 'bye', headerOf(request, 'Reason') ?? '')
  }

  #reinvited(request: SipRequest, dialog: Dialog): void {
    const offered = request.body === '' ? undefined : parseDescription(request.body)
    const unusable = request.body !== '' && (!offered || offered.laws.length === 0)
    const description = unusable ? undefined : this.#audio.changed(offered)
    if (description === undefined) return this.#respond(request, 488)
    dialog.target = targetOf(request) ?? dialog.target
    const success = responseTo(request, 200, this.#responder(), {
      headers: [this.#contact(), allowed, SDP],
      body: description,
    })
    this.#acknowledged()
    this.#acknowledged = this.#transactions.answerUntilAcknowledged(request, success, () => {
      if (this.#state === 'up') this.#sayBye()
    })
  }

  #ackReceived(request: SipRequest): void {
    this.#acknowledged()
    const answered = request.body === '' ? undefined : parseDescription(request.body)
    if (answered && answered.laws.length > 0) this.#audio.changed(answered)
  }

  #respond(request: SipRequest, status: 200 | 405 | 481 | 488 | 500, headers: readonly Header[] = []): void {
    this.#transactions.answer(request, responseTo(request, status, this.#responder(), { headers }))
  }

  #responder() {
    return { source: this.#path.target, tag: this.#tag }
  }

  #finish(by: Ending['by'], how: Ending['how'], reason: string): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#resolveAnswered({ kind: 'failed', reason: reason || how })
    const ending = { by, how, reason, atMs: this.#clock.now() }
    this.#audio.ended(ending)
    this.#resolveEnded(ending)
    // Over UDP the last response may be lost: what the callee repeats is answered for as long as it may.
    if (this.#path.reliable) this.#release()
    else this.#cancels.push(this.#clock.after(TRANSACTION_MS, () => this.#release()))
  }

  #release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#transactions.close()
    for (const cancel of this.#cancels.splice(0)) cancel()
    this.#released()
  }

  #buildInvite(): SipRequest {
    const { uri, from, to, headers } = this.#invitation
    return {
      kind: 'request',
      method: 'INVITE',
      uri,
      headers: [
        this.#via(),
        ['Max-Forwards', '70'],
        ['From', `<${from}>;tag=${this.#tag}`],
        ['To', `<${to}>`],
        ['Call-ID', this.#callId],
        ['CSeq', `${1 + Math.floor(this.#random() * 10_000)} INVITE`],
        this.#contact(),
        allowed,
        ...headers,
        SDP,
      ],
      body: this.#audio.offer(),
    }
  }

  #via(): Header {
    const sentBy = hostPort(this.#path.local)
    // The magic cookie of RFC 3261 section 8.1.1.7; rport asks for the way back through a NAT (RFC 3581).
    return ['Via', `SIP/2.0/${this.#path.transport} ${sentBy};branch=z9hG4bK${this.#token()};rport`]
  }

  #contact(): Header {
    const { local, transport } = this.#path
    return ['Contact', `<sip:${this.#invitation.contactUser}@${hostPort(local)};transport=${transport.toLowerCase()}>`]
  }

  #token(): string {
    let token = ''
    while (token.length < 20) token += Math.floor(this.#random() * 2 ** 32).toString(36)
    return token
  }
}
