import { describe, expect, it } from 'vitest'
import { word } from '../../../src/caller/voice.ts'
import { systemClock } from '../../../src/clock.ts'
import { limits } from '../../../src/limits.ts'
import { NOT_UNDERSTOOD, StretchEar } from '../../../src/providers/local/ear.ts'
import { fliteSpeech } from '../../../src/providers/local/flite.ts'
import { pitchOf } from '../../../src/providers/local/pitch.ts'
import { RenderedSpeaker } from '../../../src/providers/local/speaker.ts'
import { widened } from '../../../src/providers/local/widen.ts'
import { seeded } from '../../support/random.ts'

const spoken = (f0: number, ms = 800) => word({ f0, markerHz: 2_000, ms, level: -20, random: seeded(1) })

describe('widened speech', () => {
  it('is as long at twice the rate, longer for a high voice, and the same each time', () => {
    expect(pitchOf(spoken(110))).toBeLessThan(140)
    expect(pitchOf(spoken(210))).toBeGreaterThan(180)
    expect(pitchOf(new Int16Array(8_000))).toBeUndefined()
    expect(widened(spoken(110)).length).toBe(17_600)
    expect(widened(spoken(210)).length).toBe(20_064)
    expect(widened(spoken(110))).toEqual(widened(spoken(110)))
  })

  it('is never silent, and never louder than there is room', () => {
    expect(widened(new Int16Array(1_600)).some(sample => sample !== 0)).toBe(true)
    expect(Math.max(...widened(new Int16Array(1_600).fill(32_767)))).toBe(32_767)
  })
})

describe('an ear', () => {
  async function hear(sounds: readonly Int16Array[], decode: (at: number) => string | undefined) {
    const call = new AbortController()
    const lengths: number[] = []
    const ear = new StretchEar(async speech => decode(lengths.push(speech.length / 8) - 1), call.signal)
    const samples = [new Int16Array(8_000), ...sounds.flatMap(sound => [sound, new Int16Array(8_000)])]
    let atMs = 0
    for (const sound of samples) {
      for (let at = 0; at < sound.length; at += 160, atMs += 20) {
        const frame = new Int16Array(160)
        frame.set(sound.subarray(at, at + 160))
        ear.write(frame, atMs, 'heard')
      }
    }
    await new Promise(resolve => setImmediate(resolve))
    call.abort()
    const texts: string[] = []
    for await (const { text } of ear.results) texts.push(text)
    return { texts, lengths }
  }

  it('hears one stretch after the other, each with what is around it', async () => {
    const { texts, lengths } = await hear([spoken(120), spoken(120)], at => `words ${at}`)
    expect(texts).toEqual(['words 0', 'words 1'])
    for (const ms of lengths) expect(ms).toBeGreaterThanOrEqual(800)
    for (const ms of lengths) expect(ms).toBeLessThanOrEqual(1_300)
  })

  it('tells speech that it did not understand, and takes a short sound for a cough', async () => {
    expect((await hear([spoken(120)], () => undefined)).texts).toEqual([NOT_UNDERSTOOD])
    expect((await hear([spoken(120, 260)], () => undefined)).texts).toEqual([])
  })
})

describe('a speaker', () => {
  it('speaks from memory what it has spoken, within its bound', async () => {
    let rendered = 0
    const speaker = new RenderedSpeaker(async () => ({ rate: 8_000, samples: new Int16Array(8_000 + 0 * rendered++) }))
    const say = async (text: string) => {
      let bytes = 0
      for await (const piece of speaker.speak(text, new AbortController().signal)) bytes += piece.length
      return bytes
    }
    expect(await say('hello')).toBe(8_000)
    expect(await say(' hello ')).toBe(8_000)
    expect(rendered).toBe(1)
    for (let n = 0; n < limits.local.sentences; n++) await say(`sentence ${n}`)
    await say('hello')
    expect(rendered).toBe(limits.local.sentences + 2)
  })
})

describe('the speech program', () => {
  it.each([
    ['writes what is no sound', 'printf junk >"$6"'],
    ['writes nothing', 'true'],
  ])('that %s is told as such', async (_, script) => {
    const speech = fliteSpeech(['sh', '-c', script, 'flite'], 'hello', { clock: systemClock, voice: 'slt' })
    await expect(speech).rejects.toMatchObject({
      code: 'ENGINE_FAILED',
      message: 'The speech program flite made no sound.',
    })
  })
})
