import { FRAME_MS, type Law } from '../../src/media/audio.ts'
import { DECODED, encode } from '../../src/media/g711.ts'

const SAMPLES_PER_MS = 8
const AMPLITUDE = 8_000
const LOUD = AMPLITUDE / 2

/** A square wave of 1 kHz: every sample of it is loud, so that the first one of a frame tells speech from silence. */
export function loudSound(ms: number): Int16Array {
  return Int16Array.from({ length: ms * SAMPLES_PER_MS }, (_, i) => (i % 8 < 4 ? AMPLITUDE : -AMPLITUDE))
}

/** What the caller says: one packet of it. */
export const click = loudSound(FRAME_MS)

export function encodedSound(law: Law, ms: number): Uint8Array {
  const samples = loudSound(ms)
  const audio = new Uint8Array(samples.length)
  encode(law, samples, audio)
  return audio
}

export function isLoud(sample: number | undefined): boolean {
  return sample !== undefined && Math.abs(sample) > LOUD
}

export function beginsLoud(law: Law, audio: Uint8Array): boolean {
  return isLoud(DECODED[law][audio[0] ?? 0])
}
