import { toneLevelDb } from '../media/tone.ts'

/** What can be told of a sound by its tones. Samples are 8 kHz; levels are dBFS, where 0 is a sine at full scale. */

const RATE = 8_000
const SAMPLES_PER_MS = 8
const FULL_SCALE = 32_768
/** What is tested for at each millisecond is the 20 ms around it: 50 Hz apart is told apart. */
const WINDOW = 160
/** Silence is told within 4 ms: short enough for every gap, long enough for no tone to hide in. */
const SILENCE_WINDOW = 32
const TRACE_WINDOW = 3_200
/** Comfort noise and the smallest steps of G.711 stay below this. */
const SILENT_DB = -50
/** A tone fills at least this share of the power; at an edge it fills half of the window, so the edge is found exactly. */
const TONE_SHARE = 0.5
/** The longest that a window may straddle an edge. */
const EDGE_MS = 24
const GLIMPSE_MS = WINDOW / 2 / SAMPLES_PER_MS

export interface Segment {
  readonly sound: 'tone' | 'silence' | 'other'
  /** Of a tone, from the grid; otherwise 0. */
  readonly hz: number
  readonly fromMs: number
  readonly toMs: number
  readonly levelDb: number
}

const SILENCE = 0
const OTHER = -1

/** The sound as a list of tones and silences, each edge to the millisecond or two. `grid`: the tones that may occur. */
export function segments(samples: Int16Array, grid: readonly number[]): Segment[] {
  const labels = runsOf(labelMilliseconds(samples, grid))
  return settleEdges(withoutGlimpses(labels)).map(({ label, fromMs, toMs }) => ({
    sound: label === SILENCE ? 'silence' : label === OTHER ? 'other' : 'tone',
    hz: grid[label - 1] ?? 0,
    fromMs,
    toMs,
    levelDb: levelDb(samples.subarray(fromMs * SAMPLES_PER_MS, toMs * SAMPLES_PER_MS)),
  }))
}

/** The level of the sound as a whole. */
export function levelDb(samples: Int16Array): number {
  let energy = 0
  for (const sample of samples) energy += sample * sample
  return powerDb(energy, samples.length)
}

/**
 * How loud one tone gets anywhere in the sound, however much else is in it: a single frame of another call's tone at
 * -12 dB shows at -38 dB or more. The edges of other tones, 200 Hz away or further, show 48 dB below these.
 */
export function traceDb(samples: Int16Array, hz: number): number {
  // Half a window of silence on either side, so that the ends weigh as much as the middle.
  const half = TRACE_WINDOW / 2
  const windows = Math.ceil(samples.length / half) + 1
  const padded = new Int16Array((windows + 1) * half)
  padded.set(samples, half)
  let most = Number.NEGATIVE_INFINITY
  for (let n = 0; n < windows; n++) {
    most = Math.max(most, toneLevelDb(padded.subarray(n * half, n * half + TRACE_WINDOW), RATE, hz))
  }
  return most
}

/** What share of the sound's power one tone holds: 0 to 1. */
export function toneShare(samples: Int16Array, hz: number): number {
  let cosine = 0
  let sine = 0
  let energy = 0
  for (let i = 0; i < samples.length; i++) {
    const angle = (2 * Math.PI * hz * i) / RATE
    cosine += samples[i]! * Math.cos(angle)
    sine += samples[i]! * Math.sin(angle)
    energy += samples[i]! * samples[i]!
  }
  return energy === 0 ? 0 : (2 * (cosine * cosine + sine * sine)) / (samples.length * energy)
}

function powerDb(energy: number, count: number): number {
  return 10 * Math.log10((2 * energy) / Math.max(1, count) / (FULL_SCALE * FULL_SCALE))
}

