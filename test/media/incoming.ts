import { limits } from '../../src/limits.ts'
import { FRAME_MS, type FrameKind, type Law } from '../../src/media/audio.ts'
import { ReceiveFigures } from '../../src/media/receive-figures.ts'
import { Reorder } from '../../src/media/reorder.ts'
import { parseRtp, RtpPacket } from '../../src/media/rtp.ts'
import { seeded } from '../support/random.ts'

interface Header {
  readonly payloadType: number
  readonly sequence: number
  readonly timestamp: number
  readonly ssrc: number
}

/** A packet on its way, and when it arrives. */
export interface Arrival extends Header {
  readonly atMs: number
  readonly audio: Uint8Array
}

export interface Frame {
  readonly atMs: number
  readonly mediaTimeMs: number
  readonly kind: FrameKind
  readonly audio: Uint8Array
}

interface StreamOptions {
  readonly count: number
  readonly samples?: number
  readonly startMs?: number
  readonly sequence?: number
  readonly timestamp?: number
  readonly ssrc?: number
  readonly payloadType?: number
  readonly seed?: number
}

/** What a faultless sender sends over a faultless network; its audio is noise, so every byte has its place. */
export function stream(options: StreamOptions): Arrival[] {
  const { count, samples = 160, startMs = 0, sequence = 1000, timestamp = 50_000, ssrc = 7, payloadType = 0 } = options
  const random = seeded(options.seed ?? 1)
  return Array.from({ length: count }, (_, i) => ({
    atMs: startMs + (i * samples) / 8,
    payloadType,
    sequence: (sequence + i) & 0xffff,
    timestamp: (timestamp + i * samples) >>> 0,
    ssrc,
    audio: Uint8Array.from({ length: samples }, () => Math.floor(random() * 256)),
  }))
}

export function join(parts: readonly { readonly audio: Uint8Array }[]): Uint8Array {
  return Uint8Array.from(parts.flatMap(({ audio }) => [...audio]))
}

function datagram({ payloadType, sequence, timestamp, ssrc, audio }: Arrival): Uint8Array {
  const bytes = new Uint8Array(12 + audio.length)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0x8000 | payloadType)
  view.setUint16(2, sequence)
  view.setUint32(4, timestamp)
  view.setUint32(8, ssrc)
  bytes.set(audio, 12)
  return bytes
}

/** A line's incoming half: packets as they arrive, and a tick every 20 ms in between. */
export class Incoming {
  readonly frames: Frame[] = []
  readonly figures = new ReceiveFigures()
  readonly #reorder: Reorder
  readonly #packet = new RtpPacket()
  #nowMs = 0
  #tickMs = 3

  constructor(law: Law = 'ulaw') {
    this.#reorder = new Reorder(law, this.figures, (audio, mediaTimeMs, kind) => {
      this.frames.push({ atMs: this.#nowMs, mediaTimeMs, kind, audio: audio.slice() })
    })
  }

  /** Plays all arrivals in the order of their time, then time alone up to `untilMs`. */
  play(arrivals: readonly Arrival[], untilMs = 0): this {
    for (const arrival of arrivals.toSorted((a, b) => a.atMs - b.atMs)) {
      this.wait(arrival.atMs)
      this.#nowMs = arrival.atMs
      const packet = parseRtp(datagram(arrival), this.#packet)
      if (packet === undefined) throw new Error('the test made a packet that is none')
      this.#reorder.packet(packet, arrival.atMs)
    }
    return this.wait(untilMs)
  }

  wait(untilMs: number): this {
    for (; this.#tickMs < untilMs; this.#tickMs += FRAME_MS) {
      this.#nowMs = this.#tickMs
      this.#reorder.tick(this.#tickMs)
    }
    return this
  }

  /** Our own thread stands still: no tick until then, and what the sockets hold is read after all that are due. */
  stall(untilMs: number): this {
    const due = Math.min(limits.media.catchUpMs / FRAME_MS, Math.floor((untilMs - this.#tickMs) / FRAME_MS) + 1)
    this.#tickMs += FRAME_MS * Math.ceil((untilMs - this.#tickMs) / FRAME_MS)
    this.#nowMs = untilMs
    for (let tick = 0; tick < due; tick++) this.#reorder.tick(untilMs)
    return this
  }

  get audio(): Uint8Array {
    return join(this.frames)
  }

  /** Runs of frames of one kind: [kind, count]. */
  get kinds(): [FrameKind, number][] {
    const runs: [FrameKind, number][] = []
    for (const { kind } of this.frames) {
      const last = runs.at(-1)
      if (last?.[0] === kind) last[1]++
      else runs.push([kind, 1])
    }
    return runs
  }

  /** By how much media time given out so far is ahead of the time that has passed. */
  get leadMs(): number {
    return this.frames.length * FRAME_MS - this.#nowMs
  }
}
