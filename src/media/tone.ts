/** Tones, for what must be proven by being heard. Levels are in dBFS: 0 is a sine that just reaches full scale. */

const FULL_SCALE = 32_768

/** Fills one buffer after the other with a sine whose phase runs on. */
export function toneGenerator(rate: number, hz: number, levelDb: number): (into: Int16Array) => Int16Array {
  const amplitude = FULL_SCALE * 10 ** (levelDb / 20)
  const step = (2 * Math.PI * hz) / rate
  let phase = 0
  return into => {
    for (let i = 0; i < into.length; i++) {
      into[i] = Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(amplitude * Math.sin(phase))))
      phase = (phase + step) % (2 * Math.PI)
    }
    return into
  }
}

/**
 * How strong one frequency is, by Goertzel's algorithm under a Hann window: another tone further away than
 * 4 * rate / samples.length Hz does not show. -Infinity for digital silence.
 */
export function toneLevelDb(samples: Int16Array, rate: number, hz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * hz) / rate)
  let windowSum = 0
  let last = 0
  let beforeLast = 0
  for (let i = 0; i < samples.length; i++) {
    const window = 1 - Math.cos((2 * Math.PI * (i + 0.5)) / samples.length)
    windowSum += window
    const now = samples[i]! * window + coefficient * last - beforeLast
    beforeLast = last
    last = now
  }
  const power = last * last + beforeLast * beforeLast - coefficient * last * beforeLast
  const amplitude = (2 * Math.sqrt(Math.max(0, power))) / windowSum
  return 20 * Math.log10(amplitude / FULL_SCALE)
}
