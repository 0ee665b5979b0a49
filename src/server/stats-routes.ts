import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'
import { type StoredDay, statsByDay, timeZoneOf } from '../store/stats.ts'
import { scopeOf } from './access.ts'
import type { ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { askedDay, business } from './schemas.ts'
import type { TypedServer } from './typed.ts'

const DAY_MS = 86_400_000
const DAYS_WHEN_NOT_SAID = 7

const day = z.iso.date()
const statsQuery = z.strictObject({ business: business.optional(), from: askedDay.optional(), to: askedDay.optional() })
const dayStats = z.object({
  day,
  calls: z.number(),
  answered: z.number(),
  transferred: z.number(),
  voicemails: z.number(),
  refused: z.number(),
  minutes: z.number().describe('Of answered calls, from their offer to their end.'),
  answers: z
    .object({ count: z.number(), averageMs: z.number(), p95Ms: z.number() })
    .nullable()
    .describe("How long the agent took to answer: from the caller's last sound to its first."),
})
const stats = z.object({
  business: z.string().nullable(),
  timeZone: z.string().describe("The business's; UTC for all businesses together."),
  from: day,
  to: day,
  days: z.array(dayStats),
})

export function statsRoutes(app: TypedServer, { store, clock }: Pick<ServerDependencies, 'store' | 'clock'>): void {
  const schema = { summary: 'Figures of each day', querystring: statsQuery, response: { 200: stats } }
  app.get('/v1/stats', { config: { access: 'business' }, schema }, async request => {
    const scope = scopeOf(request)
    const business = request.query.business ?? (scope === 'all' ? undefined : scope.business)
    const zone = business === undefined ? undefined : await store.ask(db => timeZoneOf(db, scope, business))
    const timeZone = zone ?? 'UTC'
    const { from, to } = spanOf(request.query, today(clock, timeZone))
    const days = await store.ask(db => statsByDay(db, scope, { business, timeZone, from, to }))
    return { business: business ?? null, timeZone, from, to, days: days.map(viewOf) }
  })
}

/** Without a beginning or an end: the last week, or the week up to or from that day. */
function spanOf(asked: { readonly from?: string | undefined; readonly to?: string | undefined }, now: string) {
  const to = asked.to ?? (asked.from === undefined ? now : shifted(asked.from, DAYS_WHEN_NOT_SAID - 1))
  const from = asked.from ?? shifted(to, 1 - DAYS_WHEN_NOT_SAID)
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1
  if (days < 1) throw new Refusal(400, 'The first day must not be after the last.')
  if (days > limits.http.days) throw new Refusal(400, `At most ${limits.http.days} days are told at once.`)
  return { from, to }
}

function shifted(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10)
}

/** As 2026-01-05, whatever the language of the machine. */
function today(clock: Clock, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone }).format(clock.wallMs())
}

function viewOf(stored: StoredDay): z.infer<typeof dayStats> {
  const { day, calls, answered, transferred, voicemails, refused, call_ms, answers, average_ms, p95_ms } = stored
  return {
    ...{ day, calls, answered, transferred, voicemails, refused },
    minutes: Math.round(Number(call_ms) / 600) / 100,
    answers: average_ms === null || p95_ms === null ? null : { count: answers, averageMs: average_ms, p95Ms: p95_ms },
  }
}
