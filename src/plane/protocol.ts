import type { Law } from '../media/audio.ts'
import type { Address, Heard, LineEvent, LineFigures, SpokenChunk } from './line.ts'
import type { RecorderWay } from './takes.ts'

/** The media thread's whole language. A line is named by a number that the main thread chose and never uses again. */
export type ToPlane =
  | { readonly kind: 'open'; readonly line: number; readonly law: Law }
  | { readonly kind: 'connect'; readonly line: number; readonly peer: Address }
  | { readonly kind: 'speak'; readonly line: number; readonly chunk: SpokenChunk }
  | { readonly kind: 'pause' | 'resume' | 'close'; readonly line: number }
  | { readonly kind: 'digitReleased'; readonly line: number; readonly heldMs: number }
  /** Answered under the same ticket. */
  | { readonly kind: 'cancel' | 'stats'; readonly line: number; readonly ticket: number }
  | { readonly kind: 'listen'; readonly line: number; readonly to: Direction; readonly on: boolean }
  | { readonly kind: 'record' | 'capture'; readonly line: number; readonly take: number; readonly order: unknown }
  | { readonly kind: 'recordNoMore'; readonly line: number; readonly take: number }
  /** Whoever records; another where the one before has died. */
  | { readonly kind: 'recordTo'; readonly way: RecorderWay }

export type FromPlane =
  | { readonly kind: 'opened'; readonly line: number; readonly local: Address }
  | { readonly kind: 'refused'; readonly line: number; readonly message: string }
  | { readonly kind: 'frames'; readonly batch: FrameBatch }
  | { readonly kind: 'heard'; readonly line: number; readonly ticket: number; readonly heard: Heard[] }
  | { readonly kind: 'stats'; readonly line: number; readonly ticket: number; readonly figures: LineFigures }
  | { readonly kind: 'happened'; readonly line: number; readonly event: LineEvent }
  | { readonly kind: 'closed'; readonly line: number }

/** `received` from the caller, or `sent` to them. */
export type Direction = 'received' | 'sent'

/** The frames of all lines in one turn of the media thread's loop: three numbers a frame, and its audio. */
export interface FrameBatch {
  /** Line, media time in milliseconds, and what it is as `frameCode` tells. */
  readonly heads: Float64Array<ArrayBuffer>
  readonly audio: Uint8Array<ArrayBuffer>
}
