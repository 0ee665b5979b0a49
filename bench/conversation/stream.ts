import type { ReceivedFrame } from '../../src/caller/receiver.ts'
import { FRAME_SAMPLES } from '../../src/media/audio.ts'
import { timestampDistance } from '../../src/media/sequence.ts'

export interface StreamFigures {
  /** Between two packets of one reply, as they arrived. */
  readonly spacingMs: readonly number[]
  readonly packets: number
  /** Frames that never came, silence included. */
  readonly missing: number
}

interface Last {
  readonly arrivedMs: number
  readonly timestamp: number
  readonly loud: boolean
}

/** The packets that a caller gets, one after the other. */
export class Stream {
  readonly #spacingMs: number[] = []
  #packets = 0
  #missing = 0
  #last: Last | undefined

  /** Tells whether a reply begins with it. */
  take({ arrivedMs, timestamp }: ReceivedFrame, loud: boolean): boolean {
    const last = this.#last
    this.#last = { arrivedMs, timestamp, loud }
    this.#packets += 1
    if (!last) return false
    this.#missing += Math.max(0, timestampDistance(timestamp, last.timestamp) / FRAME_SAMPLES - 1)
    if (loud && last.loud) this.#spacingMs.push(arrivedMs - last.arrivedMs)
    return loud && !last.loud
  }

  figures(): StreamFigures {
    return { spacingMs: this.#spacingMs, packets: this.#packets, missing: this.#missing }
  }
}
