import type { AudioSink, Law } from '../media/audio.ts'

/** Names one thing the agent says, within its line. Chosen by the agent, rising. */
export type UtteranceId = number

/** A piece of an utterance: audio in the line's own law, and the words that this very audio says. */
export interface SpokenChunk {
  readonly utterance: UtteranceId
  readonly audio: Uint8Array
  readonly text: string
  /** No more chunks of this utterance will come. */
  readonly last: boolean
}

/** What the caller has heard of an utterance, to the frame. */
export interface Heard {
  readonly utterance: UtteranceId
  readonly text: string
  readonly ms: number
  /** All of it, to the end. */
  readonly complete: boolean
}

/** Told by the media thread; times are media time of the line's outgoing stream, in milliseconds since it opened. */
export type LineEvent =
  | { readonly kind: 'started'; readonly utterance: UtteranceId; readonly atMs: number }
  | { readonly kind: 'finished'; readonly heard: Heard; readonly atMs: number }
  /** The bound on unplayed audio was met: the chunk was dropped and the utterance ends where it was. */
  | { readonly kind: 'overflowed'; readonly utterance: UtteranceId }
  /** Its socket, its listener or its thread failed: this line will carry nothing more, and is still to be closed. */
  | { readonly kind: 'failed'; readonly message: string }

export interface LineFigures {
  readonly received: {
    packets: number
    lost: number
    late: number
    duplicated: number
    reordered: number
    concealedFrames: number
    missingFrames: number
    /** Packets from an address that is not the peer: counted and dropped. */
    strangers: number
    /** Packets that are not RTP, or not of this call's payload type. */
    invalid: number
    jitterMs: number
    /** Of the far end's clock against ours. */
    driftPpm: number
    ssrcChanges: number
  }
  readonly sent: {
    packets: number
    /** Frames that left later than 2 ms after their deadline. */
    lateFrames: number
    worstLateMs: number
    /** Left out after a stall of the media thread. */
    skippedFrames: number
    unplayedMs: number
    overflows: number
  }
  /** Frames, of either way, that whoever hears or taps did not take in time: dropped. */
  readonly shedFrames: number
}

export interface Address {
  readonly address: string
  readonly port: number
}

/**
 * One call's audio, as the rest of the program sees it. The work is done on the media thread; what was handed over goes
 * on playing while this thread is busy.
 */
export interface Line {
  readonly law: Law
  /** Where the media thread listens for this line. */
  readonly local: Address
  /** Pins the line to the only address it will ever hear and speak to. Nothing is sent before. Throws if it is no IPv4 address. */
  connect(peer: Address): void
  /** Queues audio behind what is already queued. */
  speak(chunk: SpokenChunk): void
  /** Silences the very next frame and drops nothing. */
  pause(): void
  /** Goes on at the sample where it paused. */
  resume(): void
  /** Drops all that is unplayed; tells what was heard of each utterance that had not finished. */
  cancel(): Promise<Heard[]>
  /** Every frame received from now on, 20 ms each, in the sink's own format; the returned function ends it. */
  hear(sink: AudioSink): () => void
  /** Every frame sent from now on, silence included. */
  tap(sink: AudioSink): () => void
  /**
   * Both sides from now on, as pairs, to whoever records (`recordTo`), who is told the order as it is; one take at a time. It
   * ends with the line at the latest, and whoever records tells that. False where the line is closed: then nobody does.
   */
  record(take: number, order: unknown): boolean
  /** Each stage of its sound from now on, to the same one and in the same way. */
  capture(take: number, order: unknown): boolean
  recordNoMore(take: number): void
  /** A keypad digit that was told another way: its packets are missing from what this line receives, and are not lost. */
  digitReleased(heldMs: number): void
  onEvent(listener: (event: LineEvent) => void): () => void
  figures(): Promise<LineFigures>
  close(): Promise<void>
}

/** The media thread as the main thread holds it. */
export interface Plane {
  /** Binds a socket on loopback, outside `forbidden` (Asterisk's own range). */
  open(law: Law): Promise<Line>
  readonly lineCount: number
  close(): Promise<void>
}
