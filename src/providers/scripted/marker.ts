import { FRAME_SAMPLES } from '../../media/audio.ts'

const RATE = 8_000
const STEP_HZ = 100
const LOWEST_HZ = 300
const HIGHEST_HZ = 3_300
/** Every tone of the grid has whole periods in it, so a tone adds up over the blocks and a gliding voice does not. */
const BLOCK = RATE / STEP_HZ
/** Of all the power. A marker 10 dB below the voice has twice as much; a voice alone seldom has so much in one place. */
const LEAST_SHARE = 0.042

const sine = Float64Array.from({ length: BLOCK }, (_, i) => Math.sin((2 * Math.PI * i) / BLOCK))

/** Which tone, of 300 to 3300 Hz in steps of 100, is mixed into a word: one addition a sample until it is asked for. */
export class Marker {
  readonly #sum = new Float64Array(BLOCK)
  #energy = 0
  #samples = 0

  reset(): void {
    this.#sum.fill(0)
    this.#energy = 0
    this.#samples = 0
  }

  /** A frame has whole blocks, so silent ones may be left out. */
  hear(frame: Int16Array): void {
    for (let i = 0; i < FRAME_SAMPLES; i++) {
      const sample = frame[i]!
      this.#sum[i % BLOCK]! += sample
      this.#energy += sample * sample
    }
    this.#samples += FRAME_SAMPLES
  }

  /** Of the strongest tone, in Hz; nothing when none stands out. */
  find(): number | undefined {
    let best = 0
    let bestPower = 0
    for (let hz = LOWEST_HZ; hz <= HIGHEST_HZ; hz += STEP_HZ) {
      const power = this.#powerAt(hz / STEP_HZ)
      if (power <= bestPower) continue
      bestPower = power
      best = hz
    }
    const share = (2 * bestPower) / (this.#samples * this.#energy)
    return share >= LEAST_SHARE ? best : undefined
  }

  #powerAt(periods: number): number {
    let x = 0
    let y = 0
    for (let i = 0; i < BLOCK; i++) {
      y += this.#sum[i]! * sine[(i * periods) % BLOCK]!
      x += this.#sum[i]! * sine[(i * periods + BLOCK / 4) % BLOCK]!
    }
    return x * x + y * y
  }
}
