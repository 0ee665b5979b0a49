import { VoiceActivity, type VoiceEvent } from '../../src/media/voice-activity.ts'
import {
  add,
  atLevel,
  babble,
  brownNoise,
  clicks,
  cough,
  doorSlam,
  hum,
  loadWords,
  pinkNoise,
  samplesIn,
  softened,
  throughLine,
  tones,
  whiteNoise,
} from './sounds.ts'

/** Everything that must and must not interrupt, as cases with a name each: for the test and for the bench. */

type Sound = Float64Array
type Random = () => number

export const speechLevelsDb = [-10, -16, -22, -28, -34] as const
export const noises = ['clean', 'white', 'pink', 'hum'] as const
const SNR_DB = 20
const BEFORE_MS = 600
const AFTER_MS = 500
const FRAME = 160

export interface Heard {
  readonly detected: boolean
  /** Told before the sound began: of its background alone. */
  readonly tooSoon: boolean
  /** From the sound's beginning to the end of the frame in which the voice was told. */
  readonly afterMs: number
}

/** What voice activity makes of a sound that begins after a stretch of its background alone. */
export function listenTo(sound: Sound, levelDb: number, noise: (typeof noises)[number], random: Random): Heard {
  const line = background(noise, sound.length + samplesIn(BEFORE_MS + AFTER_MS), levelDb - SNR_DB, random)
  add(line, atLevel(sound, levelDb), samplesIn(BEFORE_MS))
  const samples = throughLine(line)
  let told: VoiceEvent | undefined
  let afterMs = 0
  let frameEndMs = 0
  const activity = new VoiceActivity(event => {
    if (told || event.kind !== 'voiceStarted') return
    told = event
    afterMs = frameEndMs - BEFORE_MS
  })
  for (let at = 0; at + FRAME <= samples.length; at += FRAME) {
    frameEndMs = (at + FRAME) / 8
    activity.write(samples.subarray(at, at + FRAME), at / 8, 'heard')
  }
  return { detected: told !== undefined, tooSoon: told !== undefined && afterMs <= 0, afterMs }
}

function background(noise: (typeof noises)[number], length: number, levelDb: number, random: Random): Sound {
  const durationMs = length / 8 + 1
  switch (noise) {
    case 'clean':
      return new Float64Array(length)
    case 'white':
      return atLevel(whiteNoise(durationMs, random), levelDb).subarray(0, length).slice()
    case 'pink':
      return atLevel(pinkNoise(durationMs, random), levelDb).subarray(0, length).slice()
    case 'hum':
      return atLevel(hum(durationMs, random() < 0.5 ? 50 : 60, random), levelDb)
        .subarray(0, length)
        .slice()
  }
}

const keypadRows = [697, 770, 852, 941]
const keypadColumns = [1_209, 1_336, 1_477, 1_633]

export interface Named {
  readonly kind: string
  readonly sound: Sound
}

/** Sounds that are no voice, up to 300 ms at the level of speech; keypad tones of any length. */
export function nonVoices(random: Random): Named[] {
  const bursts = [40, 100, 200, 300].flatMap(ms =>
    [0, 30].flatMap(riseMs =>
      Object.entries({
        'white noise': whiteNoise,
        'pink noise': pinkNoise,
        'brown noise': brownNoise,
        'door slam': doorSlam,
      }).map(([kind, make]) => ({ kind, sound: softened(make(ms, random), riseMs) })),
    ),
  )
  const keys = keypadRows.flatMap(row =>
    keypadColumns.flatMap(column =>
      [60, 200, 1_000].map(ms => ({ kind: 'keypad tone', sound: tones(ms, [row, column], random) })),
    ),
  )
  const progress = [[425], [350, 440], [440, 480], [480, 620]].flatMap(hz =>
    [200, 1_000].map(ms => ({ kind: 'call-progress tone', sound: tones(ms, hz, random) })),
  )
  const clicking = Array.from({ length: 8 }, () => ({ kind: 'clicks', sound: clicks(60, random) }))
  return [...bursts, ...keys, ...progress, ...clicking]
}

/** What comes out of a mouth and is no word to the agent: nothing is asked of these. */
export function halfVoices(random: Random): Named[] {
  return [
    { kind: 'cough without voice', sound: cough(false, random) },
    { kind: 'cough with voice', sound: cough(true, random) },
    { kind: `babble ${SNR_DB} dB below speech`, sound: babble(2_000, random) },
  ]
}

export const wordSets = {
  tuning: () => loadWords('tuning'),
  'held-out': () => loadWords('held-out'),
  short: () => loadWords('short'),
} as const
