/** The two laws of G.711: how the bytes of a call encode a sample. */
export type Law = 'ulaw' | 'alaw'

export type AudioFormat =
  | { readonly encoding: Law; readonly rate: 8000 }
  | { readonly encoding: 'pcm16'; readonly rate: number }

/** What happened to the 20 ms a frame stands for. */
export type FrameKind =
  | 'heard' // received
  | 'concealed' // lost on the way, made up from what came before
  | 'missing' // the far end sent nothing (mute, hold): silence

/**
 * Where audio goes. A frame is lent: copy it to keep it.
 * G.711 sinks get Uint8Array, pcm16 sinks Int16Array.
 */
export interface AudioSink {
  readonly format: AudioFormat
  write(frame: Uint8Array | Int16Array, mediaTimeMs: number, kind: FrameKind): void
}

export const FRAME_MS = 20
/** Samples, and bytes of G.711, in a frame at 8 kHz. */
export const FRAME_SAMPLES = 160
/** 0x00 is full scale in mu-law: silence is these bytes, never zero (RFC 3551, ITU-T G.711). */
export const SILENCE: Readonly<Record<Law, number>> = { ulaw: 0xff, alaw: 0xd5 }
