import { type Percentiles, percentiles } from '../report/percentiles.ts'
import { type Check, figure, type Row } from '../report/row.ts'
import type { RealtimeFigures } from './realtime-load.ts'

const CPU_GOAL = 0.25
/** In percent of all cores. */
export const LEAST_IDLE = 10

export function callsText({ calls, tls }: Pick<RealtimeFigures, 'calls' | 'tls'>): string {
  return `${calls} ${calls === 1 ? 'call' : 'calls'}, ${tls ? 'TLS' : 'without TLS'}`
}

export function pathRow(figures: RealtimeFigures): Row {
  const { times, conditions } = figures
  const path = percentiles(times.pathMs)
  return {
    subject: `media path of a turn, ${callsText(figures)}`,
    checks: [...within(path, 5, 20), ...orderly(figures)],
    notes: [
      `to the provider ${spread(times.upMs)}`,
      `from the provider ${spread(times.downMs)}`,
      `max ${figure(path.max)} ms`,
      `${figure(path.count)} turns`,
    ],
    conditions,
  }
}

export function silencedRow(figures: RealtimeFigures): Row {
  const { silencedMs } = figures.times
  const silenced = percentiles(silencedMs)
  const after = silencedMs.filter(ms => ms > 0)
  return {
    subject: `speech_started to the agent's last packet, ${callsText(figures)}`,
    checks: within(silenced, 10, 20),
    notes: [
      `max ${figure(silenced.max)} ms`,
      `${figure(silenced.count)} interruptions, ${figure(after.length)} of them with a packet after it`,
    ],
    conditions: figures.conditions,
  }
}

/** What it costs that the gateway says who is answered. */
export function askedRow(
  figures: RealtimeFigures,
  { interruptMs, wordMs }: Record<'interruptMs' | 'wordMs', number>,
): Row {
  const { askedMs } = figures.times
  const asked = (long: boolean) => askedMs.filter(({ voiceMs }) => voiceMs >= interruptMs === long).map(({ ms }) => ms)
  return {
    subject: `committed to response.create, ${callsText(figures)}`,
    checks: [],
    notes: [
      `after ${interruptMs} ms of voice and more ${spread(asked(true))}`,
      `after less ${spread(asked(false))}, of it ${wordMs} ms until the first word is known`,
    ],
    conditions: figures.conditions,
  }
}

export function costRow(plain: RealtimeFigures, tls: RealtimeFigures): Row {
  const cost = (figures: RealtimeFigures, name: string) =>
    ((figures.busy.cpu[name] ?? 0) - (figures.idle.cpu[name] ?? 0)) / figures.calls
  const perCall = (name: string) =>
    `${name} ${cost(plain, name).toFixed(2)} %, with TLS ${cost(tls, name).toFixed(2)} %`
  return {
    subject: `cost of a realtime call, of ${plain.calls}`,
    checks: [{ name: 'gateway without TLS, % of a core', value: cost(plain, 'gateway'), most: CPU_GOAL }],
    notes: [
      `TLS ${(cost(tls, 'gateway') - cost(plain, 'gateway')).toFixed(2)} % more`,
      ...['of it main', 'of it media', 'of it database', "of it V8's", 'Asterisk', 'double'].map(perCall),
    ],
    conditions: plain.conditions,
  }
}

/** One number of calls, and whether everything asked for still holds. */
export function qualityRow(figures: RealtimeFigures): Row {
  const { talk, times, busy, conditions } = figures
  const off = percentiles(talk.spacingMs.map(ms => Math.abs(ms - 20)))
  const lateMs = percentiles(talk.callerLateMs).p99
  const path = percentiles(times.pathMs)
  const silenced = percentiles(times.silencedMs)
  return {
    subject: callsText(figures),
    checks: [
      {
        name: "spacing p99 off 20 ms, beyond the caller's own",
        value: Math.max(0, off.p99 - lateMs),
        most: 2,
        unit: 'ms',
      },
      { name: 'frames missing', value: talk.missing, most: 0 },
      { name: 'cores busy, %', value: busy.busy, most: 100 - LEAST_IDLE },
      ...within(path, 5, 20, 'media path '),
      ...within(silenced, 10, 20, 'silenced '),
      ...orderly(figures),
    ],
    notes: [
      `spacing off by p50 ${figure(off.p50)} ms, p99 ${figure(off.p99)} ms`,
      `${figure(path.count)} turns, ${figure(silenced.count)} interruptions`,
    ],
    conditions,
  }
}

function within(measured: Percentiles, p50: number, p99: number, of = ''): Check[] {
  return [
    { name: `${of}p50`, value: measured.p50, most: p50, unit: 'ms' },
    { name: `${of}p99`, value: measured.p99, most: p99, unit: 'ms' },
  ]
}

function orderly({ talk, times, problems }: RealtimeFigures): Check[] {
  return [
    { name: 'turns without a reply', value: talk.unanswered, most: 0 },
    { name: 'turns that one side does not know', value: times.unmatched, most: 0 },
    {
      name: `problems told by the double${problems.length > 0 ? ` (${[...new Set(problems)].join(', ')})` : ''}`,
      value: problems.length,
      most: 0,
    },
  ]
}

function spread(values: readonly number[]): string {
  const { p50, p99 } = percentiles(values)
  return `p50 ${figure(p50)} ms, p99 ${figure(p99)} ms`
}
