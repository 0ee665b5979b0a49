import { limits } from '../limits.ts'
import { FRAME_MS, FRAME_SAMPLES, type Law, SILENCE } from './audio.ts'

/** What is to be said: audio in the call's law, and the words that this very audio says, with their own spaces. */
interface Chunk {
  readonly utterance: number
  readonly audio: Uint8Array
  readonly text: string
  readonly last: boolean
}

interface Heard {
  readonly utterance: number
  readonly text: string
  readonly ms: number
  readonly complete: boolean
}

/** Times are media time of the outgoing stream: 20 ms for every frame that was taken or left out. */
export type PlayoutEvent =
  | { readonly kind: 'started'; readonly utterance: number; readonly atMs: number }
  | { readonly kind: 'finished'; readonly heard: Heard; readonly atMs: number }
  | { readonly kind: 'overflowed'; readonly utterance: number }

/** Lent until the next one is taken. */
export interface PlayoutFrame {
  readonly audio: Uint8Array
  /** False for silence, whatever the reason for it. */
  readonly speech: boolean
}

interface Utterance {
  readonly id: number
  /** Not played to their end yet; of the first, `offset` bytes are. */
  readonly chunks: Chunk[]
  offset: number
  playedBytes: number
  unplayedBytes: number
  /** Of the chunks that were played to their end. */
  heardText: string
  textLength: number
  /** No more audio will be taken for it. */
  ended: boolean
  /** Ended by a bound, not by its speaker. */
  cut: boolean
}

const BYTES_PER_MS = FRAME_SAMPLES / FRAME_MS

/**
 * Bursts of speech go in, one frame comes out for every call of `next`, silence when there is nothing to say.
 *
 * **Bytes leave exactly as and in the order they came.** A frame is sent when it is full, or when its utterance has
 * ended: an utterance whose audio is late goes on at the sample where it ran dry, and one never begins in the frame
 * where another ends.
 *
 * Every utterance ends once: with a `finished` event, or in the result of `cancel`.
 */
export class Playout {
  readonly #onEvent: (event: PlayoutEvent) => void
  readonly #silence: PlayoutFrame
  readonly #speech: PlayoutFrame
  readonly #silenceByte: number
  readonly #queue: Utterance[] = []
  #unplayedBytes = 0
  #queuedChunks = 0
  /** Identifiers rise, so whatever is not newer than this and not queued is over. */
  #newest = Number.NEGATIVE_INFINITY
  #paused = false
  #framesTaken = 0
  #overflows = 0

  constructor(law: Law, onEvent: (event: PlayoutEvent) => void) {
    this.#onEvent = onEvent
    this.#silenceByte = SILENCE[law]
    this.#silence = { audio: new Uint8Array(FRAME_SAMPLES).fill(this.#silenceByte), speech: false }
    this.#speech = { audio: new Uint8Array(FRAME_SAMPLES), speech: true }
  }

