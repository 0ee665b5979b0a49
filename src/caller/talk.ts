import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Clock } from '../clock.ts'
import { FRAME_MS, type Law } from '../media/audio.ts'
import type { Wheel } from '../media/wheel.ts'
import { type Found, Listening, type ListenOptions } from './listening.ts'
import type { Played } from './outgoing.ts'
import { type ReceivedFigures, type ReceivedFrame, Receiver } from './receiver.ts'
import type { Gap } from './recording.ts'
import { type AudioDescription, type Direction, describe, withStaticTypes } from './sdp.ts'
import { Sender, type SentFigures } from './sender.ts'
import type { Ending, OfferAnswer, SessionAudio, Side } from './session.ts'

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

/** How one side wants to be spoken to. */
export interface SoundOptions {
  /** In the order of preference; both by default. */
  readonly laws?: readonly Law[]
  /** Where the sound comes from when it is not the address that the other side describes: what a NAT in between would hide. */
  readonly soundFrom?: string
  /** A multiple of 20, up to 200. */
  readonly ptimeMs?: number
}

const DIGITS_PAYLOAD_TYPE = 101
/** What every receiver takes (RFC 3551 section 4.2). */
const MOST_PTIME_MS = 200
const bothLaws: readonly Law[] = ['ulaw', 'alaw']

/** Refuses what no call could have. */
export function checkSound({ ptimeMs = FRAME_MS }: SoundOptions): void {
  if (!(ptimeMs >= FRAME_MS && ptimeMs <= MOST_PTIME_MS && ptimeMs % FRAME_MS === 0)) {
    throw new RangeError(`packets last a multiple of ${FRAME_MS} ms, up to ${MOST_PTIME_MS}`)
  }
}

/** What one side of a call says and hears, whichever of the two it is, and what it offers and answers for it. */
export abstract class Talk {
  /** Never rejects. */
  abstract readonly ended: Promise<Ending>
  protected readonly mediaEnded: Promise<void>
  readonly #options: SoundOptions
  /** Of the latest offer that was taken. */
  #socket: Socket
  /** And of all others: something may still be on its way to them. */
  readonly #sockets = new Set<Socket>()
  readonly #offeredTypes = new Map<number, Law>()
  #laws: readonly Law[]
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #listening: Listening
  readonly #frameListeners = new Set<(frame: ReceivedFrame) => void>()
  readonly #sentListeners = new Set<(packet: Uint8Array) => void>()
  readonly #clock: Clock
  readonly #resolveMediaEnded: () => void
  readonly #sessionId: number
  #descriptions = 0
  #other: AudioDescription | undefined
  #muted = false
  #failedSends = 0

  constructor(deps: CallerDeps, options: SoundOptions, socket: Socket) {
    this.#options = options
    this.#clock = deps.clock
    this.#socket = socket
    this.#laws = options.laws ?? bothLaws
    this.#sessionId = Math.floor(deps.random() * 2 ** 31)
    this.#sender = new Sender(deps, options.ptimeMs ?? FRAME_MS, packet => this.#sendRtp(packet))
    this.#receiver = new Receiver(deps.clock, { laws: this.#offeredTypes, digits: DIGITS_PAYLOAD_TYPE }, frame =>
      this.#heardFrame(frame),
    )
    this.#listening = new Listening(deps.clock, this.#receiver.recording)
    this.#listenTo(socket)
    const mediaEnded = Promise.withResolvers<void>()
    this.mediaEnded = mediaEnded.promise
    this.#resolveMediaEnded = mediaEnded.resolve
  }

  /** Offers other audio within the call. */
  protected abstract reinvite(description: string): Promise<OfferAnswer>

  /** Its part in the signalling, where `other` is the side that it talks to. */
  protected soundFor(other: Side): SessionAudio & { answered(audio: AudioDescription): void } {
    return {
      offer: () => this.#describe(this.#offerOf(this.#laws, this.#socket)),
      answered: audio => this.#use(audio),
      changed: audio => this.#changed(audio),
      ended: ending => this.#endMedia(ending, other),
    }
  }

  /** Says this after all that is still to be said; settles when its last sample has left. */
  play(samples: Int16Array): Promise<Played> {
    return this.#sender.outgoing.say(samples)
  }

  /** Says this tone from now on wherever it would say nothing; undefined for silence again. */
  hum(hz: number | undefined): void {
    this.#sender.outgoing.hum(hz)
  }

  /** Presses keys, 0-9, *, # and A-D, after all that is still to be said. */
  async digits(digits: string): Promise<Played> {
    if (this.#other && this.#other.digitsPayloadType === undefined) throw new Error('the other side takes no digits')
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

  /**
   * Puts the other side on hold, until something else is offered: no packet goes either way, or only ours. Settles as
   * `offerAgain` does.
   */
  hold(direction: 'inactive' | 'sendonly' = 'inactive'): Promise<number> {
    return this.#offer(this.#laws, direction)
  }

  async #offer(laws: readonly Law[], direction: Direction): Promise<number> {
    if (this.#sockets.size === 0) throw new Error('there is no call to change')
    const socket = await bindRtp(this.#socket.address().address)
    this.#listenTo(socket)
    const reinvited = this.reinvite(this.#describe({ ...this.#offerOf(laws, socket), direction }))
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
    this.#socket.send(packet, this.#other!.port, this.#other!.address)
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

  #use(other: AudioDescription): void {
    this.#other = other
    this.#receiver.pin({ address: this.#options.soundFrom ?? other.address, port: other.port })
    this.#applySilence()
    const { law, payloadType } = other.laws[0]!
    this.#sender.start({ law, payloadType, digitsPayloadType: other.digitsPayloadType ?? DIGITS_PAYLOAD_TYPE })
  }

  #changed(other: AudioDescription | undefined): string | undefined {
    const offered = this.#offerOf(this.#laws, this.#socket)
    if (!other) return this.#describe(offered)
    const laws = other.laws.filter(({ law }) => offered.laws.some(mine => mine.law === law))
    if (laws.length === 0) return undefined
    this.#use({ ...other, laws })
    const digitsPayloadType = other.digitsPayloadType
    return this.#describe({
      ...offered,
      laws: laws.slice(0, 1),
      digitsPayloadType,
      direction: mirrored[other.direction],
    })
  }

  /** On hold nothing is sent: the other side said so by its direction, or by an address of zeros as of old. */
  #applySilence(): void {
    const onHold = this.#other !== undefined && !hears(this.#other)
    this.#sender.silence(this.#muted || onHold)
  }

  #endMedia({ by, how }: Ending, other: Side): void {
    this.#sender.stop()
    const end = () => {
      this.#listening.ended(`the call has ended (${how} by ${by})`)
      for (const socket of this.#sockets) socket.close()
      this.#sockets.clear()
      this.#resolveMediaEnded()
    }
    // Of a turn of the loop that brings both, the connection may be read before the audio that came ahead of its BYE.
    if (by === other && how === 'bye') this.#clock.after(0, end)
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

export function bindRtp(address: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const family = isIPv6(address) ? 6 : 4
  const socket = createSocket({
    type: `udp${family}`,
    // The other side is always a numeric address: nothing is looked up, and packets leave in the same turn of the loop.
    lookup: (numeric, _options, done) => done(null, numeric, family),
  })
  socket.once('error', reject)
  socket.bind(0, address, () => {
    socket.off('error', reject)
    resolve(socket)
  })
  return promise
}
