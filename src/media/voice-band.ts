/** Most harmonics of a voice lie between 150 and 1800 Hz; half of a call's rate is enough for them. */
export const VOICE_BAND_RATE = 4_000

/** The last samples of a call at 8 kHz, reduced to the band where voices are told from other sounds. */
export class VoiceBand {
  readonly signal: Float64Array
  readonly #hop: Float64Array
  readonly #halfHop: Float64Array
  /** A Butterworth filter of fourth order, and one of second. */
  readonly #lowPasses = [new Biquad(lowPass(1_800, 0.541)), new Biquad(lowPass(1_800, 1.307))]
  readonly #highPass = new Biquad(highPass(150, Math.SQRT1_2))

  constructor(samplesKept: number, hopSamples: number) {
    this.signal = new Float64Array(samplesKept)
    this.#hop = new Float64Array(hopSamples)
    this.#halfHop = new Float64Array(hopSamples / 2)
  }

  push(hop: Int16Array): void {
    this.#hop.set(hop)
    for (const filter of this.#lowPasses) filter.apply(this.#hop)
    const halfHop = this.#halfHop
    for (let i = 0; i < halfHop.length; i++) halfHop[i] = this.#hop[2 * i + 1]!
    this.#highPass.apply(halfHop)
    this.signal.copyWithin(0, halfHop.length)
    this.signal.set(halfHop, this.signal.length - halfHop.length)
  }
}

type Coefficients = readonly [b0: number, b1: number, b2: number, a1: number, a2: number]

class Biquad {
  readonly #coefficients: Coefficients
  #first = 0
  #second = 0

  constructor(coefficients: Coefficients) {
    this.#coefficients = coefficients
  }

  apply(samples: Float64Array): void {
    const [b0, b1, b2, a1, a2] = this.#coefficients
    let first = this.#first
    let second = this.#second
    for (let i = 0; i < samples.length; i++) {
      const input = samples[i]!
      const output = b0 * input + first
      first = b1 * input - a1 * output + second
      second = b2 * input - a2 * output
      samples[i] = output
    }
    this.#first = first
    this.#second = second
  }
}

function lowPass(hz: number, quality: number): Coefficients {
  const { cosine, alpha } = corner(hz, 8_000, quality)
  const gain = (1 - cosine) / 2
  return scaled([gain, 2 * gain, gain, -2 * cosine, 1 - alpha], 1 + alpha)
}

function highPass(hz: number, quality: number): Coefficients {
  const { cosine, alpha } = corner(hz, VOICE_BAND_RATE, quality)
  const gain = (1 + cosine) / 2
  return scaled([gain, -2 * gain, gain, -2 * cosine, 1 - alpha], 1 + alpha)
}

function corner(hz: number, rate: number, quality: number): { cosine: number; alpha: number } {
  const angle = (2 * Math.PI * hz) / rate
  return { cosine: Math.cos(angle), alpha: Math.sin(angle) / (2 * quality) }
}

function scaled([b0, b1, b2, a1, a2]: Coefficients, a0: number): Coefficients {
  return [b0 / a0, b1 / a0, b2 / a0, a1 / a0, a2 / a0]
}
