import type { Clock } from '../clock.ts'
import { asError } from '../errors.ts'
import { FRAME_MS, FRAME_SAMPLES, type FrameKind, type Law } from '../media/audio.ts'
import { Pairing, type PairListener } from '../media/pairing.ts'
import { Playout } from '../media/playout.ts'
import { ReceiveFigures } from '../media/receive-figures.ts'
import { Reorder } from '../media/reorder.ts'
import { PAYLOAD_TYPE, parseRtp, RTP_HEADER_BYTES, RtpPacket, RtpWriter } from '../media/rtp.ts'
import type { Member, Wheel } from '../media/wheel.ts'
import type { Address, Heard, LineEvent, LineFigures, SpokenChunk } from './line.ts'
import type { PlaneSocket } from './sockets.ts'
import type { StageListener } from './stages.ts'

/** A frame that leaves later than this after its deadline is late. */
const LATE_MS = 2
/** A datagram that the kernel does not take at once is sent from its buffer later; by then others are in use. */
const BUFFERS = 8

/** One parsed packet is enough for all lines: it is used up within the callback that brings it. */
const parsed = new RtpPacket()

export interface AudioLineDependencies {
  readonly clock: Clock
  readonly wheel: Wheel
  readonly random: () => number
  readonly onFrame: (audio: Uint8Array, mediaTimeMs: number, kind: FrameKind) => void
  readonly onSent: (audio: Uint8Array, mediaTimeMs: number) => void
  readonly onEvent: (event: LineEvent) => void
}

/** A line inside the media thread: socket ▶ reorder ▶ frames; playout ▶ socket, a frame every 20 ms. */
export class AudioLine {
  readonly #with: AudioLineDependencies
  readonly #socket: PlaneSocket
  readonly #law: Law
  readonly #figures = new ReceiveFigures()
  readonly #reorder: Reorder
  readonly #playout: Playout
  readonly #writer: RtpWriter
  readonly #buffers = Array.from({ length: BUFFERS }, () => new Uint8Array(RTP_HEADER_BYTES + FRAME_SAMPLES))
  readonly #sent = { packets: 0, lateFrames: 0, worstLateMs: 0, skippedFrames: 0 }
  #peer: Address | undefined
  #member: Member | undefined
  #inSpurt = false
  #sentMs = 0
  #pairing: Pairing | undefined
  #stages: StageListener | undefined
  #closed = false

  constructor(law: Law, socket: PlaneSocket, dependencies: AudioLineDependencies) {
    this.#with = dependencies
    this.#law = law
    this.#socket = socket
    this.#reorder = new Reorder(law, this.#figures, (audio, mediaTimeMs, kind) => {
      this.#pairing?.received(audio, mediaTimeMs, kind, dependencies.clock.now())
      this.#stages?.frame(audio, mediaTimeMs, kind)
      dependencies.onFrame(audio, mediaTimeMs, kind)
    })
    this.#playout = new Playout(law, dependencies.onEvent)
    this.#writer = new RtpWriter(PAYLOAD_TYPE[law], dependencies.random)
  }

  /** From now on frames leave every 20 ms, silence when there is nothing to say, until the line closes. */
  connect(peer: Address): void {
    if (this.#closed) return
    this.#peer = peer
    this.#member ??= this.#with.wheel.add((dueMs, skippedTicks) => this.#tick(dueMs, skippedTicks))
  }

  received(datagram: Uint8Array, address: string, port: number): void {
    const peer = this.#peer
    if (peer === undefined || port !== peer.port || address !== peer.address) {
      this.#figures.counts.strangers += 1
      return
    }
    this.#stages?.packet('received', datagram)
    const packet = parseRtp(datagram, parsed)
    if (!packet) {
      this.#figures.counts.invalid += 1
      return
    }
    try {
      this.#reorder.packet(packet, this.#with.clock.now())
    } catch (error) {
      this.fail(asError(error).message)
    }
  }

  speak(chunk: SpokenChunk): void {
    this.#playout.write(chunk)
    this.#beginSpurt()
  }

  pause(): void {
    this.#playout.pause()
  }

  resume(): void {
    this.#playout.resume()
    this.#beginSpurt()
  }

  cancel(): Heard[] {
    return this.#playout.cancel()
  }

  /** Each frame that is sent from now on, beside the one that is received at the same time. */
  record(listener: PairListener): void {
    this.#pairing?.end()
    this.#pairing = new Pairing(this.#law, listener)
  }

  recordNoMore(): void {
    this.#pairing?.end()
    this.#pairing = undefined
  }

  /** Each stage from now on; nothing: no more. */
  capture(listener: StageListener | undefined): void {
    this.#stages = listener
  }

  digitReleased(heldMs: number): void {
    this.#figures.digitReleased(heldMs, this.#with.clock.now())
  }

  figures(): Omit<LineFigures, 'shedFrames'> {
    const { unplayedMs, overflows } = this.#playout
    return { received: { ...this.#figures.counts }, sent: { ...this.#sent, unplayedMs, overflows } }
  }

  /** Whatever is wrong with one line must not cost the others theirs: it alone ends, and says so. */
  fail(message: string): void {
    if (this.#closed) return
    this.close()
    this.#with.onEvent({ kind: 'failed', message })
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.recordNoMore()
    this.capture(undefined)
    this.#member?.remove()
    this.#peer = undefined
    this.#socket.close()
  }

  /** The first frame of a talk spurt does not wait for its slot; the lead is paid back in the silence that follows. */
  #beginSpurt(): void {
    if (!this.#inSpurt && this.#playout.ready) this.#member?.moveToNow()
  }

  #tick(dueMs: number, skippedTicks: number): void {
    try {
      const nowMs = this.#with.clock.now()
      // In the rhythm that it has when nothing has run ahead of its slot: the caller hears by timestamps.
      const slotMs = dueMs + (this.#member?.leadMs ?? 0)
      this.#reorder.tick(nowMs)
      if (skippedTicks > 0) this.#skip(skippedTicks)
      const sent = this.#sendNext()
      this.#pairing?.tick(sent, slotMs, skippedTicks)
      this.#wasSent(nowMs - dueMs)
    } catch (error) {
      this.fail(asError(error).message)
    }
  }

  /** Frames that a stall made too old are not sent in a burst, but their time has passed. */
  #skip(frames: number): void {
    this.#writer.skip(frames * FRAME_SAMPLES)
    this.#playout.skip(frames)
    this.#sent.skippedFrames += frames
    this.#sentMs += frames * FRAME_MS
    this.#inSpurt = false
  }

  #sendNext(): Uint8Array {
    const { audio, speech } = this.#playout.next()
    this.#send(audio, speech && !this.#inSpurt)
    this.#inSpurt = speech
    if (!speech) this.#member?.payBack()
    this.#with.onSent(audio, this.#sentMs)
    this.#sentMs += FRAME_MS
    return audio
  }

  #send(audio: Uint8Array, marker: boolean): void {
    const peer = this.#peer
    if (!peer) return
    const buffer = this.#buffers[this.#sent.packets % BUFFERS]!
    this.#writer.write(buffer, audio, marker)
    this.#socket.send(buffer, peer)
    this.#stages?.packet('sent', buffer)
  }

  #wasSent(lateMs: number): void {
    this.#sent.packets += 1
    if (lateMs > LATE_MS) this.#sent.lateFrames += 1
    this.#sent.worstLateMs = Math.max(this.#sent.worstLateMs, lateMs)
  }
}
