import { type Dialog, dialogOf, requestIn } from './dialog.ts'
import type { Invitation } from './invitation.ts'
import { type Header, type SipRequest, type SipResponse, sequenceOf } from './message.ts'
import { allowed } from './response.ts'
import { type AudioDescription, parseDescription } from './sdp.ts'
import { type Ending, SDP, Session, type SessionAudio, type SessionDeps } from './session.ts'
import { TRANSACTION_MS } from './transactions.ts'

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

export interface Audio extends SessionAudio {
  /** The callee answered; undefined audio is a failure and is not told. */
  answered(audio: AudioDescription): void
}

/** The calling side's signalling, from INVITE to BYE (RFC 3261). */
export class Signalling extends Session {
  /** Never rejects. */
  readonly answered: Promise<Answer>
  readonly #invitation: Invitation
  readonly #audio: Audio
  readonly #invite: SipRequest
  readonly #acks = new Map<string, SipRequest>()
  readonly #resolveAnswered: (answer: Answer) => void
  #invitedMs = 0
  #heardOfCallee = false
  #unwanted = false

  constructor(deps: SessionDeps, invitation: Invitation, audio: Audio, released: () => void) {
    super(deps, 'caller', audio, released)
    this.#invitation = invitation
    this.#audio = audio
    const answered = Promise.withResolvers<Answer>()
    this.answered = answered.promise
    this.#resolveAnswered = answered.resolve
    const callId = this.token()
    this.#invite = this.#buildInvite(callId)
    this.attach(callId)
  }

  protected override get contactUser(): string {
    return this.#invitation.contactUser
  }

  start(): void {
    if (this.state !== 'early') return
    this.#invitedMs = this.clock.now()
    this.transactions.request(this.#invite, {
      responded: response => this.#inviteAnswered(response),
      timedOut: () => this.finish('nobody', 'failed', 'the callee did not respond'),
    })
  }

  /** Ends the call in the way its state asks for: CANCEL before an answer, BYE after. */
  hangup(): Promise<Ending> {
    if (this.state === 'up') this.sayBye()
    else if (this.state === 'early' && !this.#unwanted) {
      this.#unwanted = true
      if (this.#heardOfCallee) this.#sendCancel()
    }
    return this.ended
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
    this.transactions.request(cancel, { responded: () => {}, timedOut: () => {} })
    this.onRelease(
      this.clock.after(TRANSACTION_MS, () => {
        if (this.state === 'early') this.finish('caller', 'cancelled', 'the callee did not respond')
      }),
    )
  }

  #refused(response: SipResponse): void {
    const { status, reason } = response
    this.#resolveAnswered({ kind: 'refused', status, reason, afterMs: this.clock.now() - this.#invitedMs })
    if (this.#unwanted) this.finish('caller', 'cancelled', reason)
    else this.finish('callee', 'refused', `${status} ${reason}`)
  }

  /** The success of an INVITE arrives as often as the callee sends it, and once a fork (RFC 3261 section 13.2.2.4). */
  #succeeded(response: SipResponse): void {
    const dialog = dialogOf(this.#invite, response)
    if (!dialog) return this.finish('nobody', 'failed', 'the answer lacks a tag or a Contact')
    const known = this.#acks.get(dialog.remoteTag)
    if (known) return this.path.send(known)
    const ack = this.#acknowledgement(dialog, response)
    this.#acks.set(dialog.remoteTag, ack)
    this.path.send(ack)
    if (this.state === 'early') this.#enterDialog(dialog, response)
    else this.request(dialog, 'BYE', () => {})
  }

  #acknowledgement(dialog: Dialog, { body }: SipResponse): SipRequest {
    const offered = this.#invitation.lateOffer && this.state === 'early' ? parseDescription(body) : undefined
    const answer = offered && this.#audio.changed(offered)
    const ack = requestIn(dialog, 'ACK', dialog.lastSequence, [this.via(), ...(answer === undefined ? [] : [SDP])])
    return { ...ack, body: answer ?? '' }
  }

  #enterDialog(dialog: Dialog, response: SipResponse): void {
    this.dialog = dialog
    this.state = 'up'
    const audio = parseDescription(response.body)
    if (!audio || audio.laws.length === 0 || audio.port === 0) {
      this.#resolveAnswered({ kind: 'failed', reason: 'the answer holds no audio that could be used' })
      return this.sayBye()
    }
    const { status } = response
    const atMs = this.clock.now()
    const setUpMs = atMs - this.#invitedMs
    this.#resolveAnswered({ kind: 'answered', status, setUpMs, atMs, audio, contact: dialog.target })
    this.#audio.answered(audio)
    if (this.#unwanted) this.sayBye()
  }

  protected override requestedOutside(request: SipRequest): void {
    if (request.method === 'ACK') return
    if (request.method === 'OPTIONS') return this.respond(request, 200, [allowed])
    this.respond(request, 481)
  }

  protected override finish(by: Ending['by'], how: Ending['how'], reason: string): void {
    this.#resolveAnswered({ kind: 'failed', reason: reason || how })
    super.finish(by, how, reason)
  }

  #buildInvite(callId: string): SipRequest {
    const { uri, from, to, headers, lateOffer } = this.#invitation
    return {
      kind: 'request',
      method: 'INVITE',
      uri,
      headers: [
        this.via(),
        ['Max-Forwards', '70'],
        ['From', `<${from}>;tag=${this.tag}`],
        ['To', `<${to}>`],
        ['Call-ID', callId],
        ['CSeq', `${this.firstSequence()} INVITE`],
        this.contact(),
        allowed,
        ...headers,
        ...(lateOffer ? [] : [SDP]),
      ],
      body: lateOffer ? '' : this.#audio.offer(),
    }
  }
}
