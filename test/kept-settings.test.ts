import { describe, expect, it } from 'vitest'
import { readConfig } from '../src/config.ts'

describe('who writes down and tells in short what callers have said', () => {
  it('is built in, unless OpenAI or a like server is there', () => {
    expect(readConfig({}).digests).toEqual({
      transcriber: 'built-in',
      summarizer: 'built-in',
      transcriptionModel: 'gpt-transcribe',
      summaryModel: 'gpt-5.4-mini',
    })
    expect(readConfig({ OPENAI_API_KEY: 'key' }).digests).toMatchObject({ transcriber: 'openai', summarizer: 'openai' })
  })

  it('can be chosen, and be nobody', () => {
    const environment = { OPENAI_BASE_URL: 'http://127.0.0.1:9', TRANSCRIBER: 'built-in', SUMMARIZER: 'none' }
    const models = { OPENAI_TRANSCRIPTION_MODEL: 'whisper', OPENAI_SUMMARY_MODEL: 'small' }
    expect(readConfig({ ...environment, ...models }).digests).toEqual({
      ...{ transcriber: 'built-in', summarizer: 'none', transcriptionModel: 'whisper', summaryModel: 'small' },
    })
  })

  it.each([
    [{ TRANSCRIBER: 'openai' }, 'TRANSCRIBER=openai needs OPENAI_API_KEY'],
    [{ SUMMARIZER: 'openai' }, 'SUMMARIZER=openai needs OPENAI_API_KEY'],
    [{ SUMMARIZER: 'me' }, 'SUMMARIZER must be one of auto, openai, built-in, none'],
  ])('is refused in words: %j', (environment: Record<string, string>, words) => {
    expect(() => readConfig(environment)).toThrow(words)
  })
})
