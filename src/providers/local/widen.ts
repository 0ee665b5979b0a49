import { Resampler } from '../../media/resample.ts'

const TELEPHONE_RATE = 8_000
export const MODEL_RATE = 16_000
/** How much of the mirror image above 4 kHz stays: the model was made of wide speech and takes its absence for noise. */
const IMAGE = 0.5
/** Peak, in steps of 16 bits: no band is ever digitally silent for it. */
const NOISE = 100

/** Telephone speech as the 16 kHz model wants it. The same samples give the same samples. */
export function widened(speech: Int16Array): Int16Array {
  const resampler = new Resampler(TELEPHONE_RATE, MODEL_RATE)
  const delay = Math.round((resampler.delayMs * MODEL_RATE) / 1_000)
  const padded = new Int16Array(speech.length + delay)
  padded.set(speech)
  const smooth = resampler.process(padded)
  const noise = noiseGenerator()
  return Int16Array.from({ length: 2 * speech.length }, (_, i) => {
    const stuffed = i % 2 === 0 ? 2 * speech[i / 2]! : 0
    const sample = (1 - IMAGE) * smooth[i + delay]! + IMAGE * stuffed + NOISE * noise()
    return Math.max(-32_768, Math.min(32_767, Math.round(sample)))
  })
}

/** From -1 to 1, always the same row: a linear congruential generator. */
function noiseGenerator(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 31 - 1
  }
}
