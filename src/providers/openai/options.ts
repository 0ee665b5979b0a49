import { defaultRealtimeModel, defaultTranscriptionModel } from './models.ts'
import type { TurnDetection } from './protocol.ts'

export const turnDetections = ['server_vad', 'semantic_vad'] as const
export const eagernesses = ['auto', 'low', 'medium', 'high'] as const
export const noiseReductions = ['far_field', 'near_field', 'off'] as const
export const audios = ['auto', 'pcm'] as const

/** What is chosen about sessions, besides what each call brings. */
export interface RealtimeOptions {
  readonly model: string
  /** Of a business that names none. */
  readonly voice: string
  readonly turnDetection: (typeof turnDetections)[number]
  /** Of server_vad: silence that ends a segment, how loud a voice must be, what is kept from before it. */
  readonly silenceMs: number
  readonly threshold: number
  readonly prefixMs: number
  /** Of semantic_vad. */
  readonly eagerness: (typeof eagernesses)[number]
  readonly noiseReduction: (typeof noiseReductions)[number]
  /** Empty: what the caller says is not written down, and short words cannot be told from a cough. */
  readonly transcriptionModel: string
  /** The server itself answers each segment, and falls silent at each voice, coughs included. */
  readonly serverAnswers: boolean
  /** `auto`: the call's own law, unless the server knows only PCM. */
  readonly audio: (typeof audios)[number]
}

export const defaultOptions: RealtimeOptions = {
  model: defaultRealtimeModel,
  voice: 'marin',
  turnDetection: 'server_vad',
  silenceMs: 500,
  threshold: 0.5,
  prefixMs: 300,
  eagerness: 'auto',
  noiseReduction: 'far_field',
  transcriptionModel: defaultTranscriptionModel,
  serverAnswers: false,
  audio: 'auto',
}

/** A server says that a voice has ended once it has been silent for so long. */
export function endLateMsOf({ turnDetection, silenceMs }: RealtimeOptions): number {
  return turnDetection === 'server_vad' ? silenceMs : 0
}

export function turnDetectionOf(options: RealtimeOptions): TurnDetection {
  const whoAnswers = { create_response: options.serverAnswers, interrupt_response: options.serverAnswers }
  if (options.turnDetection === 'semantic_vad') {
    return { type: 'semantic_vad', eagerness: options.eagerness, ...whoAnswers }
  }
  return {
    type: 'server_vad',
    threshold: options.threshold,
    prefix_padding_ms: options.prefixMs,
    silence_duration_ms: options.silenceMs,
    ...whoAnswers,
  }
}
