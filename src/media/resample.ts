/** Frequencies up to this share of the lower rate's half pass unchanged: 3.28 kHz of 4, a telephone's band. */
const PASSBAND = 0.82
/** Beyond the lower rate's half at least 60 dB are asked: the window is designed with some to spare. */
const STOPBAND_DB = 63

/**
 * Changes the sample rate of a stream: a polyphase windowed-sinc filter whose state runs on from chunk to chunk, so the
 * output does not depend on how the input is cut. Linear phase; the output is late by `delayMs`.
 */
export class Resampler {
  readonly delayMs: number
  /** Output samples for every `#down` input samples. */
  readonly #up: number
  readonly #down: number
  /** Of each phase; oldest sample first. */
  readonly #taps: number
  readonly #coefficients: Float64Array
  /** The last samples of the input, `#taps - 1` of them, with the chunk at hand behind them. */
  #input: Float64Array
  #output = new Int16Array(0)
  /** Position of the next output sample behind the first sample of the next chunk, in 1 / `#up` input samples. */
  #position = 0

  constructor(fromRate: number, toRate: number) {
    const divisor = greatestCommonDivisor(fromRate, toRate)
    this.#up = toRate / divisor
    this.#down = fromRate / divisor
    const lowerRate = Math.min(fromRate, toRate)
    this.#taps = tapsPerPhase(fromRate / lowerRate)
    this.#coefficients = designPhases(this.#up, this.#taps, lowerRate / fromRate)
    this.#input = new Float64Array(this.#taps - 1)
    // The middle of the filter, which is symmetric over all phases together.
    this.delayMs = ((this.#up * this.#taps - 1) / 2 / this.#up / fromRate) * 1000
  }

  /** The output that this chunk, of any length, makes possible: lent until the next call. */
  process(chunk: Int16Array): Int16Array {
    const history = this.#taps - 1
    this.#load(chunk, history)
    const end = chunk.length * this.#up
    const count = Math.max(0, Math.ceil((end - this.#position) / this.#down))
    if (this.#output.length < count) this.#output = new Int16Array(count)

    const output = this.#output
    let at = Math.floor(this.#position / this.#up)
    let phase = this.#position % this.#up
    for (let n = 0; n < count; n++) {
      const sum = this.#sumAt(at, phase * this.#taps)
      output[n] = sum > 32_767 ? 32_767 : sum < -32_768 ? -32_768 : Math.round(sum)
      // In whole numbers all the way: an index that was ever a fraction makes the sums three times slower.
      for (phase += this.#down; phase >= this.#up; phase -= this.#up) at += 1
    }
    this.#position += count * this.#down - end
    this.#input.copyWithin(0, chunk.length, chunk.length + history)
    return output.subarray(0, count)
  }

  /** What the filter still holds of a stream that has ended; the next chunk begins a new one. */
  flush(): Int16Array {
    const tail = this.process(new Int16Array(this.#taps - 1))
    this.#position = 0
    return tail
  }

  #load(chunk: Int16Array, history: number): void {
    if (this.#input.length < history + chunk.length) {
      const larger = new Float64Array(history + chunk.length)
      larger.set(this.#input.subarray(0, history))
      this.#input = larger
    }
    this.#input.set(chunk, history)
  }

  /** Four sums side by side: one would wait for each addition before it could begin the next. */
  #sumAt(from: number, phase: number): number {
    const input = this.#input
    const coefficients = this.#coefficients
    const taps = this.#taps
    let a = 0
    let b = 0
    let c = 0
    let d = 0
    for (let k = 0; k < taps; k += 4) {
      a += input[from + k]! * coefficients[phase + k]!
      b += input[from + k + 1]! * coefficients[phase + k + 1]!
      c += input[from + k + 2]! * coefficients[phase + k + 2]!
      d += input[from + k + 3]! * coefficients[phase + k + 3]!
    }
    return a + b + (c + d)
  }
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b)
}

/** Kaiser's formula for the length of a filter, in input samples, rounded up to whole fours. */
function tapsPerPhase(inputSamplesPerLowerRateSample: number): number {
  const transition = Math.PI * (1 - PASSBAND)
  const lowerRateSamples = (STOPBAND_DB - 7.95) / (2.285 * transition)
  return 4 * Math.ceil((lowerRateSamples * inputSamplesPerLowerRateSample) / 4)
}

/** The filter for `up` output phases, each scaled to pass a constant exactly. `band` is the lower rate / input rate. */
function designPhases(up: number, taps: number, band: number): Float64Array {
  const beta = 0.1102 * (STOPBAND_DB - 8.7)
  const cutoff = (band * (1 + PASSBAND)) / 2
  const middle = (up * taps - 1) / 2
  const coefficients = new Float64Array(up * taps)
  for (let phase = 0; phase < up; phase++) {
    const own = coefficients.subarray(phase * taps, (phase + 1) * taps)
    let sum = 0
    for (let k = 0; k < taps; k++) {
      const fromMiddle = phase + (taps - 1 - k) * up - middle
      const window = bessel0(beta * Math.sqrt(1 - (fromMiddle / (middle + 1)) ** 2))
      own[k] = window * sinc((cutoff * fromMiddle) / up)
      sum += own[k]!
    }
    for (let k = 0; k < taps; k++) own[k]! /= sum
  }
  return coefficients
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** The modified Bessel function of the first kind and order zero, by its series. */
function bessel0(x: number): number {
  let sum = 1
  let term = 1
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / 2 / k) ** 2
    sum += term
  }
  return sum
}
