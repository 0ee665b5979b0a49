import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import type { Recording } from './recording.ts'
import { levelDb, segments, toneShare } from './tones.ts'

/** Where in the recording something was heard. */
export interface Found {
  readonly fromMs: number
  readonly toMs: number
}

export interface ListenOptions {
  /** How long to wait for it. */
  readonly timeoutMs?: number
  /** Where in the recording to begin; by default where the last one was found, so that nothing is missed in between. */
  readonly sinceMs?: number
}

interface Search {
  readonly matches: (block: Int16Array) => boolean
  readonly forMs: number
  readonly sinceMs: number
  nextMs: number
  beganMs: number
  matchedMs: number
  holeMs: number
  readonly found: (where: Found) => void
  readonly failed: (why: string) => void
}

const SAMPLES_PER_MS = 8
const BLOCK_MS = 20
const SILENT_DB = -50
const AUDIBLE_DB = -40
const MOSTLY = 0.5
/** In a longer hole anything may have been. */
const LONGEST_HOLE_MS = 200

/** Waits for sounds in what is heard, frame by frame as it comes in. */
export class Listening {
  readonly #clock: Clock
  readonly #recording: Recording
  readonly #searches = new Set<Search>()
  #foundMs = 0
  #ended: string | undefined

  constructor(clock: Clock, recording: Recording) {
    this.#clock = clock
    this.#recording = recording
  }

  /** A block of 20 ms belongs to the tone when most of its power does: noise and other tones interrupt it. */
  hearsTone(hz: number, options: ListenOptions & { readonly forMs: number }): Promise<Found> {
    const isTone = (block: Int16Array) => levelDb(block) > AUDIBLE_DB && toneShare(block, hz) >= MOSTLY
    return this.#search(`${hz} Hz`, isTone, options)
  }

  hearsSilence(forMs: number, options: ListenOptions = {}): Promise<Found> {
    return this.#search('silence', block => levelDb(block) < SILENT_DB, { ...options, forMs })
  }

  #search(
    name: string,
    matches: Search['matches'],
    { forMs, timeoutMs = limits.caller.listenMs, sinceMs = this.#foundMs }: ListenOptions & { forMs: number },
  ): Promise<Found> {
    const { promise, resolve, reject } = Promise.withResolvers<Found>()
    const settle = () => {
      cancel()
      this.#searches.delete(search)
    }
    const search: Search = {
      matches,
      forMs,
      sinceMs,
      nextMs: sinceMs,
      beganMs: sinceMs,
      matchedMs: 0,
      holeMs: 0,
      found: where => {
        settle()
        this.#foundMs = where.toMs
        resolve(where)
      },
      failed: why => {
        settle()
        const heard = describe(this.#recording.heard(sinceMs))
        reject(new Error(`${name} for ${forMs} ms was not heard: ${why}; heard from ${sinceMs} ms on: ${heard}`))
      },
    }
    const cancel = this.#clock.after(timeoutMs, () => search.failed(`not within ${timeoutMs} ms`))
    this.#searches.add(search)
    this.#advance(search)
    if (this.#ended !== undefined && this.#searches.has(search)) search.failed(this.#ended)
    return promise
  }

  /** To be told of every frame. */
  heardMore(): void {
    for (const search of this.#searches) this.#advance(search)
  }

  ended(why: string): void {
    this.#ended = why
    for (const search of [...this.#searches]) search.failed(why)
  }

  #advance(search: Search): void {
    while (search.nextMs + BLOCK_MS <= this.#recording.lengthMs) {
      this.#take(search, search.nextMs, search.nextMs + BLOCK_MS)
      search.nextMs += BLOCK_MS
      if (search.matchedMs >= search.forMs) return search.found({ fromMs: search.beganMs, toMs: search.nextMs })
    }
  }

  /** A hole is neither the sound nor another one: it counts for nothing, and a short one breaks nothing. */
  #take(search: Search, fromMs: number, toMs: number): void {
    const isHole = !this.#recording.isWhole(fromMs, toMs)
    search.holeMs = isHole ? search.holeMs + BLOCK_MS : 0
    if (isHole && search.holeMs <= LONGEST_HOLE_MS) return
    if (isHole || !search.matches(this.#recording.heard(fromMs, toMs))) search.matchedMs = 0
    else {
      if (search.matchedMs === 0) search.beganMs = fromMs
      search.matchedMs += BLOCK_MS
    }
  }
}

const FINEST_HZ = 25
const unknownTones = Array.from({ length: 3_200 / FINEST_HZ }, (_, i) => 200 + i * FINEST_HZ)
/** Shorter tones are the ups and downs of a voice, and shorter sounds the edges of others. */
const SHORTEST_MS = 40
const MOST_PARTS = 12

/** What was heard, in words: for the reader of a failed test. */
export function describe(samples: Int16Array): string {
  const parts: { what: string; fromMs: number; toMs: number }[] = []
  for (const { sound, hz, fromMs, toMs } of segments(samples, unknownTones)) {
    const isTone = sound === 'tone' && toMs - fromMs >= SHORTEST_MS
    const what = isTone ? `about ${hz} Hz` : sound === 'silence' ? sound : 'other sound'
    const last = parts.at(-1)
    if (last?.what === what) last.toMs = toMs
    else parts.push({ what, fromMs, toMs })
  }
  const told = parts.filter(({ what, fromMs, toMs }) => what !== 'other sound' || toMs - fromMs >= SHORTEST_MS)
  const words = told.slice(0, MOST_PARTS).map(({ what, fromMs, toMs }) => {
    const level = Math.round(levelDb(samples.subarray(fromMs * SAMPLES_PER_MS, toMs * SAMPLES_PER_MS)))
    return `${fromMs}-${toMs} ms ${what}${what === 'silence' ? '' : ` at ${level} dB`}`
  })
  const left = told.length - MOST_PARTS
  return words.length === 0 ? 'nothing at all' : words.join(', ') + (left > 0 ? `, and ${left} more sounds` : '')
}
