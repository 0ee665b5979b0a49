/** How much the last samples of a signal resemble as many that lie earlier: 1 for the same, 0 for unrelated. */
export class SelfSimilarity {
  readonly #compared: number
  /** Of as many samples as are compared, that many samples earlier. */
  readonly #energies: Float64Array
  #signal: Float64Array = new Float64Array(0)

  constructor(compared: number, furthest: number) {
    this.#compared = compared
    this.#energies = new Float64Array(furthest + 1)
  }

  /** Of a signal, kept until the next: `floor` is energy that counts as unrelated, so that what is faint resembles nothing. */
  look(signal: Float64Array, floor: number): void {
    this.#signal = signal
    const energies = this.#energies
    let start = signal.length - this.#compared
    let energy = sumOfProducts(signal, start, signal, start, this.#compared)
    for (let earlier = 0; earlier < energies.length; earlier++) {
      // Added to and taken from, it may come out a little below zero.
      energies[earlier] = Math.max(0, energy) + floor
      start -= 1
      energy += (signal[start] ?? 0) ** 2 - signal[start + this.#compared]! ** 2
    }
  }

  at(earlier: number): number {
    const from = this.#signal.length - this.#compared
    const product = sumOfProducts(this.#signal, from, this.#signal, from - earlier, this.#compared)
    return product / Math.sqrt(this.#energies[0]! * this.#energies[earlier]!)
  }
}

/** The sum of products of two pieces of signals: four side by side, since one would wait for each addition. */
export function sumOfProducts(a: Float64Array, fromA: number, b: Float64Array, fromB: number, count: number): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  let k = 0
  for (; k + 3 < count; k += 4) {
    s0 += a[fromA + k]! * b[fromB + k]!
    s1 += a[fromA + k + 1]! * b[fromB + k + 1]!
    s2 += a[fromA + k + 2]! * b[fromB + k + 2]!
    s3 += a[fromA + k + 3]! * b[fromB + k + 3]!
  }
  for (; k < count; k++) s0 += a[fromA + k]! * b[fromB + k]!
  return s0 + s1 + (s2 + s3)
}
