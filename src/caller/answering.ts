import { dialogOfCallee } from './dialog.ts'
import { headerOf, type SipRequest } from './message.ts'
import { allowed, type Refusal } from './response.ts'
import { SDP, Session, type SessionAudio, type SessionDeps } from './session.ts'

/** The called side's signalling, from the INVITE that has come to BYE (RFC 3261). */
export class Answering extends Session {
  readonly #invite: SipRequest

  constructor(deps: SessionDeps, invite: SipRequest, audio: SessionAudio, released: () => void) {
    super(deps, 'callee', audio, released)
    this.#invite = invite
    this.dialog = dialogOfCallee(invite, this.tag, this.firstSequence())
    this.attach(headerOf(invite, 'Call-ID')!)
    this.received(invite)
  }

  protected override get contactUser(): string {
    return 'phone'
  }

  /** Neither answered nor refused, and the caller has not gone. */
  get waiting(): boolean {
    return this.state === 'early'
  }

  get over(): boolean {
    return this.state === 'over'
  }

  /** A word on the way to an answer, with a description where its sound is to be heard already. */
  progress(status: 180 | 183, description?: string): void {
    if (this.state !== 'early') return
    const headers = [this.contact(), allowed, ...(description === undefined ? [] : [SDP])]
    this.transactions.answer(this.#invite, this.responseTo(this.#invite, status, { headers, body: description ?? '' }))
  }

  /** Settles when the caller has confirmed it: false when the call is over instead. */
  accept(description: string): Promise<boolean> {
    if (this.state !== 'early' || !this.dialog) return Promise.resolve(false)
    this.state = 'up'
    this.succeed(this.#invite, description)
    const stopRepeating = this.acknowledged
    return new Promise(resolve => {
      this.acknowledged = () => {
        stopRepeating()
        resolve(true)
      }
      void this.ended.then(() => resolve(false))
    })
  }

  refuse(status: Refusal): void {
    this.#refuse(status)
    this.finish('callee', 'refused', String(status))
  }

  /** 603 before the answer, BYE after it. */
  hangup(): void {
    if (this.state === 'early') this.refuse(603)
    else if (this.state === 'up') this.sayBye()
  }

  protected override requestedOutside(request: SipRequest): void {
    const { method } = request
    if (method === 'ACK') return
    if (method === 'INVITE') return this.respond(request, this.dialog ? 100 : 500)
    if (method !== 'CANCEL') return this.respond(request, 481)
    this.respond(request, 200)
    if (this.state !== 'early') return
    this.#refuse(487)
    this.finish('caller', 'cancelled', '')
  }

  /** Said again until it is acknowledged: over UDP it may be lost. */
  #refuse(status: Refusal | 487): void {
    if (this.state !== 'early') return
    const refusal = this.responseTo(this.#invite, status, {})
    this.acknowledged = this.transactions.answerUntilAcknowledged(this.#invite, refusal, () => {})
  }
}