/** For every millisecond SILENCE, OTHER, or one more than a tone's place in the grid. */
function labelMilliseconds(samples: Int16Array, grid: readonly number[]): Int16Array {
  const energy = runningSums(samples, sample => sample * sample)
  const labels = new Int16Array(Math.floor(samples.length / SAMPLES_PER_MS))
  const bestShare = new Float64Array(labels.length).fill(TONE_SHARE)
  labels.fill(OTHER)
  grid.forEach((hz, place) => {
    const step = (2 * Math.PI * hz) / RATE
    const cosine = runningSums(samples, (sample, i) => sample * Math.cos(step * i))
    const sine = runningSums(samples, (sample, i) => sample * Math.sin(step * i))
    eachWindow(labels.length, samples.length, WINDOW, (ms, from, to) => {
      const x = cosine[to]! - cosine[from]!
      const y = sine[to]! - sine[from]!
      const share = (2 * (x * x + y * y)) / ((to - from) * (energy[to]! - energy[from]!))
      if (share < bestShare[ms]!) return
      bestShare[ms] = share
      labels[ms] = place + 1
    })
  })
  eachWindow(labels.length, samples.length, SILENCE_WINDOW, (ms, from, to) => {
    if (powerDb(energy[to]! - energy[from]!, to - from) < SILENT_DB) labels[ms] = SILENCE
  })
  return labels
}

function runningSums(samples: Int16Array, of: (sample: number, at: number) => number): Float64Array {
  const sums = new Float64Array(samples.length + 1)
  for (let i = 0; i < samples.length; i++) sums[i + 1] = sums[i]! + of(samples[i]!, i)
  return sums
}

type Look = (ms: number, from: number, to: number) => void

function eachWindow(count: number, length: number, window: number, look: Look): void {
  for (let ms = 0; ms < count; ms++) {
    const middle = (ms + 0.5) * SAMPLES_PER_MS
    look(ms, Math.max(0, middle - window / 2), Math.min(length, middle + window / 2))
  }
}

interface Run {
  readonly label: number
  readonly fromMs: number
  readonly toMs: number
}

function runsOf(labels: Int16Array): Run[] {
  const runs: Run[] = []
  for (let fromMs = 0; fromMs < labels.length; ) {
    let toMs = fromMs + 1
    while (toMs < labels.length && labels[toMs] === labels[fromMs]) toMs += 1
    runs.push({ label: labels[fromMs]!, fromMs, toMs })
    fromMs = toMs
  }
  return runs
}

/**
 * Where two tones meet, their waves can add up to one of them again for a few milliseconds in the middle of the edge:
 * too short for a tone, which would be seen for half a window at least.
 */
function withoutGlimpses(runs: readonly Run[]): Run[] {
  const isGlimpse = (run: Run, at: number) => {
    const around = [runs[at - 1]?.label, runs[at + 1]?.label]
    return run.toMs - run.fromMs < GLIMPSE_MS && around.includes(OTHER) && !around.includes(SILENCE)
  }
  return joined(runs.map((run, at) => (isGlimpse(run, at) ? { ...run, label: OTHER } : run)))
}

/**
 * Around an edge the window holds two sounds and is neither. Next to silence that is silence still, for a tone counts
 * from where it fills half of the window; between two tones the edge lies in the middle.
 */
function settleEdges(runs: readonly Run[]): Run[] {
  const settled: Run[] = []
  for (const [at, run] of runs.entries()) {
    const before = runs[at - 1]?.label
    const after = runs[at + 1]?.label
    const isEdge = run.label === OTHER && run.toMs - run.fromMs <= EDGE_MS && before !== after
    const middleMs = Math.round((run.fromMs + run.toMs) / 2)
    if (!isEdge || before === undefined || after === undefined) settled.push(run)
    else if (before === SILENCE || after === SILENCE) settled.push({ ...run, label: SILENCE })
    else settled.push({ ...run, label: before, toMs: middleMs }, { ...run, label: after, fromMs: middleMs })
  }
  return joined(settled)
}

/** Neighbours of one label become one run. */
function joined(runs: readonly Run[]): Run[] {
  const whole: Run[] = []
  for (const run of runs) {
    const last = whole.at(-1)
    if (last?.label === run.label) whole[whole.length - 1] = { ...last, toMs: run.toMs }
    else if (run.toMs > run.fromMs) whole.push(run)
  }
  return whole
}
