import { sumOfProducts } from './self-similarity.ts'

/**
 * Linear prediction: each sample is guessed from the `order` samples before it, and what the guess misses is the
 * residue. Two taps foretell a tone for ever, so tones vanish from the residue, and colour turns white; the pulses of
 * a voice cannot be foretold.
 */
export class Predictor {
  readonly #order: number
  readonly #window: Float64Array
  readonly #windowed: Float64Array
  readonly #correlation: Float64Array
  readonly #coefficients: Float64Array
  readonly #before: Float64Array

  /** It learns from the last `learned` samples of a signal. */
  constructor(order: number, learned: number) {
    this.#order = order
    this.#window = hannWindow(learned)
    this.#windowed = new Float64Array(learned)
    this.#correlation = new Float64Array(order + 1)
    this.#coefficients = new Float64Array(order + 1)
    this.#before = new Float64Array(order + 1)
  }

  /** Fills `residue` with what cannot be foretold of as many last samples of the signal. */
  findResidue(signal: Float64Array, residue: Float64Array): void {
    this.#correlate(signal)
    this.#solve()
    const order = this.#order
    const coefficients = this.#coefficients
    const from = signal.length - residue.length
    for (let i = 0; i < residue.length; i++) {
      let sum = 0
      for (let k = 0; k <= order; k++) sum += coefficients[k]! * signal[from + i - k]!
      residue[i] = sum
    }
  }

  #correlate(signal: Float64Array): void {
    const windowed = this.#windowed
    const from = signal.length - windowed.length
    for (let i = 0; i < windowed.length; i++) windowed[i] = signal[from + i]! * this.#window[i]!
    const correlation = this.#correlation
    for (let lag = 0; lag <= this.#order; lag++) {
      correlation[lag] = sumOfProducts(windowed, lag, windowed, 0, windowed.length - lag)
    }
    // As if a little white noise were there: a pure tone would have no single solution.
    correlation[0] = correlation[0]! * 1.001 + 1
  }

  /** The Levinson-Durbin recursion. */
  #solve(): void {
    const coefficients = this.#coefficients
    const before = this.#before
    const correlation = this.#correlation
    coefficients.fill(0)
    coefficients[0] = 1
    let error = correlation[0]!
    for (let i = 1; i <= this.#order; i++) {
      let sum = 0
      for (let k = 0; k < i; k++) sum += coefficients[k]! * correlation[i - k]!
      const reflection = -sum / error
      before.set(coefficients)
      for (let k = 1; k <= i; k++) coefficients[k] = before[k]! + reflection * before[i - k]!
      error *= 1 - reflection * reflection
    }
  }
}

export function hannWindow(length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 1)) / (length + 1)))
}
