/**
 * A made-up spoken word at 8 kHz: harmonics of a gliding pitch, shaped by the formants of vowels and by the envelope of
 * syllables, so that a voice activity detector takes it for speech. A tone 10 dB below the voice marks who speaks: a
 * scripted recognizer can tell one caller from another by it.
 */
export interface Word {
  /** The middle of the glide, about 110 to 220 Hz. */
  readonly f0: number
  readonly markerHz: number
  /** 400 to 800. */
  readonly ms: number
  /** Of the whole word, in dBFS. */
  readonly level: number
  readonly random: () => number
}

const RATE = 8_000
const MARKER_DB = -10
const HIGHEST_HZ = 3_400
const SYLLABLE_MS = 220
const FULL_SCALE = 32_768

/** The first three formants of some vowels, in Hz. */
const vowels = [
  [730, 1_090, 2_440],
  [530, 1_840, 2_480],
  [570, 840, 2_410],
  [390, 1_990, 2_550],
] as const
const formantWidthsHz = [90, 110, 160]
const formantGains = [1, 0.6, 0.3]

export function word({ f0, markerHz, ms, level, random }: Word): Int16Array {
  const voice = voiced(f0, ms, random)
  const voiceLevel = rms(voice)
  const markerAmplitude = voiceLevel * Math.SQRT2 * 10 ** (MARKER_DB / 20)
  const mixed = voice.map((sample, i) => {
    const fade = Math.min(1, i / 80, (voice.length - i) / 80)
    return sample + fade * markerAmplitude * Math.sin((2 * Math.PI * markerHz * i) / RATE)
  })
  const gain = (FULL_SCALE * 10 ** (level / 20)) / Math.SQRT2 / rms(mixed)
  return Int16Array.from(mixed, sample => Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(sample * gain))))
}

function voiced(f0: number, ms: number, random: () => number): Float64Array {
  const samples = new Float64Array(Math.round((ms * RATE) / 1_000))
  const syllables = Math.max(2, Math.round(ms / SYLLABLE_MS))
  const spoken = Array.from({ length: syllables + 1 }, () => vowels[Math.floor(random() * vowels.length)]!)
  let phase = 0
  for (let i = 0; i < samples.length; i++) {
    const progress = i / samples.length
    // The pitch falls over the word and trembles by about a percent, as a voice does.
    const pitch = f0 * (1.15 - 0.3 * progress + 0.01 * Math.sin(40 * progress) + 0.004 * (random() - 0.5))
    phase += (2 * Math.PI * pitch) / RATE
    const place = progress * syllables
    const vowel = Math.floor(place)
    const sample = harmonics(phase, pitch, spoken[vowel]!, spoken[vowel + 1]!, place - vowel)
    samples[i] = envelope(place - vowel, progress) * (sample + 0.02 * (random() - 0.5))
  }
  return samples
}

function harmonics(phase: number, pitch: number, from: readonly number[], to: readonly number[], mix: number): number {
  let sum = 0
  for (let n = 1; n * pitch < HIGHEST_HZ; n++) {
    let gain = 0
    for (let formant = 0; formant < 3; formant++) {
      const middle = from[formant]! * (1 - mix) + to[formant]! * mix
      const distance = (n * pitch - middle) / formantWidthsHz[formant]!
      gain += formantGains[formant]! / (1 + distance * distance)
    }
    // The source falls by about 6 dB an octave once the lips have radiated it.
    sum += ((gain + 0.02) / Math.sqrt(n)) * Math.sin(n * phase)
  }
  return sum
}

/** Each syllable swells and sinks without a pause; the word begins within 20 ms and fades over its last tenth. */
function envelope(withinSyllable: number, progress: number): number {
  const swell = 0.35 + 0.65 * Math.sin(Math.PI * withinSyllable)
  return swell * Math.min(1, progress / 0.03, (1 - progress) / 0.1)
}

function rms(samples: Float64Array): number {
  return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)
}
