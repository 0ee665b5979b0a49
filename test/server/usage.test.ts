import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import type { Store } from '../../src/store/store.ts'
import type { StoredUsage } from '../../src/store/usage.ts'
import { away, house, withToken } from './house.ts'

const used = {
  call_ms: '90500',
  telephone_minutes: '3',
  input_tokens: '132',
  input_text_tokens: '119',
  input_audio_tokens: '13',
  cached_tokens: '64',
  cached_audio_tokens: '4',
  output_tokens: '121',
  output_text_tokens: '30',
  output_audio_tokens: '91',
  transcription_input_tokens: '14',
  transcription_output_tokens: '5',
  transcription_ms: '2500',
}
const row: StoredUsage = { business: 'dentist', day: '2026-01-05', calls: 2, answered: 1, ...used }

function asking(rows: unknown) {
  const parts = house()
  Object.assign(parts.store, { ask: (async () => rows) as Store['ask'] })
  return (url: string) => parts.server.inject({ url, headers: withToken })
}

describe('what has been used', () => {
  it('is told by day and business, in what it is paid by', async () => {
    const answer = await asking([row])('/v1/usage')
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({
      from: '2025-12-07',
      to: '2026-01-05',
      usage: [
        {
          business: 'dentist',
          day: '2026-01-05',
          calls: 2,
          answered: 1,
          callSeconds: 90.5,
          telephoneMinutes: 3,
          provider: {
            inputTokens: 132,
            inputTextTokens: 119,
            inputAudioTokens: 13,
            cachedTokens: 64,
            cachedAudioTokens: 4,
            outputTokens: 121,
            outputTextTokens: 30,
            outputAudioTokens: 91,
            transcriptionInputTokens: 14,
            transcriptionOutputTokens: 5,
            transcriptionSeconds: 2.5,
          },
        },
      ],
    })
  })

  it('is told of one call, if there is such a one', async () => {
    const answer = await asking({ call: 'c1', business: 'dentist', ...used })('/v1/calls/c1/usage')
    expect(answer.json()).toMatchObject({ call: 'c1', callSeconds: 90.5, provider: { inputTokens: 132 } })
    expect((await asking(undefined)('/v1/calls/c2/usage')).statusCode).toBe(404)
  })

  it.each([
    ['?from=2026-01-06&to=2026-01-05', /comes after the last/],
    ['?from=2026-01-32', /from/],
    ['?to=today', /to/],
    ['?day=2026-01-05', /day/],
    ['?from=0000-01-01', /from: must be a day from 1970-01-01/],
    ['?to=9999-12-31', /to: must be a day from 1970-01-01/],
  ])('is refused in words: %s', async (query, words) => {
    const answer = await asking([])(`/v1/usage${query}`)
    expect(answer.statusCode).toBe(400)
    expect(answer.body).toMatch(words)
  })

  it('is never more than can be told at once', async () => {
    const answer = await asking(Array(limits.http.usageRows + 1).fill(row))('/v1/usage')
    expect(answer.statusCode).toBe(400)
    expect(answer.body).toContain('fewer days')
  })

  it('is not known while the database is away', async () => {
    const { server } = house({ store: { failing: true, silent: false, ask: away } })
    expect((await server.inject({ url: '/v1/usage', headers: withToken })).statusCode).toBe(503)
  })
})
