import type { TransferOutcome } from '../call/events.ts'
import type { FarParty, LiveCall, TransferWish } from '../call/ports.ts'
import type { Clock } from '../clock.ts'
import { ringingToneOf } from '../media/ringing.ts'
import { degraded } from './facts.ts'
import { Ringback } from './ringback.ts'
import type { Speech } from './speech.ts'

interface TransferringDependencies {
  readonly call: LiveCall
  /** Of the conversation. */
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly speech: Speech
  readonly settled: (outcome: TransferOutcome) => void
  readonly consult: (wish: TransferWish, far: FarParty, signal: AbortSignal) => Promise<'accepted' | 'declined'>
}

/** The agent's part while a caller is on the way to somebody else: it rings, and whoever answers is told who calls. */
export class Transferring {
  readonly #with: TransferringDependencies
  readonly #ringback: Ringback
  #recalling = new AbortController()
  /** The caller is away. */
  #away = false

  constructor(dependencies: TransferringDependencies) {
    this.#with = dependencies
    const { call, clock, speech } = dependencies
    this.#ringback = new Ringback(speech, clock, call.line.law, ringingToneOf(call.business))
  }

  get away(): boolean {
    return this.#away
  }

  begin(wish: TransferWish): void {
    const { call, signal, consult, settled } = this.#with
    this.#away = true
    this.#recalling = new AbortController()
    this.#ringback.start()
    const party = {
      rings: () => {},
      ownSound: (heard: boolean) => {
        if (heard) this.#ringback.stop()
        else if (this.#away) this.#ringback.start()
      },
      brief: (far: FarParty, own: AbortSignal) => consult(wish, far, AbortSignal.any([own, signal])),
    }
    call.transfer(wish, party, AbortSignal.any([this.#recalling.signal, signal])).then(settled, error => {
      if (!signal.aborted) call.emit(degraded(error))
      settled('failed')
    })
  }

  recall(): void {
    this.#recalling.abort(new Error('The caller is wanted back.'))
  }

  /** The caller is with us again. */
  back(): void {
    this.#away = false
    this.#ringback.stop()
  }

  /** Nobody hears it any more. */
  close(): void {
    this.#ringback.stop()
  }
}
