import type { Socket } from 'node:dgram'
import { parseNameAddress } from './address.ts'
import { Answering } from './answering.ts'
import { type Header, headerOf, type SipRequest } from './message.ts'
import type { Refusal } from './response.ts'
import { type AudioDescription, parseDescription } from './sdp.ts'
import type { Ending, OfferAnswer, Path } from './session.ts'
import { type CallerDeps, type SoundOptions, Talk } from './talk.ts'

/** A call that has come in: it may ring, be answered or refused, and talks as one that was placed does. */
export class IncomingCall extends Talk {
  readonly invite: SipRequest
  /** The user part that was dialled. */
  readonly user: string
  /** Never rejects. */
  readonly ended: Promise<Ending>
  /** What the caller offered; undefined when it leaves that to us (a late offer). */
  readonly #offered: AudioDescription | undefined
  readonly #signalling: Answering
  #description: string | undefined

  constructor(
    deps: CallerDeps,
    options: SoundOptions,
    parts: { invite: SipRequest; path: Path; socket: Socket; released: () => void },
  ) {
    super(deps, options, parts.socket)
    this.invite = parts.invite
    this.user = /^sips?:([^@;]*)@/.exec(parts.invite.uri)?.[1] ?? ''
    this.#offered = parts.invite.body === '' ? undefined : parseDescription(parts.invite.body)
    const { path, invite, released } = parts
    this.#signalling = new Answering({ ...deps, path }, invite, this.soundFor('caller'), released)
    this.ended = this.#signalling.ended.then(ending => this.mediaEnded.then(() => ending))
  }

  /** Of the INVITE: such as From, P-Asserted-Identity, X-Parley-Call. */
  header(name: string): string | undefined {
    return headerOf(this.invite, name)
  }

  /** As it is told in From. */
  get callerNumber(): string {
    return /^sips?:([^@;]*)@/.exec(parseNameAddress(this.header('From')!)?.uri ?? '')?.[1] ?? ''
  }

  get over(): boolean {
    return this.#signalling.over
  }

  ring(): void {
    this.#signalling.progress(180)
  }

  /** What it says from now on is heard before it answers (183). */
  soundEarly(): void {
    if (this.#signalling.waiting) this.#signalling.progress(183, this.#describe())
  }

  /** Settles when the caller has confirmed it: false when the call is over instead. */
  answer(): Promise<boolean> {
    if (!this.#signalling.waiting) return Promise.resolve(false)
    const description = this.#describe()
    if (description !== undefined) return this.#signalling.accept(description)
    this.refuse(488)
    return Promise.resolve(false)
  }

  refuse(status: Refusal): void {
    this.#signalling.refuse(status)
  }

  /** 603 before the answer, BYE after it; settles when the caller has confirmed, or is given up. */
  hangup(): Promise<Ending> {
    this.#signalling.hangup()
    return this.ended
  }

  /** Is gone without a word. */
  vanish(): void {
    this.#signalling.vanish()
  }

  /** Any other request within the call, such as REFER; resolves with the status of its answer. */
  ask(method: string, headers: readonly Header[] = []): Promise<number> {
    return this.#signalling.ask(method, headers)
  }

  protected reinvite(description: string): Promise<OfferAnswer> {
    return this.#signalling.reinvite(description)
  }

  /** The answer to what was offered, or an offer of our own; the same each time that it is told. Undefined: nothing in common. */
  #describe(): string | undefined {
    const unusable = this.invite.body !== '' && !this.#offered?.laws.length
    if (!unusable) this.#description ??= this.soundFor('caller').changed(this.#offered)
    return this.#description
  }
}
