import { describe, expect, it } from 'vitest'
import { phraseHz } from '../../agent/house.ts'
import { type Call, call } from './house.ts'

const tones = { long: '[tone 700 3000ms]', short: '[tone 800 400ms]' }
const answersAlways = { kind: { answers: 'always' } } as const

/** Once each: neither asked for again nor told to be a failure. */
function isHeardAs(hertz: readonly number[], { house, api }: Call): void {
  expect(house.hertz).toEqual(hertz)
  expect(house.all('degraded')).toEqual([])
  expect(new Set(api.problems).size).toBeLessThanOrEqual(1)
  expect(api.sessions).toHaveLength(1)
}

describe('a server that answers by itself, though it was told not to', () => {
  it.each([
    ['a sentence, whose answer we ask for at once', 600],
    ['a short word, whose answer has begun when it is understood', 320],
  ])('%s: its answer is the answer', async (_, ms) => {
    const stage = call({ turns: [[{ say: tones.short }]], api: { ...answersAlways, transcriptionMs: 400 } })
    const { house } = stage
    await house.run(900)
    house.says(1_300, ms)
    await house.run(4_000)
    house.says(1_500, ms)
    await house.run(4_000)
    isHeardAs([440, 800, 750], stage)
    // It is quiet since then, and the conversation knows.
    await house.run(8_000)
    expect(house.hertz.at(-1)).toBe(phraseHz.stillThere)
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it('is interrupted as any other', async () => {
    const stage = call({ turns: [[{ say: tones.long }]], api: answersAlways })
    const { house, sent } = stage
    await house.run(900)
    house.says(1_300)
    await house.run(2_600)
    house.says(1_500)
    await house.run(3_000)
    isHeardAs([440, 700, 750], stage)
    expect(sent('conversation.item.truncate')).toMatchObject([{ audio_end_ms: house.all('agentSpoke')[1]!.ms }])
    await house.hangUp()
  })

  it('does not swallow what is pressed meanwhile', async () => {
    for (const realtime of [{}, { serverAnswers: true }]) {
      const stage = call({ turns: [[{ say: tones.short }]], api: answersAlways, realtime })
      const { house } = stage
      await house.run(900)
      house.press('4')
      house.says(1_300, 500)
      // While its own answer to the word is being begun.
      await house.run(1_045)
      house.press('#')
      await house.run(6_000)
      expect(house.hertz).toContain(1_550)
      expect(house.all('degraded')).toEqual([])
      await house.hangUp()
      expect(house.clock.pending).toBe(0)
    }
  })
})
