import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool } from '../../../src/agent/define-tool.ts'
import { builtInTools } from '../../../src/business-tools.ts'
import { toneSettings } from '../../agent/house.ts'
import { seeded } from '../../support/random.ts'
import { throughLine, tones } from '../../support/sounds.ts'
import { answering, call } from './house.ts'

const long = [{ say: '[tone 700 4000ms]' }]
const lookUp = defineTool({
  name: 'look_up',
  description: 'Looks something up.',
  args: z.strictObject({}),
  effect: 'read',
  timeoutMs: 1_000,
  run: async () => ({ ok: true, value: 'found' }),
})
const cough = throughLine(tones(260, [150, 300, 450, 600, 750, 900], seeded(5)).map(sample => sample * 3_000))

describe('a session', () => {
  it.each([
    ['ulaw', 'audio/pcmu'],
    ['alaw', 'audio/pcma'],
  ] as const)('speaks the law of the call: %s', async (law, type) => {
    const { house, sent } = call({ law })
    await house.run(900)
    expect(sent('session.update')).toMatchObject([
      {
        session: {
          type: 'realtime',
          instructions: expect.stringMatching(/^Be kind\./),
          audio: {
            input: {
              format: { type },
              noise_reduction: { type: 'far_field' },
              transcription: { language: 'en' },
              turn_detection: { type: 'server_vad', create_response: false, interrupt_response: false },
            },
            output: { format: { type }, voice: 'marin' },
          },
          tools: builtInTools
            .filter(name => name !== 'do_not_call')
            .filter(name => name !== 'transfer')
            .map(name => ({ type: 'function', name, parameters: { type: 'object' } })),
        },
      },
    ])
    expect(house.hertz).toEqual([440])
    await house.hangUp()
  })

  it('is chosen by settings', async () => {
    const { house, sent } = call({
      realtime: { turnDetection: 'semantic_vad', eagerness: 'low', noiseReduction: 'off', transcriptionModel: '' },
    })
    await house.run(300)
    const [{ session } = {}] = sent('session.update') as { session?: { audio?: { input?: object } } }[]
    expect(session?.audio?.input).toEqual({
      format: { type: 'audio/pcmu' },
      turn_detection: { type: 'semantic_vad', eagerness: 'low', create_response: false, interrupt_response: false },
    })
    await house.hangUp()
  })
})

