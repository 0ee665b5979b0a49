import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool } from '../../../src/agent/define-tool.ts'
import type { Tool } from '../../../src/agent/ports.ts'
import { pause } from '../../../src/clock.ts'
import { type Call, call, voiceAlone } from './house.ts'

/** To cancel what has just ended is no mistake: both were on their way. */
const mistakes = (problems: readonly string[]) => problems.filter(code => code !== 'response_cancel_not_active')

const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('says' as const), ms: fc.integer({ min: 120, max: 900 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('presses' as const), keys: fc.constantFrom('1', '23#', '#') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('breaks' as const) }) },
)
const story = fc.array(fc.tuple(step, fc.constantFrom(0, 20, 90, 300, 700, 1_500)), { minLength: 2, maxLength: 9 })

describe('whatever comes between', () => {
  it('no caller, key, tool or broken session makes two responses meet', async () => {
    const replies = [
      [{ call: 'look_up' }],
      [{ say: '[tone 700 900ms]' }, { call: 'look_up' }],
      [{ call: 'look_up' }, { call: 'book' }],
      [{ say: '[tone 700 2500ms]' }],
    ]
    const run = async (steps: typeof story extends fc.Arbitrary<infer T> ? T : never) => {
      const works = (name: string, effect: Tool['effect'], ms: number) =>
        defineTool({
          name,
          description: name,
          args: z.object({}),
          effect,
          timeoutMs: 2_000,
          async run(_, { signal }) {
            await pause(stage.house.clock, ms, signal)
            return { ok: true, value: name }
          },
        })
      const stage: Call = call({
        turns: [...replies, ...replies],
        tools: [works('look_up', 'read', 350), works('book', 'write', 900)],
      })
      await stage.house.run(700)
      for (const [happened, waitMs] of steps) {
        if (happened.kind === 'says') stage.house.says(1_300, happened.ms)
        else if (happened.kind === 'presses') stage.house.press(happened.keys)
        else stage.session().kill()
        await stage.house.run(waitMs)
      }
      await stage.house.run(8_000)
      expect(mistakes(stage.api.problems)).toEqual([])
      await stage.house.hangUp()
      expect(stage.house.clock.pending).toBe(0)
    }
    await fc.assert(fc.asyncProperty(story, run), { numRuns: 25, seed: 4 })
  })

  const wish = fc.constantFrom(
    'respond',
    'say',
    'instruct',
    'note',
    'cancel',
    'heard',
    'kill',
    'fail',
    'refuse',
    'stall',
  )
  const wishes = fc.array(fc.tuple(wish, fc.constantFrom(0, 0, 1, 30, 150, 600)), { minLength: 3, maxLength: 25 })

  it('nor does any order of wishes, cuts, failures and broken sessions; and each reply that began ends', async () => {
    const run = async (steps: readonly (readonly [string, number])[]) => {
      const { clock, api, voice, kinds, items, ending } = await voiceAlone()
      for (const [what, waitMs] of steps) {
        if (what === 'respond') voice.respond()
        else if (what === 'say') voice.say('[tone 440 500ms]')
        else if (what === 'instruct' || what === 'note') voice.instruct('pressed 1', what === 'instruct')
        else if (what === 'cancel') voice.cancel()
        else if (what === 'heard') for (const item of items) voice.heard(item, 130, 'some')
        else if (what === 'kill') api.sessions.at(-1)!.kill()
        else api.faults.plan({ at: 'response', what: what as 'fail' })
        await clock.run(waitMs)
      }
      await clock.run(60_000)
      // Not refused by fault, but by mistake.
      expect(mistakes(api.problems).filter(code => code !== 'rate_limit_exceeded')).toEqual([])
      const lastReply = kinds.filter(kind => ['replying', 'turnEnded', 'failed'].includes(kind)).at(-1)
      if (!steps.some(([what]) => what === 'cancel')) expect(lastReply).not.toBe('replying')
      ending.abort()
      await clock.run(10)
      expect(clock.pending).toBe(0)
    }
    await fc.assert(fc.asyncProperty(wishes, run), { numRuns: 80, seed: 4 })
  })
})
