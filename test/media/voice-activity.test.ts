import { describe, expect, it } from 'vitest'
import { word } from '../../src/caller/voice.ts'
import { VoiceActivity, type VoiceEvent } from '../../src/media/voice-activity.ts'
import { seeded } from '../support/random.ts'
import { hum } from '../support/sounds.ts'
import { listenTo, noises, nonVoices, speechLevelsDb, wordSets } from '../support/voice-matrix.ts'

/** The whole matrix stands in docs/benchmarks.md; here every word and every sound has its turn, in some of the conditions. */

describe('a voice', () => {
  it.each(['tuning', 'held-out'] as const)('is told within 250 ms of the beginning of each word: %s', set => {
    const random = seeded(11)
    const late: string[] = []
    for (const [index, { name, sound }] of wordSets[set]().entries()) {
      for (const [at, noise] of noises.entries()) {
        const levelDb = speechLevelsDb[(index + at) % speechLevelsDb.length]!
        const { detected, tooSoon, afterMs } = listenTo(sound, levelDb, noise, random)
        if (!detected || tooSoon || afterMs > 250)
          late.push(`${name} at ${levelDb} dBFS, ${noise}: ${detected ? afterMs : 'never'}`)
      }
    }
    expect(late).toEqual([])
  })

  it('is told of a brisk yes, no or yeah of 250 to 400 ms', () => {
    const random = seeded(12)
    const answers = wordSets.short().filter(({ name }) => /^(yes|no|yeah)-/.test(name))
    const missed = answers.filter(({ sound }) => !listenTo(sound, -22, 'white', random).detected)
    expect(answers.length).toBeGreaterThanOrEqual(10)
    expect(missed.map(({ name }) => name)).toEqual([])
  })

  it('is told of the words that test callers speak', () => {
    for (const [index, f0] of [110, 140, 170, 210].entries()) {
      const random = seeded(index)
      const spoken = word({ f0, markerHz: 900 + 300 * index, ms: 600, level: -16, random })
      expect(listenTo(Float64Array.from(spoken), -16, 'clean', random)).toMatchObject({ detected: true })
    }
  })

  it('stops when the word is over, not at the gaps within it', () => {
    const events: VoiceEvent[] = []
    const activity = new VoiceActivity(event => events.push(event))
    const samples = new Int16Array(16_000)
    samples.set(word({ f0: 130, markerHz: 1_000, ms: 800, level: -16, random: seeded(1) }), 3_200)
    for (let at = 0; at < samples.length; at += 160) activity.write(samples.subarray(at, at + 160), at / 8, 'heard')
    expect(events.map(event => event.kind)).toEqual(['voiceStarted', 'voiceStopped'])
    expect(Math.abs(events[0]!.atMs - 400)).toBeLessThanOrEqual(60)
    expect(Math.abs(events[1]!.atMs - 1_200)).toBeLessThanOrEqual(80)
  })
})

describe('no voice', () => {
  it('is what clicks, bursts of noise, doors, keypad and call-progress tones are taken for', () => {
    const random = seeded(21)
    const taken = nonVoices(random).filter(
      ({ sound }, index) => listenTo(sound, speechLevelsDb[index % 3]!, 'clean', random).detected,
    )
    expect(taken.map(({ kind }) => kind)).toEqual([])
  })

  it('is hum 20 dB below speech, however long', () => {
    const random = seeded(31)
    for (const hz of [50, 60]) {
      for (const levelDb of [-30, -36, -42]) {
        expect(listenTo(hum(3_000, hz, random), levelDb, 'clean', random).detected, `${hz} Hz at ${levelDb} dBFS`).toBe(
          false,
        )
      }
    }
  })
})
