/** How measured values are spread; without values every figure but the count is NaN, which meets no goal. */
export interface Percentiles {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** By nearest rank: the smallest value that so many percent of all do not exceed. Nothing is interpolated. */
export function percentiles(values: Iterable<number>): Percentiles {
  const sorted = Float64Array.from(values).sort()
  const at = (percent: number) => sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? Number.NaN
  return { count: sorted.length, p50: at(50), p95: at(95), p99: at(99), max: at(100) }
}
