const RATE = 8_000
const FRAME = 0.04 * RATE
const SHORTEST_LAG = Math.round(RATE / 350)
const LONGEST_LAG = Math.round(RATE / 65)
/** Of a frame that is voiced beyond doubt. */
const LIKENESS = 0.6
const QUIET_POWER = 200 ** 2

/** The middle of a voice's pitch in Hz, at 8 kHz; nothing when there is no voice in it. */
export function pitchOf(speech: Int16Array): number | undefined {
  const pitches: number[] = []
  for (let at = 0; at + FRAME + LONGEST_LAG <= speech.length; at += FRAME) {
    const lag = periodAt(speech, at)
    if (lag !== undefined) pitches.push(RATE / lag)
  }
  return pitches.sort((a, b) => a - b)[pitches.length >> 1]
}

function periodAt(speech: Int16Array, at: number): number | undefined {
  const power = productAt(speech, at, 0)
  if (power / FRAME < QUIET_POWER) return undefined
  let best: number | undefined
  let bestLikeness = LIKENESS
  for (let lag = SHORTEST_LAG; lag <= LONGEST_LAG; lag++) {
    const likeness = productAt(speech, at, lag) / Math.sqrt(power * productAt(speech, at + lag, 0) + 1)
    // A period that is twice as long is as like: the shorter is the pitch.
    if (likeness <= bestLikeness * 1.05) continue
    best = lag
    bestLikeness = likeness
  }
  return best
}

function productAt(speech: Int16Array, at: number, lag: number): number {
  let sum = 0
  for (let i = at; i < at + FRAME; i++) sum += speech[i]! * speech[i + lag]!
  return sum
}
