import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { decode, encode } from '../../src/media/g711.ts'

/** Sounds of a telephone line at 8 kHz, in floating point until `throughLine` makes a call's audio of them. */
type Sound = Float64Array
type Random = () => number

export const samplesIn = (durationMs: number) => Math.round(durationMs * 8)

export interface Word {
  readonly name: string
  readonly sound: Sound
}

/** The synthesized words of test/fixtures/words; see scripts/make-words.ts. */
export function loadWords(set: 'tuning' | 'held-out' | 'short'): Word[] {
  const folder = join(import.meta.dirname, '../fixtures/words', set === 'tuning' ? '.' : set)
  const names = readdirSync(folder).filter(name => name.endsWith('.ulaw'))
  return names.sort().map(name => {
    const bytes = readFileSync(join(folder, name))
    const samples = new Int16Array(bytes.length)
    decode('ulaw', bytes, samples)
    return { name: name.slice(0, -'.ulaw'.length), sound: Float64Array.from(samples) }
  })
}

/** Scaled to the level of a sine of that many dBFS. */
export function atLevel(sound: Sound, levelDb: number): Sound {
  const power = sound.reduce((sum, sample) => sum + sample * sample, 0) / sound.length
  const gain = (32_768 * 10 ** (levelDb / 20)) / Math.sqrt(2 * power)
  return sound.map(sample => sample * gain)
}

/** Adds a sound to another one, in place, from that sample on. */
export function add(into: Sound, sound: Sound, at: number): void {
  const end = Math.min(sound.length, into.length - at)
  for (let i = 0; i < end; i++) into[at + i]! += sound[i]!
}

/** Coded and decoded again, as it is heard at the other end of a call. */
export function throughLine(sound: Sound): Int16Array {
  const samples = Int16Array.from(sound, sample => Math.max(-32_768, Math.min(32_767, Math.round(sample))))
  const bytes = new Uint8Array(samples.length)
  encode('ulaw', samples, bytes)
  decode('ulaw', bytes, samples)
  return samples
}

export function whiteNoise(durationMs: number, random: Random): Sound {
  return Float64Array.from({ length: samplesIn(durationMs) }, () => gaussian(random))
}

/** 3 dB less an octave. */
export function pinkNoise(durationMs: number, random: Random): Sound {
  // White noise held for one, two, four ... samples, each begun at another moment (Voss).
  const rows = new Float64Array(9)
  return Float64Array.from({ length: samplesIn(durationMs) }, (_, i) => {
    const row = Math.min(rows.length - 1, trailingZeros(i + 1))
    rows[row] = gaussian(random)
    return rows.reduce((sum, value) => sum + value, gaussian(random))
  })
}

/** 6 dB less an octave, above 60 Hz. */
export function brownNoise(durationMs: number, random: Random): Sound {
  let sum = 0
  return Float64Array.from({ length: samplesIn(durationMs) }, () => {
    sum = sum * (1 - (2 * Math.PI * 60) / 8000) + gaussian(random)
    return sum
  })
}

/** A door: brown noise and a few dull modes of the wood, dying away. */
export function doorSlam(durationMs: number, random: Random): Sound {
  const sound = atLevel(brownNoise(durationMs, random), -20)
  for (let mode = 0; mode < 4; mode++) {
    const hz = 60 + 340 * random()
    const decayMs = 15 + 35 * random()
    const strength = 3000 * random()
    for (let i = 0; i < sound.length; i++) {
      sound[i]! += strength * Math.exp(-i / samplesIn(decayMs)) * Math.sin((2 * Math.PI * hz * i) / 8000)
    }
  }
  const decayMs = durationMs / 4
  return sound.map((sample, i) => sample * Math.exp(-i / samplesIn(decayMs)))
}

/** One to four impulses a few milliseconds apart. */
export function clicks(durationMs: number, random: Random): Sound {
  const sound = new Float64Array(samplesIn(durationMs))
  const count = 1 + Math.floor(random() * 4)
  for (let n = 0; n < count; n++) {
    const at = Math.floor(random() * sound.length)
    const width = 1 + Math.floor(random() * 8)
    for (let i = at; i < Math.min(sound.length, at + width); i++) sound[i] = random() < 0.5 ? -1 : 1
  }
  return sound
}

/** Tones of equal strength that begin and end at once. */
export function tones(durationMs: number, frequencies: readonly number[], random: Random): Sound {
  const sound = new Float64Array(samplesIn(durationMs))
  for (const hz of frequencies) {
    const phase = 2 * Math.PI * random()
    for (let i = 0; i < sound.length; i++) sound[i]! += Math.sin(phase + (2 * Math.PI * hz * i) / 8000)
  }
  return sound
}

/** The mains, 50 or 60 Hz, with the harmonics that a bad shield lets in. */
export function hum(durationMs: number, hz: number, random: Random): Sound {
  const sound = new Float64Array(samplesIn(durationMs))
  for (let harmonic = 1; harmonic <= 10; harmonic++) {
    const strength = harmonic === 1 ? 1 : (0.3 + 0.7 * random()) / harmonic
    const wave = tones(durationMs, [harmonic * hz], random)
    for (let i = 0; i < sound.length; i++) sound[i]! += strength * wave[i]!
  }
  return sound
}

/** Rises within so many milliseconds instead of at once. */
export function softened(sound: Sound, riseMs: number): Sound {
  const rise = samplesIn(riseMs)
  return sound.map((sample, i) => (i < rise ? sample * Math.sin((Math.PI * i) / rise / 2) ** 2 : sample))
}

/** Several people who speak at once. */
export function babble(durationMs: number, random: Random): Sound {
  const words = loadWords('tuning')
  const sound = new Float64Array(samplesIn(durationMs))
  for (let talker = 0; talker < 5; talker++) {
    for (let at = -Math.floor(random() * 4_000); at < sound.length; ) {
      const word = words[Math.floor(random() * words.length)]!.sound
      const skipped = Math.min(word.length, Math.max(0, -at))
      add(sound, word.subarray(skipped), at + skipped)
      at += word.length + Math.floor(random() * 2_000)
    }
  }
  return sound
}

/** A burst of breath through an open mouth, with or without the voice at its end. */
export function cough(voiced: boolean, random: Random): Sound {
  const sound = new Float64Array(samplesIn(280))
  const voiceAt = samplesIn(120)
  const period = 8_000 / (120 + 100 * random())
  let nextPulse = voiceAt
  for (let i = 0; i < sound.length; i++) {
    sound[i] = gaussian(random) * (Math.exp(-i / samplesIn(60)) + 0.05)
    if (!voiced || i < nextPulse) continue
    sound[i]! += 6 * Math.exp(-(i - voiceAt) / samplesIn(80))
    nextPulse += period * (0.95 + 0.1 * random())
  }
  return resonant(resonant(resonant(sound, 650, 120), 1_200, 150), 2_500, 250)
}

/** Passed through a resonance of that frequency and width. */
function resonant(sound: Sound, hz: number, widthHz: number): Sound {
  const radius = Math.exp((-Math.PI * widthHz) / 8_000)
  const turn = 2 * radius * Math.cos((2 * Math.PI * hz) / 8_000)
  let last = 0
  let beforeLast = 0
  return sound.map(sample => {
    const now = sample + turn * last - radius * radius * beforeLast
    beforeLast = last
    last = now
    return now
  })
}

function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

function trailingZeros(n: number): number {
  return 31 - Math.clz32(n & -n)
}
