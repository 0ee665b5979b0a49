import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { FRAME_SAMPLES, type Law } from '../media/audio.ts'
import type { PairListener } from '../media/pairing.ts'
import { type StageBatch, StageCollector, type StageListener } from './stages.ts'

/** What whoever records is told, in this order for each take. A take is named by a number that is never used again. */
export type ToRecorder =
  /** Once more, at the place where it stands, for one who comes after another. */
  | {
      readonly kind: 'begin'
      readonly take: number
      readonly law: Law
      readonly place: number
      /** What to do with it: nothing that is of the media thread's business. */
      readonly order: unknown
    }
  | { readonly kind: 'pairs'; readonly batch: PairBatch }
  | { readonly kind: 'stages'; readonly batch: StageBatch }
  /** It has so many places, if it is of pairs; so much was left out, because nobody took it in time. */
  | { readonly kind: 'end'; readonly take: number; readonly places: number; readonly shed: number }

/** Pairs of all takes: of each the take and the place, and the received frame before the one that was sent. */
export interface PairBatch {
  readonly heads: Float64Array<ArrayBuffer>
  readonly audio: Uint8Array<ArrayBuffer>
}

/** From the media thread to whoever records, past the main thread. */
export interface RecorderWay {
  readonly port: { postMessage(message: ToRecorder, transfer: readonly ArrayBuffer[]): void }
  /** Bytes that have been taken; counts on over the end of 32 bits. Shared, as the count of frames is. */
  readonly taken: Int32Array
}

export const PAIR_BYTES = 2 * FRAME_SAMPLES
const NUMBERS_A_PAIR = 2
const FIRST_ROOM = 64

interface Take {
  readonly law: Law
  readonly order: unknown
  places: number
  shed: number
}

/** What is recorded and captured of all lines: it goes to whoever records together, five times a second. */
export class Takes {
  readonly #clock: Clock
  readonly #afterTurn: (run: () => void) => void
  readonly #takes = new Map<number, Take>()
  #way: RecorderWay | undefined
  #handed = 0
  #heads = new Float64Array(FIRST_ROOM * NUMBERS_A_PAIR)
  #audio = new Uint8Array(FIRST_ROOM * PAIR_BYTES)
  #count = 0
  readonly #stages = new StageCollector()
  #flushedMs = 0
  #flushing = false

  constructor(clock: Clock, afterTurn: (run: () => void) => void) {
    this.#clock = clock
    this.#afterTurn = afterTurn
  }

  /** What was on its way to the one before is lost; the takes go on. */
  goBy(way: RecorderWay): void {
    this.#way = way
    this.#handed = way.taken[0] ?? 0
    this.#count = 0
    this.#stages.take()
    for (const [take, { law, order, places }] of this.#takes) {
      way.port.postMessage({ kind: 'begin', take, law, place: places, order }, [])
    }
  }

  begin(take: number, law: Law, order: unknown): PairListener {
    const begun = this.#begin(take, law, order)
    return (received, sent, place) => this.#collect(take, begun, received, sent, place)
  }

  /** Each stage of a line. */
  capture(take: number, law: Law, order: unknown): StageListener {
    const begun = this.#begin(take, law, order)
    const beganMs = this.#clock.now()
    const collect = (code: Parameters<StageCollector['add']>[1], mediaTimeMs: number, bytes: Uint8Array) => {
      if (this.#hasRoom(bytes.length)) {
        this.#stages.add(take, code, this.#clock.now() - beganMs, mediaTimeMs, bytes)
        this.#flushSoon()
      } else begun.shed += 1
    }
    return {
      packet: (stage, datagram) => collect(stage, 0, datagram),
      frame: (audio, mediaTimeMs, kind) => collect(kind, mediaTimeMs, audio),
    }
  }

  #begin(take: number, law: Law, order: unknown): Take {
    const begun: Take = { law, order, places: 0, shed: 0 }
    this.#takes.set(take, begun)
    this.#way?.port.postMessage({ kind: 'begin', take, law, place: 0, order }, [])
    return begun
  }

  end(take: number): void {
    const ended = this.#takes.get(take)
    if (!ended) return
    this.#takes.delete(take)
    this.#flush()
    this.#way?.port.postMessage({ kind: 'end', take, places: ended.places, shed: ended.shed }, [])
  }

  #collect(number: number, take: Take, received: Uint8Array, sent: Uint8Array, place: number): void {
    take.places = place + 1
    if (!this.#hasRoom(PAIR_BYTES)) {
      take.shed += 1
      return
    }
    if ((this.#count + 1) * PAIR_BYTES > this.#audio.length) this.#grow()
    this.#heads[this.#count * NUMBERS_A_PAIR] = number
    this.#heads[this.#count * NUMBERS_A_PAIR + 1] = place
    this.#audio.set(received, this.#count * PAIR_BYTES)
    this.#audio.set(sent, this.#count * PAIR_BYTES + FRAME_SAMPLES)
    this.#count += 1
    this.#flushSoon()
  }

  #flushSoon(): void {
    if (this.#flushing || this.#clock.now() - this.#flushedMs < limits.recording.batchMs) return
    this.#flushing = true
    this.#afterTurn(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  /** Of a disk that stands still, too: what is on the way is bounded, and time goes on. */
  #hasRoom(bytes: number): boolean {
    if (!this.#way) return false
    const untaken = (this.#handed - this.#way.taken[0]!) | 0
    const collected = this.#count * PAIR_BYTES + this.#stages.filled
    return untaken + collected + bytes <= limits.recording.pendingBytes
  }

  #flush(): void {
    this.#flushedMs = this.#clock.now()
    if (this.#stages.filled > 0) {
      const batch = this.#stages.take()
      this.#handed = (this.#handed + batch.bytes.length) | 0
      this.#way?.port.postMessage({ kind: 'stages', batch }, [batch.heads.buffer, batch.bytes.buffer])
    }
    if (this.#count === 0) return
    const heads = this.#heads.slice(0, this.#count * NUMBERS_A_PAIR)
    const audio = this.#audio.slice(0, this.#count * PAIR_BYTES)
    this.#count = 0
    this.#handed = (this.#handed + audio.length) | 0
    this.#way?.port.postMessage({ kind: 'pairs', batch: { heads, audio } }, [heads.buffer, audio.buffer])
  }

  /** Bounded by the number of lines: each has ten pairs in a batch. */
  #grow(): void {
    const heads = new Float64Array(this.#heads.length * 2)
    heads.set(this.#heads)
    this.#heads = heads
    const audio = new Uint8Array(this.#audio.length * 2)
    audio.set(this.#audio)
    this.#audio = audio
  }
}

/** Each pair of the batch; its audio is lent. */
export function forEachPair(
  { heads, audio }: PairBatch,
  visit: (take: number, place: number, received: Uint8Array, sent: Uint8Array) => void,
): void {
  for (let index = 0; index * NUMBERS_A_PAIR < heads.length; index++) {
    const at = index * PAIR_BYTES
    const [received, sent] = [0, FRAME_SAMPLES].map(side => audio.subarray(at + side, at + side + FRAME_SAMPLES))
    visit(heads[index * NUMBERS_A_PAIR]!, heads[index * NUMBERS_A_PAIR + 1]!, received!, sent!)
  }
}
