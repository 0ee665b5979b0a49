import { limits } from '../limits.ts'
import { type StoredCallUsage, usageByDay, usageOfCall } from '../store/usage.ts'
import { scopeOf } from './access.ts'
import type { ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import type { TypedServer } from './typed.ts'
import { callUsage, type Used, usageList, usageQuery, usedCallParameters } from './usage-schemas.ts'

const DAYS_TOLD = 30
const DAY_MS = 86_400_000

/** What calls have cost, in what it is paid by. A business sees its own. */
export function usageRoutes(app: TypedServer, { store, clock }: Pick<ServerDependencies, 'store' | 'clock'>): void {
  const config = { access: 'business' } as const

  const byDay = { summary: 'What is paid for, by day', querystring: usageQuery, response: { 200: usageList } }
  app.get('/v1/usage', { config, schema: byDay }, async request => {
    const { business, to = dayOf(clock.wallMs()) } = request.query
    const { from = dayOf(Date.parse(to) - (DAYS_TOLD - 1) * DAY_MS) } = request.query
    if (from > to) throw new Refusal(400, 'The first day (from) comes after the last (to).')
    const most = limits.http.usageRows
    const query = { business, from, to, most: most + 1 }
    const rows = await store.ask(db => usageByDay(db, scopeOf(request), query))
    if (rows.length > most) {
      throw new Refusal(400, `There are more than ${most} days of businesses: ask for fewer days, or one business.`)
    }
    const usage = rows.map(row => {
      const { business, day, calls, answered } = row
      return { business, day, calls, answered, ...usedOf(row) }
    })
    return { from, to, usage }
  })

  const ofCall = { summary: 'What is paid for, of one call', params: usedCallParameters, response: { 200: callUsage } }
  app.get('/v1/calls/:id/usage', { config, schema: ofCall }, async request => {
    const row = await store.ask(db => usageOfCall(db, scopeOf(request), request.params.id))
    if (!row) throw new Refusal(404, 'There is no such call, or it has used nothing yet.')
    return { call: row.call, business: row.business, ...usedOf(row) }
  })
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function usedOf(row: Omit<StoredCallUsage, 'call' | 'business'>): Used {
  return {
    callSeconds: Number(row.call_ms) / 1_000,
    telephoneMinutes: Number(row.telephone_minutes),
    provider: {
      inputTokens: Number(row.input_tokens),
      inputTextTokens: Number(row.input_text_tokens),
      inputAudioTokens: Number(row.input_audio_tokens),
      cachedTokens: Number(row.cached_tokens),
      cachedAudioTokens: Number(row.cached_audio_tokens),
      outputTokens: Number(row.output_tokens),
      outputTextTokens: Number(row.output_text_tokens),
      outputAudioTokens: Number(row.output_audio_tokens),
      transcriptionInputTokens: Number(row.transcription_input_tokens),
      transcriptionOutputTokens: Number(row.transcription_output_tokens),
      transcriptionSeconds: Number(row.transcription_ms) / 1_000,
    },
  }
}
