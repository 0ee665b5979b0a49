import type { TranscriptionCreateParamsNonStreaming } from 'openai/resources/audio/transcriptions'
import { z } from 'zod'
import type { Transcriber } from '../../agent/ports.ts'
import { limits } from '../../limits.ts'
import { ask, failed, type HttpParts } from './http.ts'
import { usageOfWords } from './usage.ts'

type Field = keyof TranscriptionCreateParamsNonStreaming

const answer = z.looseObject({
  text: z.string(),
  usage: z
    .union([
      z.looseObject({ type: z.literal('tokens'), input_tokens: z.number(), output_tokens: z.number() }),
      z.looseObject({ type: z.literal('duration'), seconds: z.number() }),
    ])
    .optional()
    .catch(undefined),
})

/** https://platform.openai.com/docs/api-reference/audio/createTranscription */
export function openaiTranscriber({ model, ...parts }: HttpParts & { readonly model: string }): Transcriber {
  return {
    by: 'provider',
    async transcribe({ wav, language, hints }, signal) {
      if (wav.byteLength > limits.digest.soundBytes) throw failed('The sound is larger than the server takes.')
      const form = new FormData()
      const put = (name: Field, value: string) => form.append(name, value)
      put('model', model)
      put('response_format', 'json')
      put('language', language.split('-')[0]!)
      if (hints.length > 0) put('prompt', hints.join(', '))
      form.append('file' satisfies Field, new Blob([new Uint8Array(wav)], { type: 'audio/wav' }), 'message.wav')
      const read = answer.safeParse(await ask(parts, '/v1/audio/transcriptions', form, signal))
      if (!read.success) throw failed('The server answered without any text.', true)
      const { text, usage } = read.data
      const counted = usage as Parameters<typeof usageOfWords>[0]
      return { text: text.trim().slice(0, limits.digest.transcriptChars), usage: usageOfWords(counted), model }
    },
  }
}
