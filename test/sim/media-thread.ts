import type { Clock } from '../../src/clock.ts'
import type { Law } from '../../src/media/audio.ts'
import { PlaneCore } from '../../src/plane/core.ts'
import { PlaneHandle } from '../../src/plane/handle.ts'
import type { ToPlane } from '../../src/plane/protocol.ts'
import type { OpenSocket, PlaneSocket, PortRange, SocketListener } from '../../src/plane/sockets.ts'
import { Ledger } from './ledger.ts'

export interface MediaThreadOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly openSocket: OpenSocket
  readonly forbiddenPorts: PortRange
  /** Of a message from one thread to the other. */
  readonly messageMs: number
  /** `port`: the line's own. */
  readonly blame: (port: number, message: string) => void
}

/** The media thread in virtual time: its messages take their time, it can die, and a ledger is kept of each of its lines. */
export class MediaThread {
  readonly plane: PlaneHandle
  readonly #options: MediaThreadOptions
  /** By the line's own port: of those that are open, and of those that were. */
  readonly #ledgers = new Map<number, Ledger>()
  #core: PlaneCore | undefined
  #die = () => {}

  constructor(options: MediaThreadOptions) {
    this.#options = options
    this.plane = new PlaneHandle(
      (receive, died) => this.#begin(receive, died),
      () => {},
    )
  }

  get lineCount(): number {
    return this.#core?.lineCount ?? 0
  }

  ledger(port: number): Ledger | undefined {
    return this.#ledgers.get(port)
  }

  get openPorts(): number[] {
    return [...this.#ledgers.keys()]
  }

  /** As a thread that crashes. */
  die(): void {
    this.#die()
  }

  #begin(receive: ConstructorParameters<typeof PlaneCore>[0]['post'], died: (why: string) => void) {
    const { clock, messageMs, random, forbiddenPorts } = this.#options
    let alive = true
    const whileAlive = (run: () => void) => () => {
      if (alive) run()
    }
    const later = (run: () => void) =>
      messageMs === 0 ? whileAlive(run)() : void clock.after(messageMs, whileAlive(run))
    const laws = new Map<number, Law>()
    const lines = new Map<number, Ledger>()
    const sockets = new Set<PlaneSocket>()
    let taken = 0
    const core = new PlaneCore({
      taken: () => taken,
      clock: { ...boundClock(clock), after: (ms, run) => clock.after(ms, whileAlive(run)) },
      random,
      forbiddenPorts,
      openSocket: listener => this.#openSocket(listener, sockets),
      afterTurn: run => void clock.after(0, whileAlive(run)),
      post: message => {
        if (message.kind === 'opened') {
          const ledger = this.#ledgers.get(message.local.port)!
          ledger.law = laws.get(message.line)!
          lines.set(message.line, ledger)
        }
        later(() => receive(message))
      },
    })
    this.#core = core
    this.#die = () => {
      alive = false
      for (const socket of sockets) socket.close()
      died('it was killed')
    }
    const post = (message: ToPlane) =>
      later(() => {
        if (message.kind === 'open') laws.set(message.line, message.law)
        else if ('line' in message) lines.get(message.line)?.ordered(message)
        core.receive(message)
      })
    const took = (frames: number) => {
      taken += frames
    }
    return { post, took, end: async () => {} }
  }

  async #openSocket(listener: SocketListener, sockets: Set<PlaneSocket>): Promise<PlaneSocket> {
    const { clock, openSocket, blame } = this.#options
    const ledger = new Ledger(message => blame(port, message))
    const socket: PlaneSocket = await openSocket({
      failed: message => listener.failed(message),
      received: (datagram, address, from) => {
        ledger.arrived(address, from)
        listener.received(datagram, address, from)
      },
    })
    const { port } = socket.local
    const watched: PlaneSocket = {
      local: socket.local,
      send: (datagram, to) => {
        ledger.sent(datagram, clock.now())
        socket.send(datagram, to)
      },
      close: () => {
        sockets.delete(watched)
        this.#ledgers.delete(port)
        socket.close()
      },
    }
    sockets.add(watched)
    this.#ledgers.set(port, ledger)
    return watched
  }
}

function boundClock(clock: Clock): Pick<Clock, 'now' | 'wallMs'> {
  return { now: () => clock.now(), wallMs: () => clock.wallMs() }
}
