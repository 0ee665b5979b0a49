import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { type Clock, within } from '../clock.ts'
import { limits } from '../limits.ts'
import { FRAME_MS, type Law } from '../media/audio.ts'
import type { Wheel } from '../media/wheel.ts'
import { hostPort } from './address.ts'
import { Connection } from './connection.ts'
import { type CallOptions, type Invitation, invitationOf } from './invitation.ts'
import { type Found, Listening, type ListenOptions } from './listening.ts'
import type { Played } from './outgoing.ts'
import { type ReceivedFigures, type ReceivedFrame, Receiver } from './receiver.ts'
import type { Gap } from './recording.ts'
import { type AudioDescription, type Direction, describe, withStaticTypes } from './sdp.ts'
import { Sender, type SentFigures } from './sender.ts'
import { type Answer, type Ending, Signalling } from './signalling.ts'

export interface CallerDeps {
  readonly clock: Clock
  /** One for all calls of a process. */
  readonly wheel: Wheel
  readonly random: () => number
}

export interface CallFigures {
  /** `failed`: packets that the system refused to send. */
  readonly sent: SentFigures & { readonly failed: number }
  readonly received: ReceivedFigures
}

const DIGITS_PAYLOAD_TYPE = 101
/** What every receiver takes (RFC 3551 section 4.2). */
const MOST_PTIME_MS = 200
const bothLaws: readonly Law[] = ['ulaw', 'alaw']

