import { hannWindow } from './prediction.ts'

const SIZE = 256
const BINS = SIZE / 2
/** The bins between the peaks of a voice, where its band has neither begun to fade nor ended. */
const FIRST_BIN = 13
const BINS_SEEN = 108
/** How far a peak spreads to each side under the window: a strong one shows further. */
const PEAK_BINS = 3
const STRONG_PEAK_BINS = 4
const TAKEN = -1

/** The spectrum of a signal's last samples, seen for its peaks. */
export class Spectrum {
  readonly #window: Float64Array
  readonly #real = new Float64Array(SIZE)
  readonly #imaginary = new Float64Array(SIZE)
  readonly #power = new Float64Array(BINS)
  readonly #rest = new Float64Array(BINS_SEEN)
  #thirdBelowFirstDb = 0
  #thirdOverRestDb = 0
  readonly #cosine = Float64Array.from({ length: BINS }, (_, k) => Math.cos((2 * Math.PI * k) / SIZE))
  readonly #sine = Float64Array.from({ length: BINS }, (_, k) => -Math.sin((2 * Math.PI * k) / SIZE))
  readonly #order = Uint8Array.from({ length: SIZE }, (_, i) => reversedBits(i))

  constructor(samples: number) {
    this.#window = hannWindow(samples)
  }

  /**
   * Finds the third strongest peak. Two tones have none that stands out of their noise.
   */
  look(signal: Float64Array): void {
    this.#transform(signal)
    const first = this.#takePeak(STRONG_PEAK_BINS)
    this.#takePeak(STRONG_PEAK_BINS)
    const third = this.#takePeak(PEAK_BINS)
    this.#thirdBelowFirstDb = 10 * Math.log10((first + 1) / (third + 1))
    this.#thirdOverRestDb = 10 * Math.log10((third + 1) / (this.#medianOfRest() + 1))
  }

  get thirdBelowFirstDb(): number {
    return this.#thirdBelowFirstDb
  }

  /** Over the median of what lies between the three peaks. */
  get thirdOverRestDb(): number {
    return this.#thirdOverRestDb
  }

  /** The power of the strongest bin; it and its neighbours will not be found again. */
  #takePeak(spread: number): number {
    const power = this.#power
    let at = 0
    for (let k = 1; k < BINS; k++) if (power[k]! > power[at]!) at = k
    const peak = power[at]!
    power.fill(TAKEN, Math.max(0, at - spread), at + spread + 1)
    return peak
  }

  #medianOfRest(): number {
    const rest = this.#rest
    for (let i = 0; i < BINS_SEEN; i++) rest[i] = this.#power[FIRST_BIN + i]!
    rest.sort()
    let taken = 0
    while (rest[taken] === TAKEN) taken += 1
    return rest[(taken + BINS_SEEN) >> 1]!
  }

  /** A radix-2 Fourier transform: the samples in bit-reversed order, then pairs of spectra combined until one is left. */
  #transform(signal: Float64Array): void {
    const real = this.#real.fill(0)
    const imaginary = this.#imaginary.fill(0)
    const from = signal.length - this.#window.length
    for (let i = 0; i < this.#window.length; i++) real[this.#order[i]!] = signal[from + i]! * this.#window[i]!
    for (let span = 1; span < SIZE; span *= 2) this.#combine(span)
    for (let k = 0; k < BINS; k++) this.#power[k] = real[k]! ** 2 + imaginary[k]! ** 2
  }

  #combine(span: number): void {
    const real = this.#real
    const imaginary = this.#imaginary
    const step = BINS / span
    for (let start = 0; start < SIZE; start += 2 * span) {
      for (let k = 0; k < span; k++) {
        const even = start + k
        const odd = even + span
        const cosine = this.#cosine[k * step]!
        const sine = this.#sine[k * step]!
        const re = real[odd]! * cosine - imaginary[odd]! * sine
        const im = real[odd]! * sine + imaginary[odd]! * cosine
        real[odd] = real[even]! - re
        imaginary[odd] = imaginary[even]! - im
        real[even]! += re
        imaginary[even]! += im
      }
    }
  }
}

function reversedBits(index: number): number {
  let result = 0
  for (let rest = SIZE + index; rest > 1; rest >>= 1) result = result * 2 + (rest % 2)
  return result
}
