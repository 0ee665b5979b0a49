import { pitchOf } from './pitch.ts'

/** Of the model's recordings. */
export const MODEL_RATE = 16_000
const TELEPHONE_RATE = 8_000
/**
 * Peak, in steps of 16 bits: about what a quiet room adds. The model was made of rooms, and takes the silence between
 * synthesized words, or of a line without noise, for something it has never heard.
 */
const NOISE = 200
/** Of silence around each stretch of speech: what the model measures the speech by. */
const PAD = (150 * TELEPHONE_RATE) / 1_000
/** The model knows deep voices better: high ones are played to it slower, which brings the sounds of their vowels down. */
const HIGH_PITCH_HZ = 160
const HIGH_STRETCH = 1.14

/**
 * Telephone speech, at 8 kHz, as the 16 kHz model wants it. Points on straight lines between the samples leave a part of
 * the mirror image above 4 kHz, falling from a half to nothing: the model was made of wide speech, and hears better by a
 * made-up upper band than by none. The same samples give the same samples.
 */
export function widened(speech: Int16Array): Int16Array {
  const stretch = (pitchOf(speech) ?? 0) > HIGH_PITCH_HZ ? HIGH_STRETCH : 1
  const padded = new Int16Array(speech.length + 2 * PAD)
  padded.set(speech, PAD)
  const longer = (stretch * MODEL_RATE) / TELEPHONE_RATE
  const noise = noiseGenerator()
  return Int16Array.from({ length: Math.floor(longer * padded.length) }, (_, i) => {
    const place = i / longer
    const at = Math.floor(place)
    const [before, after] = [padded[at]!, padded[at + 1] ?? 0]
    const sample = before + (place - at) * (after - before) + NOISE * noise()
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
