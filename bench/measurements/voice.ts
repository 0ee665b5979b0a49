import { seeded } from '../../test/support/random.ts'
import { hum } from '../../test/support/sounds.ts'
import {
  type Heard,
  halfVoices,
  listenTo,
  type Named,
  noises,
  nonVoices,
  speechLevelsDb,
  wordSets,
} from '../../test/support/voice-matrix.ts'
import { percentiles } from '../report/percentiles.ts'
import type { Row } from '../report/row.ts'
import type { Subject } from './measurement.ts'

const DETECTION_MS = 250
const SNR_DB = 20

type Noise = (typeof noises)[number]

/** What interrupts the agent, and what does not. */
export const voice: Subject = {
  title: 'What interrupts',
  method: `Synthesized words of 400 ms and more, none of the held-out ones ever used to tune anything, at ${speechLevelsDb.join(', ')} dBFS,
clean and over white noise, pink noise and hum ${SNR_DB} dB below the speech, through mu-law; the time is from the word's beginning
to the end of the frame in which the voice was told. Sounds that are no voice are up to 300 ms long at the level of speech
(keypad and call-progress tones up to 1,000 ms). No goal was set for words under 400 ms, coughs and babble.
Everything is seeded: the figures are the same on every machine.`,
  measurements: [
    {
      name: 'words',
      run: async () => (['tuning', 'held-out'] as const).flatMap(set => noises.map(noise => wordRow(set, noise))),
    },
    { name: 'short-words', run: async () => noises.map(shortWordRow) },
    { name: 'no-voices', run: async () => soundRows(noVoices(), true) },
    { name: 'half-voices', run: async () => soundRows(halfVoiceSounds(), false) },
  ],
}

function wordRow(set: 'tuning' | 'held-out', noise: Noise): Row {
  const heard = hearWords(set, noise)
  const times = timesOf(heard)
  return {
    subject: `${heard.length} words (${set}), ${noise}`,
    checks: [
      { name: 'undetected', value: heard.filter(each => !each.detected).length, most: 0 },
      { name: 'told before it began', value: heard.filter(each => each.tooSoon).length, most: 0 },
      { name: 'slowest', value: times.max, most: DETECTION_MS, unit: 'ms' },
    ],
    notes: [`p50 ${times.p50} ms`, `p99 ${times.p99} ms`],
    conditions: undefined,
  }
}

function shortWordRow(noise: Noise): Row {
  const heard = hearWords('short', noise)
  const times = timesOf(heard)
  const detected = heard.filter(each => each.detected)
  return {
    subject: `${heard.length} words of 250 to 400 ms, ${noise}`,
    checks: [],
    notes: [
      `${detected.length} detected`,
      `${detected.filter(each => each.afterMs <= DETECTION_MS).length} within ${DETECTION_MS} ms`,
      `p50 ${times.p50} ms`,
      `p99 ${times.p99} ms`,
    ],
    conditions: undefined,
  }
}

function hearWords(set: keyof typeof wordSets, noise: Noise): Heard[] {
  const random = seeded(3)
  return wordSets[set]().flatMap(word => speechLevelsDb.map(level => listenTo(word.sound, level, noise, random)))
}

const timesOf = (heard: readonly Heard[]) => percentiles(heard.filter(each => each.detected).map(each => each.afterMs))

function noVoices(): Named[] {
  const random = seeded(100)
  return [
    ...Array.from({ length: 8 }, () => nonVoices(random)).flat(),
    ...Array.from({ length: 16 }, (_, at) => ({
      kind: `hum ${SNR_DB} dB below speech`,
      sound: hum(2_000, at % 2 ? 50 : 60, random),
    })),
  ]
}

function halfVoiceSounds(): Named[] {
  const random = seeded(200)
  return Array.from({ length: 50 }, () => halfVoices(random)).flat()
}

/** Each kind of sound at the loudest levels of speech, or so far below them as its name says. */
function soundRows(sounds: readonly Named[], asked: boolean): Row[] {
  const random = seeded(101)
  const levels = speechLevelsDb.slice(0, 3)
  return [...Map.groupBy(sounds, each => each.kind)].map(([kind, each]) => {
    const offsetDb = kind.endsWith(`${SNR_DB} dB below speech`) ? -SNR_DB : 0
    const heard = each.flatMap(({ sound }) => levels.map(level => listenTo(sound, level + offsetDb, 'clean', random)))
    const started = heard.filter(({ detected }) => detected).length
    return {
      subject: `${heard.length} of ${kind}`,
      checks: asked ? [{ name: 'taken for a voice', value: started, most: 0 }] : [],
      notes: asked ? [] : [`${started} taken for a voice`],
      conditions: undefined,
    }
  })
}
