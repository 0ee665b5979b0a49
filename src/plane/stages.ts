import type { FrameKind } from '../media/audio.ts'

/** Where a line's sound is looked at by whoever looks for a fault: as it comes, as it is heard, as it leaves. */
type Stage = 'received' | 'decoded' | 'sent'

/** What is given is lent. */
export interface StageListener {
  /** As it is on the way, header and all. */
  packet(stage: 'received' | 'sent', datagram: Uint8Array): void
  /** After reorder and concealment. */
  frame(audio: Uint8Array, mediaTimeMs: number, kind: FrameKind): void
}

/** Of all lines that are captured: five numbers each, and all their bytes in a row. */
export interface StageBatch {
  /** Take, what it is, when it was, its media time, and how many bytes it has. */
  readonly heads: Float64Array<ArrayBuffer>
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** When it was is told since the capture began, in milliseconds; bytes are lent. */
export interface Staged {
  readonly take: number
  readonly stage: Stage
  readonly atMs: number
  /** Of a packet nothing is known but that it was there. */
  readonly mediaTimeMs: number
  readonly kind: FrameKind
  readonly bytes: Uint8Array
}

const NUMBERS_EACH = 5
const codes = ['received', 'sent', 'heard', 'concealed', 'missing'] as const
type Code = (typeof codes)[number]

/** Collects what is captured, in room that stays. */
export class StageCollector {
  #heads = new Float64Array(0)
  #bytes = new Uint8Array(0)
  #count = 0
  #filled = 0

  get filled(): number {
    return this.#filled
  }

  add(take: number, code: Code, atMs: number, mediaTimeMs: number, bytes: Uint8Array): void {
    const head = this.#count * NUMBERS_EACH
    if (head === this.#heads.length) this.#heads = grown(this.#heads, new Float64Array(64 * NUMBERS_EACH + 2 * head))
    while (this.#filled + bytes.length > this.#bytes.length)
      this.#bytes = grown(this.#bytes, new Uint8Array(16_384 + 2 * this.#bytes.length))
    this.#heads[head] = take
    this.#heads[head + 1] = codes.indexOf(code)
    this.#heads[head + 2] = atMs
    this.#heads[head + 3] = mediaTimeMs
    this.#heads[head + 4] = bytes.length
    this.#bytes.set(bytes, this.#filled)
    this.#filled += bytes.length
    this.#count += 1
  }

  /** What was collected, and an empty collector again. */
  take(): StageBatch {
    const heads = this.#heads.slice(0, this.#count * NUMBERS_EACH)
    const bytes = this.#bytes.slice(0, this.#filled)
    this.#count = 0
    this.#filled = 0
    return { heads, bytes }
  }
}

function grown<Room extends Float64Array | Uint8Array>(from: Room, to: Room): Room {
  to.set(from)
  return to
}

export function forEachStaged({ heads, bytes }: StageBatch, visit: (staged: Staged) => void): void {
  let at = 0
  for (let head = 0; head < heads.length; head += NUMBERS_EACH) {
    const [take, code, atMs, mediaTimeMs, length] = heads.subarray(head, head + NUMBERS_EACH) as unknown as Numbers
    const what = codes[code]!
    const isPacket = what === 'received' || what === 'sent'
    const stage = isPacket ? what : 'decoded'
    const kind = isPacket ? 'heard' : what
    visit({ take, stage, atMs, mediaTimeMs, kind, bytes: bytes.subarray(at, at + length) })
    at += length
  }
}

type Numbers = readonly [take: number, code: number, atMs: number, mediaTimeMs: number, length: number]