describe('an interruption', () => {
  it('is told to the millisecond, wherever it falls', async () => {
    const random = seeded(11)
    for (let round = 0; round < 6; round++) {
      const { house, sent, api } = await answering({ turns: [long] })
      await house.run(20 + Math.floor(random() * 2_500))
      house.says(1_500)
      await house.run(3_000)
      const heard = house.all('agentSpoke')[1]!
      expect(heard.complete).toBe(false)
      expect(sent('conversation.item.truncate')).toMatchObject([{ audio_end_ms: heard.ms, content_index: 0 }])
      const pausedFrames = Math.floor((house.fact('agentPaused')!.atMs - house.answeredMs!) / 20)
      const replyFrames = house.line.soundingFrames.filter(frame => frame * 20 > 900 && frame < pausedFrames)
      expect(Math.abs(replyFrames.length * 20 - heard.ms)).toBeLessThanOrEqual(20)
      expect(house.hertz).toEqual([440, 700, 750])
      expect(api.problems).toEqual([])
      await house.hangUp()
    }
  })

  it('takes everything back that was not heard: an item that was made ahead is deleted', async () => {
    const { house, sent, api, session } = await answering({
      turns: [[{ say: '[tone 700 3000ms]' }, { call: 'look_up' }]],
      tools: [lookUp],
    })
    await house.run(1_000)
    house.says(1_500)
    await house.run(4_000)
    // The result has been spoken about meanwhile, but that was still behind what was being heard.
    expect(sent('conversation.item.truncate')).toHaveLength(1)
    expect(sent('conversation.item.delete')).toHaveLength(1)
    expect(house.hertz).toEqual([440, 700, 750])
    expect(api.problems).toEqual([])
    expect(session().conversation.messages.filter(({ role }) => role === 'agent')).toHaveLength(3)
  })

  it('is no cough: it makes no response, and leaves nothing behind', async () => {
    const { house, sent, api, session } = await answering({ turns: [long] })
    await house.run(1_000)
    house.line.callerSays(cough)
    await house.run(5_000)
    expect(house.all('agentResumed')).toHaveLength(1)
    expect(house.fact('agentSpoke')).toMatchObject({ ms: 4_000, complete: true })
    // The greeting and one reply.
    expect(sent('response.create')).toHaveLength(2)
    expect(sent('conversation.item.delete')).toHaveLength(1)
    expect(session().conversation.messages.map(({ role }) => role)).toEqual(['agent', 'caller', 'agent'])
    expect(api.problems).toEqual([])
  })

  it('of a server that cannot cut is told in words', async () => {
    const { house, sent, session } = await answering({
      turns: [[{ say: 'one two three four five six seven eight nine ten' }]],
      api: { kind: { truncates: false } },
    })
    await house.run(1_000)
    house.says(1_500)
    await house.run(3_000)
    const text = house.all('agentSpoke')[1]!.private.text
    expect(text).toMatch(/^one two/)
    expect(session().conversation.messages).toContainEqual({ role: 'agent', text, interrupted: false })
    expect(JSON.stringify(session().conversation.messages)).not.toContain('ten')
    // Once is enough to know it.
    house.says(1_500)
    await house.run(1_600)
    house.says(1_700)
    await house.run(3_000)
    expect(sent('conversation.item.truncate')).toHaveLength(1)
  })

  it('may be left to the server, which then stops for everything', async () => {
    const { house, sent, api } = await answering({ turns: [long], realtime: { serverAnswers: true } })
    await house.run(600)
    house.says(1_500)
    await house.run(3_000)
    expect(house.hertz).toEqual([440, 700, 750])
    // The greeting alone is asked for.
    expect(sent('response.create')).toHaveLength(1)
    expect(sent('conversation.item.truncate')).toHaveLength(1)
    expect(api.problems.filter(code => code !== 'response_cancel_not_active')).toEqual([])
  })
})

describe('more speech than may wait to be heard', () => {
  it('is cancelled; what was taken of it is heard, and the record and the session know how much', async () => {
    const { house, sent, api } = await answering({ turns: [[{ say: `[tone 700 60000ms] `.repeat(3) }]] })
    // Ten times as fast as it is heard.
    await house.run(15_000)
    expect(house.fact('degraded')?.detail).toMatch(/^More than 120 s/)
    expect(sent('response.cancel')).toHaveLength(1)
    await house.run(125_000)
    const heard = house.fact('agentSpoke')!
    expect(heard).toMatchObject({ complete: false })
    expect(heard.ms).toBeGreaterThan(119_000)
    expect(heard.ms).toBeLessThan(150_000)
    expect(sent('conversation.item.truncate')).toMatchObject([{ audio_end_ms: heard.ms }])
    house.says(1_500)
    await house.run(3_000)
    expect(house.hertz.at(-1)).toBe(750)
    expect(api.problems).toEqual([])
  })
})

