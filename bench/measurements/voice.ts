import { seeded } from '../../test/support/random.ts'
import { hum } from '../../test/support/sounds.ts'
import { listenTo, noises, nonVoices, speechLevelsDb, wordSets } from '../../test/support/voice-matrix.ts'
import { percentiles } from '../report/percentiles.ts'
import type { Row } from '../report/row.ts'
import type { Subject } from './measurement.ts'

const DETECTION_MS = 250
const SNR_DB = 20

/** What interrupts the agent, and what does not. */
export const voice: Subject = {
  title: 'What interrupts',
  method: `Synthesized words of 400 ms and more, none of the held-out ones ever used to tune anything, at ${speechLevelsDb.join(', ')} dBFS,
clean and over white noise, pink noise and hum ${SNR_DB} dB below the speech, through mu-law; the time is from the word's beginning
to the end of the frame in which the voice was told. Sounds that are no voice are up to 300 ms long at the level of speech
(keypad and call-progress tones up to 1,000 ms). Everything is seeded: the figures are the same on every machine.`,
  measurements: [
    {
      name: 'words',
      run: async () => (['tuning', 'held-out'] as const).flatMap(set => noises.map(noise => wordRow(set, noise))),
    },
    { name: 'no-voices', run: async () => nonVoiceRows() },
  ],
}

function wordRow(set: 'tuning' | 'held-out', noise: (typeof noises)[number]): Row {
  const random = seeded(3)
  const heard = wordSets[set]().flatMap(word => speechLevelsDb.map(level => listenTo(word.sound, level, noise, random)))
  const times = percentiles(heard.filter(each => each.detected).map(each => each.afterMs))
  return {
    subject: `${heard.length} words (${set}), ${noise}`,
    checks: [
      { name: 'undetected', value: heard.filter(each => !each.detected).length, most: 0 },
      { name: 'slowest', value: times.max, most: DETECTION_MS, unit: 'ms' },
    ],
    notes: [`p50 ${times.p50} ms`, `p99 ${times.p99} ms`],
    conditions: undefined,
  }
}

function nonVoiceRows(): Row[] {
  const random = seeded(100)
  const levels = speechLevelsDb.slice(0, 3)
  const sounds = [
    ...Array.from({ length: 8 }, () => nonVoices(random)).flat(),
    ...Array.from({ length: 16 }, (_, at) => ({
      kind: `hum ${SNR_DB} dB below speech`,
      sound: hum(2_000, at % 2 ? 50 : 60, random),
    })),
  ]
  const kinds = Map.groupBy(sounds, each => each.kind)
  return [...kinds].map(([kind, each]) => {
    const offsetDb = kind.startsWith('hum') ? -SNR_DB : 0
    const heard = each.flatMap(({ sound }) => levels.map(level => listenTo(sound, level + offsetDb, 'clean', random)))
    const started = heard.filter(({ detected }) => detected).length
    return {
      subject: `${heard.length} of ${kind}`,
      checks: [{ name: 'taken for a voice', value: started, most: 0 }],
      notes: [],
      conditions: undefined,
    }
  })
}
