import type { Business } from '../business.ts'
import { mayCall } from '../business-telephone.ts'
import type { AnsweredBy, CarrierStatus, NotMade } from '../call/carrier-events.ts'
import { limits } from '../limits.ts'
import { zonesOf } from './callee-zones.ts'

type Rules = Business['outbound']

/** What is to be done with a call out whose turn it is. */
export type BeforeAttempt =
  | { readonly kind: 'dial'; readonly from: string }
  | { readonly kind: 'later'; readonly atMs: number }
  | { readonly kind: 'never'; readonly why: NotMade }

/** Asked before every attempt: whoever has said no meanwhile is not called, however long ago it was wanted. */
export function beforeAttempt(
  { number, forbidden }: { readonly number: string; readonly forbidden: boolean },
  business: Business | undefined,
  wallMs: number,
): BeforeAttempt {
  if (forbidden) return { kind: 'never', why: 'doNotCall' }
  const from = business && callerIdOf(business)
  if (!business?.active || !business.outbound.enabled || from === undefined || !mayCall(business.outbound, number)) {
    return { kind: 'never', why: 'stopped' }
  }
  const zones = zonesOf(number) ?? [business.timeZone]
  const atMs = firstWithin(wallMs, zones, business.outbound)
  if (atMs === undefined) return { kind: 'never', why: 'hours' }
  return atMs > wallMs ? { kind: 'later', atMs } : { kind: 'dial', from }
}

export function callerIdOf({ outbound, numbers }: Pick<Business, 'outbound' | 'numbers'>): string | undefined {
  return outbound.callerId ?? numbers[0]
}

/** An attempt, as far as its call's record tells of it. */
export interface Attempt {
  readonly attempts: number
  readonly begunAtMs: number
  /** None: nobody has told anything. */
  readonly status: CarrierStatus | null
  readonly answeredBy: AnsweredBy | null
  /** Of a call that was never made. */
  readonly notMade: NotMade | undefined
  /** Who has answered was never with the agent. */
  readonly withoutAgent: boolean
}

type Outcome = 'answered' | 'messageLeft' | 'machine' | 'fax' | 'busy' | 'noAnswer' | 'failed' | 'canceled' | NotMade

export type AfterAttempt = { readonly kind: 'open' } | Settled

type Settled = (
  | { readonly kind: 'again'; readonly outcome: Outcome; readonly atMs: number }
  | { readonly kind: 'over'; readonly outcome: Outcome }
) & {
  /** Nobody will tell any more what became of it. */
  readonly lost?: true
}

const worthAnother: readonly Outcome[] = ['busy', 'noAnswer', 'failed', 'machine', 'unreachable']

export function afterAttempt(attempt: Attempt, rules: Rules | undefined, wallMs: number): AfterAttempt {
  const outcome = outcomeOf(attempt, rules)
  if (outcome !== undefined) return next(outcome, attempt, rules, wallMs)
  if (wallMs < lostAtMs(attempt, rules)) return { kind: 'open' }
  return { ...next('unreachable', attempt, rules, wallMs), lost: true }
}

function next(outcome: Outcome, { attempts }: Attempt, rules: Rules | undefined, wallMs: number): Settled {
  const again = rules !== undefined && worthAnother.includes(outcome) && attempts < rules.attempts
  if (!again) return { kind: 'over', outcome }
  return { kind: 'again', outcome, atMs: wallMs + rules.retryMinutes * 60_000 }
}

function outcomeOf(attempt: Attempt, rules: Rules | undefined): Outcome | undefined {
  const { status, answeredBy, notMade, withoutAgent } = attempt
  switch (status) {
    case 'completed': {
      const answerer = answererOf(answeredBy, rules)
      return answerer === 'answered' && withoutAgent ? 'failed' : answerer
    }
    case 'busy':
    case 'noAnswer':
    case 'failed':
    case 'canceled':
      return status
    default:
      // What the carrier tells of the call is more than that nobody has heard of it.
      return status === null ? notMade : undefined
  }
}

/** Who is not known to be a machine is a person. */
function answererOf(answeredBy: AnsweredBy | null, rules: Rules | undefined): Outcome {
  if (answeredBy === 'fax') return 'fax'
  if (answeredBy === 'machine') return 'machine'
  if (answeredBy !== 'machineEnded') return 'answered'
  return rules?.voicemail === undefined ? 'machine' : 'messageLeft'
}

/** A call that nothing is heard of was not made, or has ended unheard. */
function lostAtMs({ begunAtMs, status }: Attempt, rules: Rules | undefined): number {
  const { unsureMs } = limits.twilio.outbound
  const ringMs = (rules?.ringSeconds ?? 0) * 1_000
  const talks = status === 'inProgress'
  return begunAtMs + unsureMs + ringMs + (talks ? limits.call.durationMs : 0)
}

const DAY_MS = 86_400_000
const DAYS = 9

/**
 * The first moment from now on at which it is within the hours in all of the zones; none when there is no such moment. It is
 * now, or the hours begin at it somewhere.
 */
export function firstWithin(wallMs: number, zones: readonly string[], rules: Pick<Rules, 'hours' | 'days'>) {
  const begins = zones.flatMap(zone => beginningsAfter(wallMs, zone, rules.hours.from))
  const moments = [wallMs, ...begins.sort((one, other) => one - other)]
  return moments.find(atMs => zones.every(zone => isWithin(atMs, zone, rules)))
}

function isWithin(atMs: number, zone: string, { hours, days }: Pick<Rules, 'hours' | 'days'>): boolean {
  const [date = '', time = ''] = momentAt(atMs, zone).split(' ')
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay()
  const dayCounts = days === 'everyDay' || (weekday !== 0 && weekday !== 6)
  return dayCounts && time >= hours.from && time < hours.to
}

function beginningsAfter(wallMs: number, zone: string, from: string): number[] {
  const days = Array.from({ length: DAYS }, (_, day) => momentAt(wallMs + day * DAY_MS, zone).slice(0, 10))
  return days.map(date => momentOf(`${date}T${from}:00Z`, zone)).filter(atMs => atMs > wallMs)
}

/** When clocks there show it; of a time that they leap over, after the leap. */
function momentOf(local: string, zone: string): number {
  const shown = Date.parse(local)
  const first = shown - offsetMs(shown, zone)
  const second = shown - offsetMs(first, zone)
  return Math.max(second, shown - offsetMs(second, zone))
}

/** How far its clocks are ahead of UTC. */
function offsetMs(atMs: number, zone: string): number {
  const minute = Math.floor(atMs / 60_000) * 60_000
  return Date.parse(`${momentAt(minute, zone).replace(' ', 'T')}:00Z`) - minute
}

/** To make one takes longer than to use it hundreds of times. */
const clocks = new Map<string, Intl.DateTimeFormat>()

/** Such as 2026-01-05 09:00, as that language writes it. */
function momentAt(wallMs: number, timeZone: string): string {
  const clock =
    clocks.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  clocks.set(timeZone, clock)
  return clock.format(wallMs)
}
