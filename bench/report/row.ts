import type { Percentiles } from './percentiles.ts'

/** What one figure came to, and the most that it may be. */
export interface Check {
  /** As in "p99" or "frames missing". */
  readonly name: string
  readonly value: number
  readonly most: number
  readonly below?: boolean
  readonly unit?: 'ms' | 'MB'
}

/** How the machine was while it was measured. */
export interface Conditions {
  /** The way there and back of a bare datagram between two processes, measured meanwhile. */
  readonly echoMs: Percentiles | undefined
  /** How long after its time each packet of the far end left. */
  readonly callerLateMs: Percentiles | undefined
  /** In percent of one core, by process. */
  readonly cpu: Readonly<Record<string, number>>
  /** Of all other processes of the machine, in percent of one core. */
  readonly othersCpu: number
  /** Taken by the host, in percent of all cores. */
  readonly steal: number
}

export interface Row {
  readonly subject: string
  /** Without any the row tells a figure that no goal was set for. */
  readonly checks: readonly Check[]
  /** What else was measured, in words. */
  readonly notes: readonly string[]
  readonly conditions: Conditions | undefined
}

export type Verdict = 'met' | 'MISSED' | 'no goal'

export function verdictOf({ checks }: Pick<Row, 'checks'>): Verdict {
  if (checks.length === 0) return 'no goal'
  return checks.every(isMet) ? 'met' : 'MISSED'
}

/** What was not measured is NaN and is not met. */
function isMet({ value, most, below }: Check): boolean {
  return below ? value < most : value <= most
}

export function goalText({ name, most, below, unit }: Check): string {
  if (most === 0) return `${name}: none`
  return `${name} ${below ? '<' : '≤'} ${withUnit(String(most), unit)}`
}

export function measuredText({ name, value, unit }: Check): string {
  return `${name} ${Number.isNaN(value) ? 'not measured' : withUnit(figure(value), unit)}`
}

function withUnit(text: string, unit: Check['unit']): string {
  return unit ? `${text} ${unit}` : text
}

/** As many digits as tell something; thousands apart. */
export function figure(value: number): string {
  if (Number.isNaN(value)) return '-'
  if (Number.isInteger(value)) return value.toLocaleString('en')
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1)
}
