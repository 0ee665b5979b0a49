import type { ReceivedFrame } from '../../caller/receiver.ts'
import { levelDb } from '../../caller/tones.ts'
import { Rhythm } from './both-sides.ts'

/** Quieter is the line itself. An agent may speak in tones or play music, so its sound counts, not its voice. */
const AUDIBLE_DB = -45
const SAMPLES_PER_MS = 8
/** What is heard is told apart to 5 ms. */
const BLOCK = 5 * SAMPLES_PER_MS
/** A click is nothing that anybody says. */
const SHORTEST_MS = 30
/** A pause within what is said is no longer than this; a silence is. */
const PAUSE_MS = 200
/** What of it is too soft, in its first moments. */
const GAP_MS = 40

/** A sound without a silence in it, on the call's clock. */
export interface Stretch {
  readonly fromMs: number
  readonly toMs: number
}

/** Tells when a sound was heard and when there was none. */
export class Ear {
  readonly #rhythm = new Rhythm()
  readonly #stretches: { fromMs: number; toMs: number }[] = []
  #candidate: { fromMs: number; toMs: number } | undefined

  write({ positionMs, arrivedMs, samples }: Pick<ReceivedFrame, 'positionMs' | 'arrivedMs' | 'samples'>): void {
    // What comes after the longest call is not looked at.
    if (positionMs === undefined) return
    const atMs = this.#rhythm.at(positionMs, arrivedMs)
    for (const { fromMs, toMs } of audibleBlocks(samples)) this.#hear(atMs + fromMs, atMs + toMs)
  }

  /** When what is heard began. */
  get startMs(): number | undefined {
    return this.#rhythm.startMs
  }

  /** The last one of all, still growing perhaps. */
  get last(): Stretch | undefined {
    return this.#stretches.at(-1)
  }

  /** The first one that begins no sooner than `fromMs` and goes on to `untilMs`, or begins after it. */
  firstOf(fromMs: number, untilMs = fromMs): Stretch | undefined {
    return this.#stretches.find(each => each.fromMs >= fromMs && each.toMs + PAUSE_MS > untilMs)
  }

  isOver(stretch: Stretch, nowMs: number): boolean {
    return stretch !== this.last || nowMs - stretch.toMs > PAUSE_MS
  }

  #hear(fromMs: number, toMs: number): void {
    const last = this.#stretches.at(-1)
    if (last && fromMs - last.toMs <= PAUSE_MS) {
      last.toMs = Math.max(last.toMs, toMs)
      return
    }
    if (!this.#candidate || fromMs - this.#candidate.toMs > GAP_MS) this.#candidate = { fromMs, toMs }
    this.#candidate.toMs = Math.max(this.#candidate.toMs, toMs)
    if (this.#candidate.toMs - this.#candidate.fromMs < SHORTEST_MS) return
    this.#stretches.push(this.#candidate)
    this.#candidate = undefined
  }
}

/** From the first sound in it to the last; nothing when all of it is silent. */
export function audiblePart(samples: Int16Array): Stretch | undefined {
  let part: Stretch | undefined
  for (const { fromMs, toMs } of audibleBlocks(samples)) part = { fromMs: part?.fromMs ?? fromMs, toMs }
  return part
}

function* audibleBlocks(samples: Int16Array): Generator<Stretch> {
  for (let at = 0; at < samples.length; at += BLOCK) {
    const block = samples.subarray(at, at + BLOCK)
    if (levelDb(block) <= AUDIBLE_DB) continue
    yield { fromMs: at / SAMPLES_PER_MS, toMs: (at + block.length) / SAMPLES_PER_MS }
  }
}