  /** Whether the next frame will be speech. */
  get ready(): boolean {
    const head = this.#queue[0]
    if (this.#paused || !head) return false
    return head.unplayedBytes >= FRAME_SAMPLES || (head.ended && head.unplayedBytes > 0)
  }

  get unplayedMs(): number {
    return this.#unplayedBytes / BYTES_PER_MS
  }

  get overflows(): number {
    return this.#overflows
  }

  /** Queues a chunk behind what its utterance has, and a new utterance behind all others. The audio is kept, not copied. */
  write(chunk: Chunk): void {
    const utterance = this.#queue.find(queued => queued.id === chunk.utterance) ?? this.#begin(chunk.utterance)
    if (!utterance || utterance.ended) return
    if (this.#hasRoom(utterance, chunk)) this.#append(utterance, chunk)
    else this.#overflow(utterance)
    this.#finishDrained(this.#framesTaken * FRAME_MS)
  }

  /** The frame to send now. */
  next(): PlayoutFrame {
    const startMs = this.#framesTaken * FRAME_MS
    const speaks = this.ready
    this.#framesTaken += 1
    if (!speaks) return this.#silence

    const head = this.#queue[0]!
    const begins = head.playedBytes === 0
    const bytes = this.#fill(head)
    if (begins) this.#onEvent({ kind: 'started', utterance: head.id, atMs: startMs })
    this.#finishDrained(startMs + bytes / BYTES_PER_MS)
    return this.#speech
  }

  /** After a stall: so many frames were not taken in time and are left out; what is unplayed waits. */
  skip(frames: number): void {
    this.#framesTaken += frames
  }

  /** Silences the next frame and drops nothing. */
  pause(): void {
    this.#paused = true
  }

  /** Goes on at the sample where it paused. */
  resume(): void {
    this.#paused = false
  }

  /** Drops all that is unplayed and ends a pause; tells what was heard of each utterance that had not finished. */
  cancel(): Heard[] {
    const heard = this.#queue.map(utterance => heardOf(utterance, false))
    this.#queue.length = 0
    this.#unplayedBytes = 0
    this.#queuedChunks = 0
    this.#paused = false
    return heard
  }

  #begin(id: number): Utterance | undefined {
    if (id <= this.#newest) return undefined
    this.#newest = id
    const utterance = {
      id,
      chunks: [],
      offset: 0,
      playedBytes: 0,
      unplayedBytes: 0,
      heardText: '',
      textLength: 0,
      ended: false,
      cut: false,
    }
    this.#queue.push(utterance)
    return utterance
  }

  #hasRoom(utterance: Utterance, chunk: Chunk): boolean {
    return (
      this.#unplayedBytes + chunk.audio.length <= limits.media.unplayedMs * BYTES_PER_MS &&
      this.#queuedChunks < limits.media.unplayedChunks &&
      utterance.textLength + chunk.text.length <= limits.media.utteranceChars
    )
  }

  #append(utterance: Utterance, chunk: Chunk): void {
    utterance.chunks.push(chunk)
    utterance.unplayedBytes += chunk.audio.length
    utterance.textLength += chunk.text.length
    utterance.ended = chunk.last
    this.#unplayedBytes += chunk.audio.length
    this.#queuedChunks += 1
  }

  #overflow(utterance: Utterance): void {
    this.#overflows += 1
    utterance.ended = true
    utterance.cut = true
    this.#onEvent({ kind: 'overflowed', utterance: utterance.id })
    if (utterance.chunks.length > 0 || utterance.playedBytes > 0) return
    // Nothing of it will ever play: waiting for its turn would let such utterances pile up.
    this.#queue.splice(this.#queue.indexOf(utterance), 1)
    this.#finish(utterance, this.#framesTaken * FRAME_MS)
  }

  /** Fills the frame from the utterance's chunks, with silence behind its last sample; returns the samples of speech. */
  #fill(utterance: Utterance): number {
    const frame = this.#speech.audio
    const { chunks } = utterance
    let filled = 0
    while (filled < FRAME_SAMPLES && chunks.length > 0) {
      const { audio, text } = chunks[0]!
      const end = Math.min(audio.length, utterance.offset + FRAME_SAMPLES - filled)
      for (let i = utterance.offset; i < end; i++) frame[filled++] = audio[i]!
      utterance.offset = end
      if (end < audio.length) break
      chunks.shift()
      this.#queuedChunks -= 1
      utterance.heardText += text
      utterance.offset = 0
    }
    frame.fill(this.#silenceByte, filled)
    utterance.playedBytes += filled
    utterance.unplayedBytes -= filled
    this.#unplayedBytes -= filled
    return filled
  }

  #finishDrained(atMs: number): void {
    for (let head = this.#queue[0]; head?.ended && head.unplayedBytes === 0; head = this.#queue[0]) {
      this.#queue.shift()
      this.#queuedChunks -= head.chunks.length
      this.#finish(head, atMs)
    }
  }

  #finish(utterance: Utterance, atMs: number): void {
    this.#onEvent({ kind: 'finished', heard: heardOf(utterance, !utterance.cut), atMs })
  }
}

function heardOf(utterance: Utterance, complete: boolean): Heard {
  const { id, chunks, offset, playedBytes } = utterance
  let text = utterance.heardText
  // Words without audio go with the audio before them.
  const emptyShare = complete || playedBytes > 0 ? 1 : 0
  for (const chunk of chunks) {
    const share = chunk.audio.length > 0 ? offset / chunk.audio.length : emptyShare
    text += wordsWithin(chunk.text, share)
    if (share < 1) break
  }
  return { utterance: id, text, ms: playedBytes / BYTES_PER_MS, complete }
}

/** The words of a text that are over when this share of it has been said. */
function wordsWithin(text: string, share: number): string {
  let end = Math.floor(text.length * share)
  while (end > 0 && end < text.length && !isSpace(text, end)) end -= 1
  return text.slice(0, end)
}

function isSpace(text: string, at: number): boolean {
  return text.charAt(at).trim() === ''
}