describe('a server that interrupts for everything', () => {
  it('has what has come heard to its end, from where it paused', async () => {
    const { house, api, sent } = await answering({
      turns: [[{ say: '[tone 700 6000ms]' }]],
      realtime: { serverAnswers: true },
      api: {
        script: history => [{ say: history.at(-1)?.role === 'caller' ? '[tone 700 6000ms]' : '[tone 440 600ms]' }],
      },
    })
    // What arrives of it before the server notices the voice.
    house.line.callerSays(cough)
    await house.run(300)
    const pausedMs = house.fact('agentPaused')!.atMs
    await house.run(4_000)
    const [paused, resumed] = [house.fact('agentPaused')!, house.fact('agentResumed')!]
    expect(paused.atMs).toBe(pausedMs)
    expect(resumed.atMs - paused.atMs).toBeLessThanOrEqual(toneSettings.turn.falseInterruptionMs + 20)
    const before = house.tones.filter(({ hz, fromMs }) => hz === 700 && fromMs < pausedMs)
    expect(before).toHaveLength(1)
    const spoke = house.all('agentSpoke')[1]!
    const deltas = sent('conversation.item.truncate')
    expect(deltas).toEqual([])
    expect(spoke).toMatchObject({ complete: true })
    expect(spoke.ms).toBeGreaterThan(before[0]!.toMs - before[0]!.fromMs + 200)
    expect(api.problems).toEqual([])
    await house.hangUp()
  })

  it('is told what it has not said; what has come is heard to its end when it was none', async () => {
    const { house, session } = await answering({
      turns: [
        [{ say: 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen' }],
      ],
      realtime: { serverAnswers: true },
      api: { modelMs: 100 },
    })
    house.line.callerSays(cough)
    await house.run(1_200)
    const [told] = session().conversation.messages.filter(({ role }) => role === 'instruction')
    expect(told).toMatchObject({ text: expect.stringMatching(/^You were broken off after these words: one two/) })
    await house.hangUp()
  })
})

describe('the time of a reply', () => {
  it('is told apart: ours, and the server’s', async () => {
    const { house } = await answering({ turns: [[{ say: '[tone 700 400ms]' }]], api: { modelMs: 340 } })
    await house.run(1_000)
    const [times] = house.all('replyTimed')
    expect(times).toMatchObject({ askMs: 0, beginMs: 0, makeMs: 340 })
    // The line of this test sends a frame every 20 ms and does not hurry for the first.
    expect(times!.playMs).toBeLessThanOrEqual(20)
    // A short word is waited for: that is ours, too.
    house.says(1_500, 320)
    await house.run(2_000)
    expect(house.all('replyTimed')[1]).toMatchObject({ askMs: 80 })
    await house.hangUp()
  })
})

describe('responses', () => {
  it('never meet: keys, words and results ask for one after another', async () => {
    const random = seeded(5)
    for (let round = 0; round < 4; round++) {
      const { house, api } = call({
        turns: [[{ call: 'look_up' }], [{ say: '[tone 700 900ms]' }, { call: 'look_up' }]],
        tools: [lookUp],
      })
      await house.run(900)
      for (let step = 0; step < 8; step++) {
        if (random() < 0.5) house.says(1_300, 300 + Math.floor(random() * 500))
        else house.press('7')
        await house.run(Math.floor(random() * 1_500))
      }
      await house.run(6_000)
      expect(api.problems.filter(code => code !== 'response_cancel_not_active')).toEqual([])
      await house.hangUp()
      expect(house.clock.pending).toBe(0)
    }
  })

  it('without written words go to whatever is said while we are silent', async () => {
    const { house } = call({ realtime: { transcriptionModel: '' } })
    await house.run(900)
    house.says(1_300, 320)
    await house.run(3_000)
    expect(house.hertz).toEqual([440, 650])
  })
})

describe('another dialect', () => {
  it.each([
    ['older names, and PCM whatever is wished for', { names: 'older', g711: 'ignores', truncates: false }],
    ['older names and G.711', { names: 'older', g711: 'speaks', truncates: true }],
    ['new names, and PCM alone', { names: 'new', g711: 'refuses', truncates: true }],
  ] as const)('%s: greets, hears and answers', async (_, kind) => {
    const { house, session } = await answering({ turns: [long], api: { kind } })
    await house.run(1_000)
    house.says(1_500)
    await house.run(3_500)
    expect(house.hertz).toEqual([440, 700, 750])
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1300', 'tone 1500'])
    expect(session().problems.filter(code => !['unknown_event', 'invalid_value'].includes(code))).toEqual([])
    await house.hangUp()
  })

  it('may be configured, so that nothing has to be found out', async () => {
    const { house, sent } = call({ realtime: { audio: 'pcm' } })
    await house.run(900)
    expect(sent('session.update')).toHaveLength(1)
    expect(house.hertz).toEqual([440])
    await house.hangUp()
  })
})
