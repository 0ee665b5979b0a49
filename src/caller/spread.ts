/** How values are spread: for intervals and delays. Keeps the first `most` values; counts and the greatest go on. */
export class Spread {
  readonly #most: number
  #values = new Float32Array(256)
  #count = 0
  #max = 0

  constructor(most: number) {
    this.#most = most
  }

  add(value: number): void {
    this.#max = this.#count === 0 ? value : Math.max(this.#max, value)
    const at = this.#count++
    if (at >= this.#most) return
    if (at === this.#values.length) this.#grow()
    this.#values[at] = value
  }

  figures(): SpreadFigures {
    const values = this.#values.slice(0, Math.min(this.#count, this.#most))
    const sorted = values.toSorted()
    return {
      count: this.#count,
      p50: quantile(sorted, 0.5),
      p95: quantile(sorted, 0.95),
      p99: quantile(sorted, 0.99),
      max: this.#max,
      values,
    }
  }

  #grow(): void {
    const grown = new Float32Array(Math.min(2 * this.#values.length, this.#most))
    grown.set(this.#values)
    this.#values = grown
  }
}

export interface SpreadFigures {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  /** In the order they came, so that the figures of many calls can be put together. */
  readonly values: Float32Array
}

/** The smallest value that this share of all values does not exceed; 0 without values. */
function quantile(sorted: Float32Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
}
