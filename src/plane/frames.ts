import { FRAME_SAMPLES, type FrameKind } from '../media/audio.ts'
import type { Direction, FrameBatch } from './protocol.ts'

const NUMBERS_A_FRAME = 3
const kinds: readonly FrameKind[] = ['heard', 'concealed', 'missing']
const SENT = kinds.length

/** Collects the frames of one turn of the loop, so that they cross to the main thread in one message. */
export class FrameCollector {
  #heads = new Float64Array(64 * NUMBERS_A_FRAME)
  #audio = new Uint8Array(64 * FRAME_SAMPLES)
  #count = 0

  get count(): number {
    return this.#count
  }

  add(line: number, direction: Direction, audio: Uint8Array, timeMs: number, kind: FrameKind): void {
    if ((this.#count + 1) * FRAME_SAMPLES > this.#audio.length) this.#grow()
    const head = this.#count * NUMBERS_A_FRAME
    this.#heads[head] = line
    this.#heads[head + 1] = timeMs
    this.#heads[head + 2] = direction === 'sent' ? SENT : kinds.indexOf(kind)
    this.#audio.set(audio, this.#count * FRAME_SAMPLES)
    this.#count += 1
  }

  /** What was collected, and an empty collector again. */
  take(): FrameBatch {
    const heads = this.#heads.slice(0, this.#count * NUMBERS_A_FRAME)
    const audio = this.#audio.slice(0, this.#count * FRAME_SAMPLES)
    this.#count = 0
    return { heads, audio }
  }

  /** Bounded by the number of lines: a line has at most a few frames in one turn. */
  #grow(): void {
    const heads = new Float64Array(this.#heads.length * 2)
    heads.set(this.#heads)
    this.#heads = heads
    const audio = new Uint8Array(this.#audio.length * 2)
    audio.set(this.#audio)
    this.#audio = audio
  }
}

export function frameCount({ heads }: FrameBatch): number {
  return heads.length / NUMBERS_A_FRAME
}

/** Each frame of the batch; its audio is lent. */
export function forEachFrame(
  { heads, audio }: FrameBatch,
  visit: (line: number, direction: Direction, audio: Uint8Array, timeMs: number, kind: FrameKind) => void,
): void {
  for (let index = 0; index * NUMBERS_A_FRAME < heads.length; index++) {
    const head = index * NUMBERS_A_FRAME
    const code = heads[head + 2]!
    const frame = audio.subarray(index * FRAME_SAMPLES, (index + 1) * FRAME_SAMPLES)
    visit(heads[head]!, code === SENT ? 'sent' : 'received', frame, heads[head + 1]!, kinds[code] ?? 'heard')
  }
}
