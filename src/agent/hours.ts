import type { Business } from '../business.ts'

export const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const

export type Weekday = (typeof weekdays)[number]

export interface DayOf {
  readonly weekday: Weekday
  /** 2026-01-05 */
  readonly date: string
}

export type Span = { readonly from: string; readonly to: string }

type Scheduled = Pick<Business, 'hours' | 'timeZone'>

const DAY_MS = 86_400_000

/** Today where the business is. */
export function todayAt(wallMs: number, timeZone: string): DayOf {
  return localAt(wallMs, timeZone).today
}

export function daysAfter({ date }: DayOf, days: number): DayOf {
  return dayOf(midnightMs(date) + days * DAY_MS)
}

function midnightMs(date: string): number {
  return Date.parse(`${date}T00:00:00Z`)
}

function dayOf(utcMs: number): DayOf {
  const at = new Date(utcMs)
  return { weekday: weekdays[(at.getUTCDay() + 6) % 7]!, date: at.toISOString().slice(0, 10) }
}

export function spansOf({ hours }: Pick<Business, 'hours'>, { weekday }: DayOf): readonly Span[] {
  return hours[weekday] ?? []
}

export function hoursAreKnown({ hours }: Pick<Business, 'hours'>): boolean {
  return Object.values(hours).some(spans => spans !== undefined && spans.length > 0)
}

/** A moment where the business is; nothing of its hours when it tells none. Times of day, such as 09:00. */
export interface Opening extends DayOf {
  readonly time: string
  readonly timeZone: string
  readonly open?: boolean
  /** While it is open. */
  readonly closesAt?: string
  /** While it is closed. */
  readonly opensNext?: DayOf & { readonly time: string }
}

export function openingAt(wallMs: number, business: Scheduled): Opening {
  const { timeZone } = business
  const { today, time } = localAt(wallMs, timeZone)
  const moment = { ...today, time, timeZone }
  if (!hoursAreKnown(business)) return moment
  const span = spanAt(today, time, business)
  if (span) return { ...moment, open: true, closesAt: span.to }
  const opensNext = nextOpening(today, time, business)
  return { ...moment, open: false, ...(opensNext && { opensNext }) }
}

/** Hours that end before they begin go on after midnight. */
function spanAt(today: DayOf, time: string, business: Scheduled): Span | undefined {
  const yesterday = spansOf(business, daysAfter(today, -1)).find(({ from, to }) => to <= from && time < to)
  const isIn = ({ from, to }: Span) => time >= from && (time < to || to <= from)
  return yesterday ?? spansOf(business, today).find(isIn)
}

function nextOpening(today: DayOf, time: string, business: Scheduled): Opening['opensNext'] {
  const laterToday = firstOf(spansOf(business, today).filter(({ from }) => from > time))
  if (laterToday !== undefined) return { ...today, time: laterToday }
  for (let days = 1; days <= weekdays.length; days++) {
    const day = daysAfter(today, days)
    const from = firstOf(spansOf(business, day))
    if (from !== undefined) return { ...day, time: from }
  }
  return undefined
}

function firstOf(spans: readonly Span[]): string | undefined {
  return spans.map(({ from }) => from).sort()[0]
}

/** Such as 2026-01-05 09:00, where the business is. */
export function momentAt(wallMs: number, timeZone: string): string {
  const { today, time } = localAt(wallMs, timeZone)
  return `${today.date} ${time}`
}

function localAt(wallMs: number, timeZone: string): { readonly today: DayOf; readonly time: string } {
  const date = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(wallMs)
  const time = new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'short' }).format(wallMs)
  return { today: dayOf(midnightMs(date)), time }
}
