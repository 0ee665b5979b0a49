import { describe, expect, it } from 'vitest'
import { consult } from '../../src/agent/consulting.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { FakeLine } from '../support/fake-line.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const told = { story: '[tone 700 2000ms]', question: '[tone 900 1000ms]' }
/** What it is told in, from the answer on. */
const QUESTION_MS = 2_500

/** Somebody has answered. */
function answered(options: { speaks?: boolean } = {}) {
  const clock = new VirtualClock()
  const line = new FakeLine(clock)
  line.connect()
  const digits = new Set<(digit: string) => void>()
  const listening: { heard?: (text: string) => void; signal?: AbortSignal } = {}
  const speaker = scriptedSpeaker({ clock, format: { encoding: 'alaw', rate: 8_000 }, latencyMs: 50 })
  const gone = new AbortController()
  let answer: string | undefined
  const far = {
    line,
    onDigit: (listener: (digit: string) => void) => {
      digits.add(listener)
      return () => digits.delete(listener)
    },
  }
  const means = {
    speaker: (options.speaks ?? true) ? speaker : { ...speaker, speak: async function* () {} },
    listen: async (_line: unknown, heard: (text: string) => void, signal: AbortSignal) =>
      Object.assign(listening, { heard, signal }),
    clock,
    stepMs: 2_000,
  }
  consult(far, told, means as never, gone.signal).then(
    given => {
      answer = given
    },
    error => {
      answer = error.message
    },
  )
  return {
    clock,
    line,
    gone,
    answer: () => answer,
    says: (text: string) => listening.heard?.(text),
    press: (digit: string) => {
      for (const listener of [...digits]) listener(digit)
    },
    left: () => ({
      timers: clock.pending,
      attached: line.attached,
      digits: digits.size,
      listens: !listening.signal?.aborted,
    }),
  }
}

const nothing = { timers: 1, attached: 0, digits: 0, listens: false }

describe('whoever has answered', () => {
  it('is told and asked, and accepts by a key at any time', async () => {
    const far = answered()
    await far.clock.run(1_000)
    far.press('5')
    far.press('1')
    await far.clock.run(20)
    expect(far.answer()).toBe('accepted')
    expect(far.left()).toEqual(nothing)
    const sounds = far.line.soundingFrames.length
    await far.clock.run(1_000)
    expect(far.line.soundingFrames.length).toBe(sounds)
  })

  it('declines by a key', async () => {
    const far = answered()
    await far.clock.run(1_000)
    far.press('2')
    await far.clock.run(20)
    expect(far.answer()).toBe('declined')
  })

  it.each([
    ['yes', 'accepted'],
    ['No, thanks', 'declined'],
  ])('answers by voice once the question is heard, not by the word they pick up with: %s', async (text, answer) => {
    const far = answered()
    await far.clock.run(600)
    far.says(text)
    await far.clock.run(QUESTION_MS - 600)
    expect(far.answer()).toBeUndefined()
    far.says('who is it')
    await far.clock.run(500)
    expect(far.answer()).toBeUndefined()
    far.says(text)
    await far.clock.run(20)
    expect(far.answer()).toBe(answer)
    expect(far.left()).toEqual(nothing)
  })

  it('who says nothing is asked three times, and has declined', async () => {
    const far = answered()
    await far.clock.run(40_000)
    expect(far.answer()).toBe('declined')
    // Three times three seconds of sound.
    expect(far.line.soundingFrames.length * 20).toBeGreaterThanOrEqual(8_900)
    expect(far.line.soundingFrames.length * 20).toBeLessThanOrEqual(9_200)
    expect(far.left()).toEqual(nothing)
  })

  it('who is gone, or not wanted any more, leaves nothing', async () => {
    const far = answered()
    await far.clock.run(1_000)
    far.gone.abort(new Error('Gone.'))
    await far.clock.run(20)
    expect(far.answer()).toBe('Gone.')
    await far.clock.run(1_000)
    expect(far.left()).toEqual(nothing)
  })

  it('to whom nothing can be said has not been asked', async () => {
    const far = answered({ speaks: false })
    await far.clock.run(4_000)
    expect(far.answer()).toMatch(/no sound/)
    expect(far.left()).toEqual(nothing)
  })
})
