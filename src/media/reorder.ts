import { limits } from '../limits.ts'
import { FRAME_MS, type Law } from './audio.ts'
import type { ReceiveFigures } from './receive-figures.ts'
import { COMFORT_NOISE, FIRST_DYNAMIC, PAYLOAD_TYPE, type RtpPacket } from './rtp.ts'
import { unwrapSequence } from './sequence.ts'
import { type FrameListener, STOPPED_MS, Timeline } from './timeline.ts'

const SHORTEST_WAIT_MS = 20
const LONGEST_WAIT_MS = 80
/** Of the longest that a packet was late, half is remembered after half a minute of 20 ms packets. */
const LATENESS_KEPT = 0.9995
/** A tick that comes so late says that our own thread stood still, and nothing about the far end. */
const LATE_TICK_MS = 40
/** RFC 3550, A.1: further ahead is not loss but another stream. */
const FURTHEST_AHEAD = 3_000
/** So many numbers in a row that fit nowhere else prove that the sender has begun anew. */
const RESTART_PROOF = 3

/** A packet that waits behind a gap. */
interface Held {
  readonly sequence: number
  readonly timestamp: number
  readonly arrivedMs: number
  /** Empty when it carries no audio. */
  readonly audio: Uint8Array
}

/**
 * The incoming stream: packets of one peer go in, in any order, and frames of 20 ms come out, each with its media time.
 *
 * **A packet in order goes on in the same call.** Behind a gap packets wait, 20 to 80 ms depending on how late packets
 * have been of late; then the hole is concealed. Sequence numbers decide the order, here; timestamps decide the time, in
 * the timeline.
 */
export class Reorder {
  readonly #audioType: number
  readonly #figures: ReceiveFigures
  readonly #timeline: Timeline
  /** -1 before the first packet; the former one, before the first change. */
  #ssrc = -1
  #formerSsrc = -1
  /** The number to come. Unwrapped, as all sequence numbers here. */
  #next = 0
  readonly #recent = new Recent()
  /** Behind the gap at `#next`, in order. */
  readonly #held: Held[] = []
  /** Since when `#next` is known to be missing, if any packet is held. */
  #gapMs = 0
  /** Since when that was known of the last gap given up. */
  #gaveUpGapMs = 0
  #latenessMs = 0
  /** Packets given up since the last audio. */
  #lost = 0
  #acceptedMs = 0
  #tickedMs = 0
  /** When the last late tick came, and whether what had arrived by then was still to be read. */
  #lateTickMs = 0
  #unread = false
  /** Packets in a row that fit nowhere, and the one that would go on with them. */
  #strays = 0
  #strayNext = -1

  constructor(law: Law, figures: ReceiveFigures, onFrame: FrameListener) {
    this.#audioType = PAYLOAD_TYPE[law]
    this.#figures = figures
    this.#timeline = new Timeline(law, figures, onFrame)
  }

