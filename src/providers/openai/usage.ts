import type { Usage } from '../../call/events.ts'
import type { Response, ServerEventOf } from './protocol.ts'

type Written = ServerEventOf<'conversation.item.input_audio_transcription.completed'>['usage']

/** Of one response, whoever wanted it: a cancelled one is charged, too. */
export function usageOfResponse({ usage }: Response): Usage {
  const { input_token_details: input, output_token_details: output } = usage ?? {}
  return counted({
    inputTokens: usage?.input_tokens,
    inputTextTokens: input?.text_tokens,
    inputAudioTokens: input?.audio_tokens,
    cachedTokens: input?.cached_tokens,
    cachedAudioTokens: input?.cached_tokens_details?.audio_tokens,
    outputTokens: usage?.output_tokens,
    outputTextTokens: output?.text_tokens,
    outputAudioTokens: output?.audio_tokens,
  })
}

/** Of words that were written down: in tokens or in time, as the model is paid. */
export function usageOfWords(usage: Written | undefined): Usage {
  if (usage?.type === 'tokens') {
    return counted({ transcriptionInputTokens: usage.input_tokens, transcriptionOutputTokens: usage.output_tokens })
  }
  return counted({ transcriptionMs: usage?.type === 'duration' ? Math.round(1_000 * usage.seconds) : undefined })
}

/** Of a response by HTTP, which counts in words of its own. */
export function usageOfText(usage: unknown): Usage {
  const { input_tokens, input_tokens_details, output_tokens } = Object(usage) as Readonly<Record<string, unknown>>
  const { cached_tokens } = Object(input_tokens_details) as Readonly<Record<string, unknown>>
  return counted({ inputTokens: input_tokens, cachedTokens: cached_tokens, outputTokens: output_tokens })
}

/** A server of another make may leave out any of it, or write what is no number. */
function counted(usage: { readonly [K in keyof Usage]: unknown }): Usage {
  const told = Object.entries(usage).filter(([, value]) => Number.isSafeInteger(value) && (value as number) > 0)
  return Object.fromEntries(told)
}
