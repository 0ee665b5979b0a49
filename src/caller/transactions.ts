import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { headerOf, type SipMessage, type SipRequest, type SipResponse, sequenceOf, valuesOf } from './message.ts'

/** RFC 3261 section 17.1.1.1. */
const T1_MS = 500
const T2_MS = 4_000
/** Timers B, F and H: how long the other side has to react. */
export const TRANSACTION_MS = 64 * T1_MS

interface Carrier {
  /** Whether what is sent arrives: TCP does not need, and must not have, retransmissions. */
  readonly reliable: boolean
  send(message: SipMessage): void
}

interface Reaction {
  /** Every provisional response, then a final one; a success of INVITE as often as it arrives. */
  responded(response: SipResponse): void
  timedOut(): void
}

interface Sent {
  readonly request: SipRequest
  readonly reaction: Reaction
  phase: 'calling' | 'proceeding' | 'completed'
  /** Of a refused INVITE: sent again whenever the refusal is (RFC 3261 section 17.1.1.3). */
  ack?: SipRequest
  stopTimers: () => void
}

/**
 * The transaction layer of one call (RFC 3261 section 17): sends requests again over UDP until they are answered, gives
 * up in time, and answers repeated requests of the other side with what was answered before. Transactions are kept until
 * the call is over, and for as long as `close` is put off after that: this stands for the timers D, I, J and K.
 */
export class Transactions {
  readonly #clock: Clock
  readonly #carrier: Carrier
  readonly #sent = new Map<string, Sent>()
  readonly #answers = new Map<string, SipResponse | undefined>()
  readonly #repeated = new Set<() => void>()

  constructor(clock: Clock, carrier: Carrier) {
    this.#clock = clock
    this.#carrier = carrier
  }

  request(request: SipRequest, reaction: Reaction): void {
    const sent: Sent = { request, reaction, phase: 'calling', stopTimers: () => {} }
    bound(this.#sent, sent => sent.stopTimers())
    this.#sent.set(keyOf(request), sent)
    this.#carrier.send(request)
    const stopRepeating = this.#carrier.reliable
      ? () => {}
      : this.#repeat(() => this.#carrier.send(request), request.method === 'INVITE' ? Number.POSITIVE_INFINITY : T2_MS)
    const stopWaiting = this.#clock.after(TRANSACTION_MS, () => {
      sent.stopTimers()
      sent.phase = 'completed'
      reaction.timedOut()
    })
    sent.stopTimers = () => {
      stopRepeating()
      stopWaiting()
    }
  }

  /** Tells whether the request is new; one that was answered before is answered alike at once. */
  isNew(request: SipRequest): boolean {
    const key = keyOf(request)
    const answer = this.#answers.get(key)
    if (answer) this.#carrier.send(answer)
    const known = this.#answers.has(key)
    if (!known && request.method !== 'ACK') {
      bound(this.#answers, () => {})
      this.#answers.set(key, undefined)
    }
    return !known
  }

  answer(request: SipRequest, response: SipResponse): void {
    this.#answers.set(keyOf(request), response)
    this.#carrier.send(response)
  }

  /**
   * Answers an INVITE with success, again and again until the returned function tells that the ACK has come, on any
   * carrier (RFC 3261 section 13.3.1.4).
   */
  answerUntilAcknowledged(request: SipRequest, response: SipResponse, missing: () => void): () => void {
    this.answer(request, response)
    const stopRepeating = this.#repeat(() => this.#carrier.send(response), T2_MS)
    const stopWaiting = this.#clock.after(TRANSACTION_MS, () => {
      stop()
      missing()
    })
    const stop = () => {
      stopRepeating()
      stopWaiting()
      this.#repeated.delete(stop)
    }
    this.#repeated.add(stop)
    return stop
  }

  received(response: SipResponse): void {
    const sent = this.#sent.get(keyOf(response))
    if (!sent) return
    if (sent.request.method === 'INVITE') this.#inviteAnswered(sent, response)
    else this.#answered(sent, response)
  }

  #answered(sent: Sent, response: SipResponse): void {
    if (sent.phase === 'completed') return
    if (response.status >= 200) {
      sent.phase = 'completed'
      sent.stopTimers()
    }
    sent.reaction.responded(response)
  }

  #inviteAnswered(sent: Sent, response: SipResponse): void {
    const repeatedRefusal = sent.ack !== undefined
    if (repeatedRefusal) {
      if (response.status >= 300) this.#carrier.send(sent.ack!)
      return
    }
    // Once anything was heard an INVITE is neither repeated nor given up: a person may take long to pick up.
    sent.stopTimers()
    if (response.status >= 200) sent.phase = 'completed'
    else if (sent.phase === 'completed') return
    if (response.status >= 300) {
      sent.ack = acknowledgeRefusal(sent.request, response)
      this.#carrier.send(sent.ack)
    }
    sent.reaction.responded(response)
  }

  close(): void {
    for (const sent of this.#sent.values()) sent.stopTimers()
    for (const stop of [...this.#repeated]) stop()
    this.#sent.clear()
    this.#answers.clear()
  }

  #repeat(send: () => void, mostMs: number): () => void {
    let waitMs = T1_MS
    let cancel = () => {}
    const again = () => {
      send()
      waitMs = Math.min(2 * waitMs, mostMs)
      cancel = this.#clock.after(waitMs, again)
    }
    cancel = this.#clock.after(waitMs, again)
    return () => cancel()
  }
}

/** Branch and method tell transactions apart (RFC 3261 section 17.1.3); the whole topmost Via holds the branch. */
function keyOf(message: SipMessage): string {
  const via = valuesOf(message, 'Via')[0]!
  const branch = /;\s*branch=([^;\s]+)/i.exec(via)?.[1] ?? via
  return `${sequenceOf(message)!.method} ${branch}`
}

/** Forgets the oldest when there are too many: a hostile peer cannot make this grow. */
function bound<T>(map: Map<string, T>, forgotten: (value: T) => void): void {
  if (map.size < limits.caller.transactions) return
  const [oldest, value] = map.entries().next().value!
  map.delete(oldest)
  forgotten(value)
}

/** RFC 3261 section 17.1.1.3: the INVITE's own branch, and the To of the refusal. */
function acknowledgeRefusal(invite: SipRequest, refusal: SipResponse): SipRequest {
  const kept = ['via', 'from', 'call-id', 'route', 'max-forwards']
  return {
    kind: 'request',
    method: 'ACK',
    uri: invite.uri,
    headers: [
      ...invite.headers.filter(([name]) => kept.includes(name.toLowerCase())),
      ['To', headerOf(refusal, 'To')!],
      ['CSeq', `${sequenceOf(invite)!.number} ACK`],
    ],
    body: '',
  }
}