  /** A packet from the peer, lent for this call. */
  packet(packet: RtpPacket, nowMs: number): void {
    const { counts } = this.#figures
    const type = packet.payloadType
    // RFC 3550, 5.1: types that are not understood are ignored.
    if (type !== this.#audioType && type !== COMFORT_NOISE && type < FIRST_DYNAMIC) {
      counts.invalid++
      return
    }
    counts.packets++
    if (packet.ssrc === this.#ssrc) {
      const sequence = unwrapSequence(packet.sequence, this.#next)
      const ahead = sequence - this.#next
      if (ahead >= 0 && ahead <= FURTHEST_AHEAD) return this.#accept(packet, sequence, nowMs)
      if (ahead < 0 && this.#isKnown(packet, sequence, nowMs)) return
      if (!this.#provesRestart(packet, nowMs)) return
    } else if (packet.ssrc === this.#formerSsrc && !this.#provesRestart(packet, nowMs)) return
    this.#begin(packet, nowMs)
    this.#accept(packet, this.#next, nowMs)
  }

  /** Gives up gaps whose time is over and supplies silence when packets have stopped: to be called every 20 ms. */
  tick(nowMs: number): void {
    if (this.#isUnread(nowMs)) return
    this.#giveUpOverdue(nowMs)
    if (this.#held.length === 0) this.#timeline.tick(nowMs)
  }

  /**
   * After a stall all ticks that are due come first, and then what the socket holds: to these ticks it looks as if
   * nothing had come. Where every tick is late, every second one counts all the same.
   */
  #isUnread(nowMs: number): boolean {
    if (nowMs - this.#tickedMs > LATE_TICK_MS) {
      this.#unread = !this.#unread
      this.#lateTickMs = nowMs
    } else if (nowMs - this.#lateTickMs >= FRAME_MS) this.#unread = false
    this.#tickedMs = nowMs
    return this.#unread
  }

  #accept(packet: RtpPacket, sequence: number, nowMs: number): void {
    this.#acceptedMs = nowMs
    // Comfort noise and telephone events carry no audio: their time passes as all time without packets does.
    const end = packet.payloadType === this.#audioType ? packet.end : packet.start
    if (end > packet.start) this.#figures.arrived(packet.timestamp, nowMs)
    if (sequence > this.#next) this.#hold(packet, sequence, end, nowMs)
    else {
      if (this.#held.length > 0) this.#wasReordered(nowMs)
      else this.#latenessMs *= LATENESS_KEPT
      this.#recent.note(sequence, packet.timestamp)
      this.#deliver(packet.timestamp, packet.bytes, packet.start, end, nowMs)
      if (this.#held.length > 0) this.#drain(nowMs)
    }
    if (this.#held.length > 0) this.#giveUpOverdue(nowMs)
  }

  #deliver(timestamp: number, bytes: Uint8Array, start: number, end: number, nowMs: number): void {
    this.#next++
    if (start === end) return
    this.#timeline.place(timestamp, this.#lost, bytes, start, end, nowMs)
    this.#lost = 0
  }

  #hold(packet: RtpPacket, sequence: number, end: number, nowMs: number): void {
    const held = this.#held
    let at = held.length
    while (at > 0 && held[at - 1]!.sequence > sequence) at--
    if (held[at - 1]?.sequence === sequence) {
      this.#figures.counts.duplicated++
      return
    }
    if (held.length === 0) this.#gapMs = nowMs
    if (at < held.length) this.#wasReordered(nowMs)
    this.#recent.note(sequence, packet.timestamp)
    const audio = packet.bytes.slice(packet.start, end)
    held.splice(at, 0, { sequence, timestamp: packet.timestamp, arrivedMs: nowMs, audio })
    if (held.length >= limits.media.heldPackets) this.#giveUp(nowMs)
  }

  /** Hands on what is held up to the next gap. */
  #drain(nowMs: number): void {
    const held = this.#held
    while (held[0]?.sequence === this.#next) {
      const { timestamp, audio } = held.shift()!
      this.#deliver(timestamp, audio, 0, audio.length, nowMs)
    }
    this.#gapMs = held.reduce((earliest, { arrivedMs }) => Math.min(earliest, arrivedMs), nowMs)
  }

  #giveUpOverdue(nowMs: number): void {
    while (this.#held.length > 0 && nowMs - this.#gapMs >= this.#waitMs) this.#giveUp(nowMs)
  }

  #giveUp(nowMs: number): void {
    const first = this.#held[0]!.sequence
    const missing = first - this.#next
    this.#figures.gaveUp(missing, this.#gapMs)
    this.#lost += missing
    this.#gaveUpGapMs = this.#gapMs
    this.#recent.gaveUp(this.#next, first)
    this.#next = first
    this.#drain(nowMs)
  }

  get #waitMs(): number {
    const wantedMs = Math.max(2 * this.#figures.counts.jitterMs, 1.25 * this.#latenessMs)
    return Math.max(SHORTEST_WAIT_MS, Math.min(LONGEST_WAIT_MS, wantedMs))
  }

  #wasReordered(nowMs: number): void {
    this.#figures.counts.reordered++
    this.#wasLate(nowMs - this.#gapMs)
  }

  #wasLate(byMs: number): void {
    this.#latenessMs = Math.max(this.#latenessMs, Math.min(byMs, LONGEST_WAIT_MS))
  }

  /** Whether the packet has been here before, or was waited for in vain; counts it. */
  #isKnown(packet: RtpPacket, sequence: number, nowMs: number): boolean {
    const { counts } = this.#figures
    const fate = this.#recent.fate(sequence)
    if (fate === packet.timestamp) counts.duplicated++
    else if (fate === GIVEN_UP) {
      this.#figures.cameLate()
      this.#recent.note(sequence, packet.timestamp)
      this.#wasLate(nowMs - this.#gaveUpGapMs)
    } else return false
    return true
  }

  /** A packet that fits nowhere is too late, unless others go on with it while nothing else comes (RFC 3550, A.1). */
  #provesRestart(packet: RtpPacket, nowMs: number): boolean {
    this.#strays = packet.sequence === this.#strayNext ? this.#strays + 1 : 1
    this.#strayNext = (packet.sequence + 1) & 0xffff
    if (this.#strays >= RESTART_PROOF && nowMs - this.#acceptedMs >= STOPPED_MS) return true
    this.#figures.counts.late++
    return false
  }

  /** The first packet of a stream: what still waits of the one before is handed on first. */
  #begin(packet: RtpPacket, nowMs: number): void {
    while (this.#held.length > 0) this.#giveUp(nowMs)
    if (packet.ssrc !== this.#ssrc) {
      if (this.#ssrc >= 0) this.#figures.counts.ssrcChanges++
      this.#formerSsrc = this.#ssrc
      this.#ssrc = packet.ssrc
    }
    this.#next = packet.sequence
  }
}

const GIVEN_UP = -1
const UNKNOWN = -2
/** A power of two. */
const RECENT = 128

/** What became of the packets around the newest. */
class Recent {
  readonly #sequences = new Float64Array(RECENT)
  readonly #fates = new Float64Array(RECENT).fill(UNKNOWN)

  /** `fate` is its timestamp, or GIVEN_UP. */
  note(sequence: number, fate: number): void {
    this.#sequences[sequence & (RECENT - 1)] = sequence
    this.#fates[sequence & (RECENT - 1)] = fate
  }

  /** All from `from` up to `to`; behind `to` there may be others that came, which stay known. */
  gaveUp(from: number, to: number): void {
    for (let sequence = Math.max(from, to - RECENT / 2); sequence < to; sequence++) this.note(sequence, GIVEN_UP)
  }

  /** Its timestamp if it came, else GIVEN_UP or UNKNOWN. */
  fate(sequence: number): number {
    const at = sequence & (RECENT - 1)
    return this.#sequences[at] === sequence ? this.#fates[at]! : UNKNOWN
  }
}
