import { describe, expect, it } from 'vitest'
import { usageOfResponse, usageOfWords } from '../../../src/providers/openai/usage.ts'

describe('what a server counts', () => {
  it('is taken as it stands, of a response and of words', () => {
    const usage = {
      total_tokens: 253,
      input_tokens: 132,
      output_tokens: 121,
      input_token_details: {
        text_tokens: 119,
        audio_tokens: 13,
        cached_tokens: 64,
        cached_tokens_details: { text_tokens: 60, audio_tokens: 4 },
      },
      output_token_details: { text_tokens: 30, audio_tokens: 91 },
    }
    expect(usageOfResponse({ usage })).toEqual({
      inputTokens: 132,
      inputTextTokens: 119,
      inputAudioTokens: 13,
      cachedTokens: 64,
      cachedAudioTokens: 4,
      outputTokens: 121,
      outputTextTokens: 30,
      outputAudioTokens: 91,
    })
    expect(usageOfWords({ type: 'tokens', input_tokens: 14, output_tokens: 5, total_tokens: 19 })).toEqual({
      transcriptionInputTokens: 14,
      transcriptionOutputTokens: 5,
    })
    expect(usageOfWords({ type: 'duration', seconds: 2.5 })).toEqual({ transcriptionMs: 2_500 })
  })

  it('may be missing, or be no number: then it counts nothing', () => {
    expect(usageOfResponse({})).toEqual({})
    expect(usageOfWords(undefined)).toEqual({})
    const odd = { input_tokens: 'many', output_tokens: -4, input_token_details: null } as never
    expect(usageOfResponse({ usage: odd })).toEqual({})
    expect(usageOfWords({ type: 'duration' } as never)).toEqual({})
  })
})