/** Calls, as a telephone network would. Rejects when nobody can be reached there; the answer is awaited apart. */
export async function placeCall(deps: CallerDeps, options: CallOptions): Promise<Call> {
  const { ptimeMs = FRAME_MS } = options
  if (!(ptimeMs >= FRAME_MS && ptimeMs <= MOST_PTIME_MS && ptimeMs % FRAME_MS === 0)) {
    throw new RangeError(`packets last a multiple of ${FRAME_MS} ms, up to ${MOST_PTIME_MS}`)
  }
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
export class Call {
  /** What came of the INVITE; never rejects. */
  readonly answered: Promise<Answer>
  /** Never rejects. */
  readonly ended: Promise<Ending>
  readonly #options: CallOptions
  readonly #connection: Connection
  /** Of the latest offer that was taken. */
  #socket: Socket
  /** And of all others: something may still be on its way to them. */
  readonly #sockets = new Set<Socket>()
  readonly #offeredTypes = new Map<number, Law>()
  #laws: readonly Law[]
  readonly #signalling: Signalling
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #listening: Listening
  readonly #frameListeners = new Set<(frame: ReceivedFrame) => void>()
  readonly #sentListeners = new Set<(packet: Uint8Array) => void>()
  readonly #clock: Clock
  readonly #mediaEnded = Promise.withResolvers<void>()
  readonly #sessionId: number
  #descriptions = 0
  #callee: AudioDescription | undefined
  #muted = false
  #failedSends = 0

  constructor(
    deps: CallerDeps,
    options: CallOptions,
    parts: { invitation: Invitation; connection: Connection; socket: Socket },
  ) {
    this.#options = options
    this.#clock = deps.clock
    this.#connection = parts.connection
    this.#socket = parts.socket
    this.#laws = options.laws ?? bothLaws
    this.#sessionId = Math.floor(deps.random() * 2 ** 31)
    this.#sender = new Sender(deps, options.ptimeMs ?? FRAME_MS, packet => this.#sendRtp(packet))
    const offer = this.#offerOf(this.#laws, parts.socket)
    this.#receiver = new Receiver(deps.clock, { laws: this.#offeredTypes, digits: DIGITS_PAYLOAD_TYPE }, frame =>
      this.#heardFrame(frame),
    )
    this.#listening = new Listening(deps.clock, this.#receiver.recording)
    this.#listenTo(parts.socket)
    const audio = {
      offer: () => this.#describe(offer),
      answered: (callee: AudioDescription) => this.#use(callee),
      changed: (callee: AudioDescription | undefined) => this.#changed(callee),
      ended: (ending: Ending) => this.#endMedia(ending),
    }
    const released = () => {
      if (!options.connection) this.#connection.close()
    }
    this.#signalling = new Signalling({ ...deps, path: this.#connection }, parts.invitation, audio, released)
    this.answered = this.#signalling.answered
    this.ended = this.#signalling.ended.then(ending => this.#mediaEnded.promise.then(() => ending))
    this.#signalling.start()
  }

  /** Says this after all that is still to be said; settles when its last sample has left. */
  play(samples: Int16Array): Promise<Played> {
    return this.#sender.outgoing.say(samples)
  }

  /** Presses keys, 0-9, *, # and A-D, after all that is still to be said. */
  async digits(digits: string): Promise<Played> {
    if (this.#callee && this.#callee.digitsPayloadType === undefined) throw new Error('the callee takes no digits')
    return await this.#sender.outgoing.press(digits)
  }

  /** Sends no packet at all from now on; what is to be said waits. */
  mute(): void {
    this.#muted = true
    this.#applySilence()
  }

  unmute(): void {
    this.#muted = false
    this.#applySilence()
  }

  /**
   * Offers these laws and no others, by default those of before, and a new port to be sent to; settles with the status
   * of the answer. A refusal leaves everything as it was.
   */
  async offerAgain(laws = this.#laws): Promise<number> {
    return this.#offer(laws, 'sendrecv')
  }

  /** Puts the callee on hold, until something else is offered: no packet goes either way. Settles as `offerAgain` does. */
  hold(): Promise<number> {
    return this.#offer(this.#laws, 'inactive')
  }

  async #offer(laws: readonly Law[], direction: Direction): Promise<number> {
    if (this.#sockets.size === 0) throw new Error('there is no call to change')
    const socket = await bindRtp(this.#socket.address().address)
    this.#listenTo(socket)
    const reinvited = this.#signalling.reinvite(this.#describe({ ...this.#offerOf(laws, socket), direction }))
    const over = this.ended.then(() => Promise.reject(new Error('the call ended first')))
    const { status, audio } = await Promise.race([reinvited, over]).catch(error => {
      if (this.#sockets.delete(socket)) socket.close()
      throw error
    })
    if (status >= 300 || !audio?.laws[0]) return status
    this.#socket = socket
    this.#laws = laws
    this.#use(audio)
    return status
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

  /** All that was heard, or this part of it, in milliseconds since the first packet; what was lost is silence. */
  heard(fromMs?: number, toMs?: number): Int16Array {
    return this.#receiver.recording.heard(fromMs, toMs)
  }

  /** How much was heard so far. */
  get heardMs(): number {
    return this.#receiver.recording.lengthMs
  }

  /** Where in what was heard nothing had arrived. */
  gaps(): Gap[] {
    return this.#receiver.recording.gaps()
  }

  /** Each packet of audio as it arrives; the returned function ends it. */
  onFrame(listener: (frame: ReceivedFrame) => void): () => void {
    this.#frameListeners.add(listener)
    return () => this.#frameListeners.delete(listener)
  }

  /** Each packet just before it leaves; the returned function ends it. */
  onSent(listener: (packet: Uint8Array) => void): () => void {
    this.#sentListeners.add(listener)
    return () => this.#sentListeners.delete(listener)
  }

  /** Settles once this tone was heard for so long, with nothing else in between; rejects in words that tell what was heard instead. */
  hearsTone(hz: number, options: ListenOptions & { readonly forMs: number }): Promise<Found> {
    return this.#listening.hearsTone(hz, options)
  }

  /** Silence that arrives: packets of it. Where no packet comes nothing is heard, silence neither. */
  hearsSilence(forMs: number, options?: ListenOptions): Promise<Found> {
    return this.#listening.hearsSilence(forMs, options)
  }

  figures(): CallFigures {
    return {
      sent: { ...this.#sender.figures(), failed: this.#failedSends },
      received: this.#receiver.figures(),
    }
  }

  #sendRtp(packet: Uint8Array): void {
    for (const listener of this.#sentListeners) listener(packet)
    this.#socket.send(packet, this.#callee!.port, this.#callee!.address)
  }

  #heardFrame(frame: ReceivedFrame): void {
    this.#listening.heardMore()
    for (const listener of this.#frameListeners) listener(frame)
  }

  #listenTo(socket: Socket): void {
    socket.on('message', (datagram, from) => this.#receiver.received(datagram, from))
    socket.on('error', () => {
      this.#failedSends += 1
    })
    this.#sockets.add(socket)
  }

  #offerOf(laws: readonly Law[], socket: Socket): AudioDescription {
    const typed = withStaticTypes(laws)
    for (const { payloadType, law } of typed) this.#offeredTypes.set(payloadType, law)
    return {
      ...socket.address(),
      laws: typed,
      digitsPayloadType: DIGITS_PAYLOAD_TYPE,
      direction: 'sendrecv',
      ptimeMs: this.#options.ptimeMs ?? FRAME_MS,
    }
  }

  /** The session keeps its id, and counts its descriptions (RFC 3264 section 8). */
  #describe(audio: AudioDescription): string {
    return describe(audio, { id: this.#sessionId, version: ++this.#descriptions })
  }

  #use(callee: AudioDescription): void {
    this.#callee = callee
    this.#receiver.pin({ address: this.#options.soundFrom ?? callee.address, port: callee.port })
    this.#applySilence()
    const { law, payloadType } = callee.laws[0]!
    this.#sender.start({ law, payloadType, digitsPayloadType: callee.digitsPayloadType ?? DIGITS_PAYLOAD_TYPE })
  }

  #changed(callee: AudioDescription | undefined): string | undefined {
    const offered = this.#offerOf(this.#laws, this.#socket)
    if (!callee) return this.#describe(offered)
    const laws = callee.laws.filter(({ law }) => offered.laws.some(mine => mine.law === law))
    if (laws.length === 0) return undefined
    this.#use({ ...callee, laws })
    const digitsPayloadType = callee.digitsPayloadType
    return this.#describe({
      ...offered,
      laws: laws.slice(0, 1),
      digitsPayloadType,
      direction: mirrored[callee.direction],
    })
  }

  /** On hold nothing is sent: the callee said so by its direction, or by an address of zeros as of old. */
  #applySilence(): void {
    const onHold = this.#callee !== undefined && !hears(this.#callee)
    this.#sender.silence(this.#muted || onHold)
  }

  #endMedia({ by, how }: Ending): void {
    this.#sender.stop()
    const end = () => {
      this.#listening.ended(`the call has ended (${how} by ${by})`)
      for (const socket of this.#sockets) socket.close()
      this.#sockets.clear()
      this.#mediaEnded.resolve()
    }
    // Of a turn of the loop that brings both, the connection may be read before the audio that came ahead of its BYE.
    if (by === 'callee' && how === 'bye') this.#clock.after(0, end)
    else end()
  }
}

const mirrored: Readonly<Record<Direction, Direction>> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
}

function hears({ direction, address }: AudioDescription): boolean {
  return (direction === 'sendrecv' || direction === 'recvonly') && address !== '0.0.0.0'
}

function bindRtp(address: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const family = isIPv6(address) ? 6 : 4
  const socket = createSocket({
    type: `udp${family}`,
    // The callee is always a numeric address: nothing is looked up, and packets leave in the same turn of the loop.
    lookup: (numeric, _options, done) => done(null, numeric, family),
  })
  socket.once('error', reject)
  socket.bind(0, address, () => {
    socket.off('error', reject)
    resolve(socket)
  })
  return promise
}
