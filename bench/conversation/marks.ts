import { FRAME_SAMPLES, type Law } from '../../src/media/audio.ts'
import { DECODED } from '../../src/media/g711.ts'
import { isLoud, loudSound } from './sounds.ts'

/** Names one utterance of a caller, in whichever process. */
export type Mark = number

/** Of four bits each; all of them loud, and further apart than either law of G.711 can move them. */
const DIGITS = 6
const LOWEST = 4_500
const STEP = 700

/** A voice whose every packet says which utterance it belongs to, for whoever hears one. */
export function markedVoice(mark: Mark, ms: number): Int16Array {
  const samples = loudSound(ms)
  for (let at = 0; at < samples.length; at += FRAME_SAMPLES) {
    for (let digit = 0; digit < DIGITS; digit++) samples[at + digit] = LOWEST + STEP * ((mark >> (4 * digit)) & 15)
  }
  return samples
}

/** Nothing for a frame of silence. */
export function markOf(law: Law, frame: Uint8Array): Mark | undefined {
  let mark = 0
  for (let digit = 0; digit < DIGITS; digit++) {
    const sample = DECODED[law][frame[digit] ?? 0]!
    if (!isLoud(sample)) return undefined
    mark |= Math.round((sample - LOWEST) / STEP) << (4 * digit)
  }
  return mark
}
