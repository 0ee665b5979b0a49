import { describe, expect, it } from 'vitest'
import type { Message } from '../../../src/agent/ports.ts'
import { limits } from '../../../src/limits.ts'
import { decode } from '../../../src/media/g711.ts'
import { toneLevelDb } from '../../../src/media/tone.ts'
import { scriptedEngine } from '../../../src/providers/scripted/engine.ts'
import { answerTones, inTurn } from '../../../src/providers/scripted/script.ts'
import { Sounds } from '../../../src/providers/scripted/sounds.ts'
import { House } from '../../agent/house.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const caller = (text: string): Message => ({ role: 'caller', text })

describe('the sounds of scripted texts', () => {
  it('are the tones that are asked for, to the sample', () => {
    const bytes = new Sounds({ encoding: 'ulaw', rate: 8_000 }).render('[tone 440 600ms] [tone 700 100ms]')
    expect(bytes).toHaveLength(8 * 700)
    const samples = new Int16Array(bytes.length)
    decode('ulaw', bytes, samples)
    expect(toneLevelDb(samples.subarray(0, 4_800), 8_000, 440)).toBeCloseTo(-12, 0)
    expect(toneLevelDb(samples.subarray(4_800), 8_000, 700)).toBeCloseTo(-12, 0)
  })

  it('are soft and as long as the words', () => {
    const samples = new Int16Array(new Sounds({ encoding: 'pcm16', rate: 24_000 }).render('Hello there.').buffer)
    expect(samples).toHaveLength(24 * 65 * 13)
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0)
    expect(peak).toBeGreaterThan(1_000)
    expect(peak).toBeLessThan(5_000)
  })

  it('are made once, and are bounded', () => {
    const sounds = new Sounds({ encoding: 'alaw', rate: 8_000 })
    const first = sounds.render('hello')
    expect(sounds.render('hello')).toBe(first)
    for (let i = 0; i < limits.scripted.renderedTexts; i++) sounds.render(`${i}`)
    expect(sounds.render('hello')).not.toBe(first)
    expect(sounds.render('[tone 440 999999ms]')).toHaveLength(8 * limits.scripted.toneMs)
  })
})

describe('the script', () => {
  it.each([
    ['tone 1300', [{ say: '[tone 650 800ms]' }]],
    ['tone 900 tone 1500', [{ say: '[tone 750 800ms]' }]],
    ['speech', [{ say: '[tone 350 600ms]' }]],
    ['[pressed 5#]', [{ say: '[tone 1250 200ms] [tone 1550 200ms]' }]],
    ['tone 3300', [{ say: '[tone 500 400ms]' }, { call: 'end_call' }]],
  ])('answers %s', (text, steps) => {
    expect(answerTones([caller(text)])).toEqual(steps)
  })

  it('answers the results of tools', () => {
    const result = (ok: boolean): Message[] => [
      { role: 'toolResult', id: '1', name: 'x', result: ok ? { ok, value: 1 } : { ok, problem: 'no' } },
    ]
    expect(answerTones(result(true))).toEqual([{ say: '[tone 550 400ms]' }])
    expect(answerTones(result(false))).toEqual([{ say: '[tone 450 400ms]' }])
  })

  it('may be a list of replies', () => {
    const script = inTurn([[{ say: 'first' }], ['fail']])
    expect(script([caller('a')])).toEqual([{ say: 'first' }])
    expect(script([caller('a'), caller('b')])).toEqual(['fail'])
    expect(script([caller('a'), caller('b'), caller('tone 800')])).toEqual([{ say: '[tone 400 800ms]' }])
  })
})

describe.each(['cascade', 'conversant'] as const)('the scripted engine as a %s', variant => {
  it('holds a conversation, each time to the same frame', async () => {
    const run = async () => {
      const clock = new VirtualClock()
      const house = new House(clock).start(scriptedEngine({ clock, variant }))
      await house.run(900)
      house.says(1_300)
      await house.run(3_000)
      house.says(3_000)
      await house.run(3_000)
      house.says(3_300)
      await house.run(3_000)
      expect(house.hertz).toEqual([440, 650, 550, 500])
      expect(house.outcome).toEqual({ kind: 'hangup' })
      return JSON.stringify(house.facts)
    }
    expect(await run()).toBe(await run())
  })
})
