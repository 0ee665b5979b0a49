import { word } from '../../src/caller/voice.ts'
import { FRAME_SAMPLES, type Law, SILENCE } from '../../src/media/audio.ts'
import { DECODED } from '../../src/media/g711.ts'
import { seeded } from '../support/random.ts'

/** A caller's voice and the tone of what is said to them: no two of these that are in use at a time are alike. */
export interface Voice {
  readonly markerHz: number
  readonly toneHz: number
}

/** Tones lie a multiple of 50 Hz apart: each has whole periods in a frame, so one does not show in another. */
export const voices: readonly Voice[] = Array.from({ length: 23 }, (_, n) => ({
  markerHz: 300 + 100 * n,
  toneHz: 350 + 100 * n,
}))

const made = new Map<string, Int16Array>()

/** Made once for all calls: making a word takes longer than a call. */
export function spokenWord({ markerHz }: Voice, ms: number): Int16Array {
  const name = `${markerHz} ${ms}`
  let samples = made.get(name)
  if (!samples) {
    samples = word({ f0: 110 + (markerHz % 110), markerHz, ms, level: -20, random: seeded(markerHz + ms) })
    made.set(name, samples)
  }
  return samples
}

/** Noise that comes and goes. */
export function cough(ms: number): Int16Array {
  const random = seeded(ms)
  const samples = new Int16Array(8 * ms)
  return samples.map((_, i) => 12_000 * Math.sin((Math.PI * i) / samples.length) * (random() - 0.5))
}

const tables = new Map<number, { readonly cosine: Float64Array; readonly sine: Float64Array }>()

/** The share that the tone has in what sounds in this frame; nothing for silence. */
export function shareOfTone(law: Law, payload: Uint8Array, hz: number): number | undefined {
  const silence = SILENCE[law]
  let from = 0
  let to = payload.length
  while (from < to && payload[from] === silence) from += 1
  while (to > from && payload[to - 1] === silence) to -= 1
  if (to - from < SHORTEST) return undefined
  const { cosine, sine } = tableOf(hz)
  const decoded = DECODED[law]
  let x = 0
  let y = 0
  let energy = 0
  for (let i = from; i < to; i++) {
    const sample = decoded[payload[i]!]!
    x += sample * cosine[i]!
    y += sample * sine[i]!
    energy += sample * sample
  }
  return energy < QUIET ** 2 * (to - from) ? undefined : (2 * (x * x + y * y)) / ((to - from) * energy)
}

/** What is shorter cannot be told from another tone. */
const SHORTEST = 80
/** The rest of a filter's memory. */
const QUIET = 60

function tableOf(hz: number) {
  let table = tables.get(hz)
  if (!table) {
    const angles = Float64Array.from({ length: FRAME_SAMPLES }, (_, i) => (2 * Math.PI * hz * i) / 8_000)
    table = { cosine: angles.map(Math.cos), sine: angles.map(Math.sin) }
    tables.set(hz, table)
  }
  return table
}
