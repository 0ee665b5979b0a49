import { z } from 'zod'
import type { OlderSession, SessionRequest } from '../providers/openai/protocol.ts'

const whoAnswers = { create_response: z.boolean().optional(), interrupt_response: z.boolean().optional() }
const turnDetection = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('server_vad'),
    threshold: z.number().min(0).max(1).optional(),
    prefix_padding_ms: z.number().int().min(0).optional(),
    silence_duration_ms: z.number().int().min(0).optional(),
    ...whoAnswers,
  }),
  z.strictObject({
    type: z.literal('semantic_vad'),
    eagerness: z.enum(['low', 'medium', 'high', 'auto']).optional(),
    ...whoAnswers,
  }),
])
const noiseReduction = z.strictObject({ type: z.enum(['near_field', 'far_field']) })
const transcription = z.strictObject({
  model: z.string().min(1),
  language: z
    .string()
    .regex(/^[a-z]{2}$/)
    .optional(),
})
const voice = z.enum(['alloy', 'ash', 'ballad', 'coral', 'echo', 'sage', 'shimmer', 'verse', 'marin', 'cedar'])
const tools = z.array(
  z.strictObject({
    type: z.literal('function'),
    name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/),
    description: z.string(),
    parameters: z.looseObject({ type: z.literal('object') }),
  }),
)

const newForm = z.looseObject({
  tools: tools.optional(),
  audio: z
    .looseObject({
      input: z.looseObject({
        turn_detection: turnDetection.nullish(),
        noise_reduction: noiseReduction.nullish(),
        transcription: transcription.nullish(),
      }),
      output: z.looseObject({ voice: voice.optional() }),
    })
    .partial()
    .optional(),
})
const olderForm = z.looseObject({
  tools: tools.optional(),
  voice: voice.optional(),
  turn_detection: turnDetection.nullish(),
  input_audio_noise_reduction: noiseReduction.nullish(),
  input_audio_transcription: transcription.nullish(),
})

/** Whether what is chosen about a session is among the values that there are. */
export function acceptable(session: SessionRequest | OlderSession): boolean {
  return ('audio' in session ? newForm : olderForm).safeParse(session).success
}
