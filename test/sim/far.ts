import type { Connection, DialFailure, Dialled, DialledEvent, Line } from '../../src/call/ports.ts'
import { type Clock, pause } from '../../src/clock.ts'
import { GatewayError } from '../../src/errors.ts'
import type { PlaneSocket } from '../../src/plane/sockets.ts'
import type { Ledger } from './ledger.ts'
import type { FarPlan } from './plan.ts'

export interface FarSurroundings {
  readonly clock: Clock
  readonly bind: (received: (datagram: Uint8Array) => void) => PlaneSocket
  readonly ledger: (port: number) => Ledger | undefined
  readonly mediaMade: () => void
  readonly mediaGone: () => void
  /** Its channel is gone, and its port pair free. */
  readonly gone: () => void
  /** Those who were connected are no more: the far end has hung up, or has vanished. */
  readonly parted: (how: 'hangsUp' | 'vanishes') => void
  readonly note: (what: string) => void
}

/** Somebody whom a caller is to be connected with: rings, answers, presses keys and leaves as planned. */
export class SimDialled implements Dialled {
  readonly id: string
  readonly plan: FarPlan
  readonly #with: FarSurroundings
  readonly #early: DialledEvent[] = []
  readonly #life = new AbortController()
  #listener: ((event: DialledEvent) => void) | undefined
  #socket: PlaneSocket | undefined
  state: 'ringing' | 'answered' | 'joined' | 'gone' = 'ringing'

  constructor(id: string, plan: FarPlan, surroundings: FarSurroundings) {
    this.id = id
    this.plan = plan
    this.#with = surroundings
    this.#after(plan.ringsMs, () => this.#happen({ kind: 'ringing' }))
    if (plan.ownSoundMs !== undefined) this.#after(plan.ownSoundMs, () => this.#happen({ kind: 'ownSound' }))
    this.#after(plan.endsMs, () => this.#decide())
  }

  onEvent(listener: (event: DialledEvent) => void): void {
    this.#listener = listener
    for (const event of this.#early.splice(0)) listener(event)
  }

  async consult(line: Line): Promise<Connection> {
    await pause(this.#with.clock, this.plan.tookMs)
    if (this.state !== 'answered') throw new GatewayError('CHANNEL_GONE', 'Whoever had answered is gone.')
    this.#socket = this.#with.bind(() => {})
    this.#with.mediaMade()
    line.connect(this.#socket.local)
    const ledger = this.#with.ledger(line.local.port)
    if (ledger) ledger.audible = true
    const { presses } = this.plan
    if (presses) this.#after(this.plan.pressesMs, () => this.#happen({ kind: 'digit', digit: presses, heldMs: 100 }))
    const ports = { gateway: line.local.port, asterisk: this.#socket.local.port }
    return { channel: `${this.id}-media`, bridge: `${this.id}-bridge`, ports }
  }

  async close(): Promise<void> {
    if (this.state !== 'joined') this.leave()
  }

  /** It talks with the caller from now on. */
  join(): void {
    this.state = 'joined'
    this.#removeMedia()
    this.#after(this.plan.talksMs, () => {
      this.leave()
      this.#with.parted(this.plan.parts)
    })
  }

  leave(): void {
    if (this.state === 'gone') return
    this.state = 'gone'
    this.#life.abort(new Error('It has left.'))
    this.#removeMedia()
    this.#with.gone()
  }

  #decide(): void {
    const { ends } = this.plan
    if (ends === 'never') return
    if (ends !== 'answers') return this.#end(ends)
    this.state = 'answered'
    this.#happen({ kind: 'answered' })
    if (this.plan.hangsUpMs !== undefined) {
      this.#after(this.plan.hangsUpMs, () => this.state === 'answered' && this.#end('hungUp'))
    }
  }

  #end(why: DialFailure | 'hungUp'): void {
    this.leave()
    this.#happen({ kind: 'ended', why, cause: why })
  }

  #removeMedia(): void {
    if (!this.#socket) return
    this.#with.mediaGone()
    const socket = this.#socket
    this.#socket = undefined
    this.#with.clock.after(LINGER_MS, () => socket.close())
  }

  #happen(event: DialledEvent): void {
    this.#with.note(`far ${event.kind}`)
    if (this.#listener) this.#listener(event)
    else this.#early.push(event)
  }

  #after(ms: number, run: () => void): void {
    pause(this.#with.clock, ms, this.#life.signal).then(run, () => {})
  }
}

const LINGER_MS = 200
