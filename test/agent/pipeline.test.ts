import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool } from '../../src/agent/define-tool.ts'
import { pipelineAgent } from '../../src/agent/pipeline.ts'
import type { Ear, Message, Model, Recognizer, ReplyPart, Speaker, Tool } from '../../src/agent/ports.ts'
import { Queue } from '../../src/agent/queue.ts'
import type { AgentSettings } from '../../src/agent/settings.ts'
import { pause } from '../../src/clock.ts'
import { GatewayError } from '../../src/errors.ts'
import { scriptedModel } from '../../src/providers/scripted/model.ts'
import { scriptedRecognizer } from '../../src/providers/scripted/recognizer.ts'
import { inTurn, type Step } from '../../src/providers/scripted/script.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { House, phraseHz, toneSettings } from './house.ts'

interface Changes {
  readonly model?: (clock: VirtualClock) => Model
  readonly speaker?: (usual: Speaker) => Speaker
  readonly recognizer?: (usual: Recognizer) => Recognizer
  readonly turns?: readonly (readonly Step[])[]
  readonly tools?: (clock: VirtualClock) => readonly Tool[]
  readonly settings?: AgentSettings
  readonly clock?: VirtualClock
}

function cascade(clock: VirtualClock, changes: Changes) {
  const speaker = scriptedSpeaker({ clock, format: { encoding: 'pcm16', rate: 24_000 }, latencyMs: 20 })
  const recognizer = scriptedRecognizer({ clock, latencyMs: 50 })
  return pipelineAgent({
    recognizer: changes.recognizer?.(recognizer) ?? recognizer,
    model: changes.model?.(clock) ?? scriptedModel({ clock, script: inTurn(changes.turns ?? []), latencyMs: 100 }),
    speaker: changes.speaker?.(speaker) ?? speaker,
    tools: () => changes.tools?.(clock) ?? [],
    settings: changes.settings ?? toneSettings,
    clock,
  })
}

async function greeted(changes: Changes): Promise<House> {
  const clock = new VirtualClock()
  const house = new House(clock).start(cascade(clock, changes))
  await house.run(900)
  expect(house.hertz).toEqual([440])
  return house
}

/** Each call of the model gets the next of these. */
function modelOf(...replies: ((history: readonly Message[], signal: AbortSignal) => AsyncIterable<ReplyPart>)[]): {
  readonly model: () => Model
  readonly asked: (readonly Message[])[]
} {
  const asked: (readonly Message[])[] = []
  const reply: Model['reply'] = (history, _tools, signal) => {
    asked.push(history)
    return (replies[asked.length - 1] ?? replies.at(-1)!)(history, signal)
  }
  return { model: () => ({ reply }), asked }
}

async function* says(text: string): AsyncGenerator<ReplyPart> {
  yield { kind: 'text', text }
}

// biome-ignore lint/correctness/useYield: it fails before its first piece
async function* fails(error = new Error('broken')): AsyncGenerator<ReplyPart> {
  throw error
}

function bookSlowly(clock: VirtualClock): Tool {
  return defineTool({
    name: 'book',
    description: '',
    args: z.strictObject({}),
    effect: 'write',
    timeoutMs: 5_000,
    async run(_args, { signal }) {
      await pause(clock, 3_000, signal)
      return { ok: true, value: 'booked' }
    },
  })
}

describe('a cascade', () => {
  it('asks its model again when that fails before its first word, without a sound of it', async () => {
    const { model, asked } = modelOf(
      () => fails(),
      () => fails(),
      () => says('[tone 700 400ms]'),
    )
    const house = await greeted({ model })
    house.says(1_300)
    await house.run(3_000)
    expect(house.hertz).toEqual([440, 700])
    expect(asked).toHaveLength(3)
    expect(house.all('degraded')).toHaveLength(2)
  })

  it('does not ask again when it was told that this is of no use', async () => {
    const { model, asked } = modelOf(() => fails(new GatewayError('ENGINE_FAILED', 'The key is wrong.')))
    const house = await greeted({ model })
    house.says(1_300)
    await house.run(3_000)
    expect(asked).toHaveLength(1)
    expect(house.fact('degraded')).toMatchObject({ code: 'ENGINE_FAILED', detail: 'The key is wrong.' })
  })

  it("tells nothing of a vendor's error but its name: it may hold what the caller said", async () => {
    const house = await greeted({ model: modelOf(() => fails(new RangeError('secret words'))).model })
    house.says(1_300)
    await house.run(3_000)
    expect(house.fact('degraded')?.detail).toContain('RangeError')
    expect(JSON.stringify(house.facts)).not.toContain('secret')
  })

  it('hands the caller back after the third turn in a row that fails, with stored words when the speaker is down', async () => {
    let down = false
    const house = await greeted({
      turns: [['fail'], ['fail'], ['fail']],
      speaker: usual => ({
        format: usual.format,
        speak: (text, signal) => {
          if (down) throw new Error('down')
          return usual.speak(text, signal)
        },
      }),
    })
    await house.run(1_000)
    down = true
    for (let turn = 0; turn < 3; turn++) {
      house.says(1_300)
      await house.run(3_000)
    }
    expect(house.hertz).toEqual([440, phraseHz.trouble, phraseHz.trouble, phraseHz.handingOver])
    expect(house.outcome).toEqual({ kind: 'handBack', reason: 'engine failed', message: 'failure' })
  })

  it('speaks each sentence as it comes', async () => {
    const house = await greeted({
      turns: [[{ say: '[tone 700 400ms]. ' }, { waitMs: 3_000 }, { say: '[tone 750 400ms]' }]],
    })
    house.says(1_300)
    await house.run(2_500)
    expect(house.hertz).toEqual([440, 700])
    await house.run(3_000)
    expect(house.hertz.at(-1)).toBe(750)
  })

  it('shows its model what the agent is for, and what the caller pressed', async () => {
    const { model, asked } = modelOf(() => says('[tone 700 400ms]'))
    const house = await greeted({ model })
    house.press('12#')
    await house.run(2_000)
    expect(asked[0]).toEqual([
      { role: 'instruction', text: expect.stringMatching(/^Be kind\..*Test/s) },
      { role: 'agent', text: '[tone 440 600ms]', interrupted: false },
      { role: 'caller', text: '[pressed 12#]' },
    ])
  })

  it('does not book for a caller who has not finished', async () => {
    const runs: unknown[] = []
    const book = (clock: VirtualClock) =>
      defineTool({
        name: 'book',
        description: '',
        args: z.strictObject({}),
        effect: 'write',
        timeoutMs: 1_000,
        async run(args, { signal }) {
          await pause(clock, 10, signal)
          runs.push(args)
          return { ok: true, value: 'booked' }
        },
      })
    const house = await greeted({
      turns: [[{ waitMs: 300 }, { call: 'book' }]],
      tools: clock => [book(clock)],
    })
    // The model comes to the tool while the caller is heard again, and before that is known to be an interruption.
    house.says(1_300, 500)
    await house.run(1_150)
    house.says(1_500, 500)
    await house.run(450)
    expect(runs).toEqual([])
    await house.run(3_000)
    expect(runs).toHaveLength(1)
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1300 tone 1500'])
  })

  it('thinks of the next reply when it is known what was heard of the last one', async () => {
    const { model, asked } = modelOf(
      () => says('one two three four five six seven eight nine ten'),
      () => says('[tone 700 400ms]'),
    )
    const house = await greeted({ model })
    house.says(1_300)
    await house.run(2_500)
    const { cancel } = house.line
    house.line.cancel = async () => {
      const heard = await cancel.call(house.line)
      await pause(house.clock, 300)
      return heard
    }
    house.press('#')
    await house.run(3_000)
    const spoke = house.all('agentSpoke').at(-2)!
    expect(spoke).toMatchObject({ complete: false, private: { text: expect.stringMatching(/^one two/) } })
    expect(asked[1]).toContainEqual({ role: 'agent', text: spoke.private.text, interrupted: true })
  })

  it('thinks of the next reply when it is known what a tool has changed', async () => {
    const { model, asked } = modelOf(
      async function* () {
        yield { kind: 'toolCall', id: '1', name: 'book', args: {} } as const
      },
      () => says('[tone 700 400ms]'),
    )
    const house = await greeted({ model, tools: clock => [bookSlowly(clock)] })
    house.says(1_300)
    await house.run(2_000)
    expect(house.all('callerSpoke')).toHaveLength(1)
    house.press('#')
    await house.run(4_000)
    expect(asked).toHaveLength(2)
    expect(asked[1]!.slice(-3)).toMatchObject([
      { role: 'toolCall' },
      { role: 'toolResult', result: { ok: true } },
      { role: 'caller' },
    ])
  })

  it('does not wait for its model when the speaker has failed', async () => {
    let down = false
    const house = await greeted({
      turns: [[{ say: '[tone 700 400ms]. ' }, { waitMs: 6_000 }, { say: 'more' }]],
      speaker: usual => ({
        format: usual.format,
        speak: (text, signal) => (down ? (fails() as never) : usual.speak(text, signal)),
      }),
    })
    await house.run(1_000)
    down = true
    house.says(1_300)
    await house.run(2_500)
    expect(house.hertz).toEqual([440, phraseHz.trouble])
  })

  it('records once what a caller said who hung up while something was done about it', async () => {
    const house = await greeted({ turns: [[{ call: 'book' }]], tools: clock => [bookSlowly(clock)] })
    house.says(1_300)
    await house.run(2_500)
    await house.hangUp()
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1300'])
  })

  it('records what a caller said who hung up before there was an answer', async () => {
    const house = await greeted({ turns: [['stall']] })
    house.says(1_300)
    await house.run(2_000)
    expect(house.all('callerSpoke')).toEqual([])
    await house.hangUp()
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1300'])
  })

  it('records what a caller pressed who hung up before there was an answer', async () => {
    const house = await greeted({})
    house.press('42')
    await house.run(100)
    await house.hangUp()
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['[pressed 42]'])
  })

  it('records once what a caller was saying when the time was over', async () => {
    const settings = { ...toneSettings, turn: { ...toneSettings.turn, durationMs: 2_500, warnBeforeEndMs: 0 } }
    const house = await greeted({ settings })
    house.press('42')
    await house.run(500)
    house.says(1_300, 2_000)
    await house.run(3_000)
    expect(house.hertz).toEqual([440, phraseHz.timeOver])
    await house.hangUp()
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual([expect.stringContaining('[pressed 42]')])
  })

  it('records once what a caller said to whom no reply could be made', async () => {
    const house = await greeted({ turns: [['fail']] })
    house.says(1_300)
    await house.run(3_000)
    expect(house.all('callerSpoke').map(fact => fact.private.text)).toEqual(['tone 1300'])
    await house.hangUp()
    expect(house.all('callerSpoke')).toHaveLength(1)
  })

  it('stops a model that never ends', async () => {
    const model = (): Model => ({
      async *reply() {
        for (;;) {
          await Promise.resolve()
          yield { kind: 'text', text: 'and so on, ' }
        }
      },
    })
    const house = await greeted({ model })
    house.says(1_300)
    await house.run(2_000)
    expect(house.line.soundingFrames.at(-1)! * 20).toBeGreaterThan(house.line.playedMs - 200)
    await house.hangUp()
    expect(house.clock.pending).toBe(0)
  })

  it('answers each of twenty tools that its model asks for at once', async () => {
    const { model, asked } = modelOf(
      async function* () {
        for (let id = 0; id < 20; id++) {
          const name = ['current_time', 'none', 'take_message', 'take_message'][id % 4]!
          yield { kind: 'toolCall', id: `${id}`, name, args: id % 4 === 3 ? { message: `${id}` } : '{"' } as const
        }
      },
      () => says('[tone 700 400ms]'),
    )
    const house = await greeted({ model })
    house.says(1_300)
    await house.run(3_000)
    expect(house.hertz).toEqual([440, 700])
    const results = asked[1]!.flatMap(message => (message.role === 'toolResult' ? [message.result] : []))
    expect(results).toHaveLength(20)
    expect(results.filter(({ ok }) => ok)).toHaveLength(5)
    for (const result of results) expect(result.ok || result.problem).toBeTruthy()
    expect(house.all('messageTaken')).toHaveLength(5)
  })

  it('stops a model that calls tools without an end', async () => {
    let count = 0
    const model = (): Model => ({
      async *reply() {
        yield { kind: 'toolCall', id: `${count++}`, name: 'none', args: {} }
      },
    })
    const house = await greeted({ model })
    house.says(1_300)
    await house.run(3_000)
    expect(count).toBe(8)
    expect(house.hertz).toEqual([440, phraseHz.trouble])
  })

  it('is not answered for a caller whom nobody could hear, see to or speak to', async () => {
    const broken: readonly Changes[] = [
      { speaker: usual => ({ format: usual.format, speak: () => fails() as never }) },
      {
        recognizer: () => ({
          open: () => {
            throw new Error('no licence')
          },
        }),
      },
    ]
    for (const changes of broken) {
      const clock = new VirtualClock()
      const house = new House(clock).start(cascade(clock, changes))
      await house.run(1_000)
      expect(house.answeredMs).toBeUndefined()
      expect(house.outcome).toEqual({ kind: 'handBack', reason: 'engine failed', message: 'failure' })
      expect(clock.pending).toBe(0)
    }
  })

  it('hands back, with a word, when it has gone deaf', async () => {
    const ears: Queue<never>[] = []
    const recognizer = (): Recognizer => ({
      open: (): Ear => {
        const results = new Queue<never>()
        ears.push(results)
        return { format: { encoding: 'ulaw', rate: 8_000 }, results, write: () => {}, finish: () => {} }
      },
    })
    const house = await greeted({ recognizer })
    ears[0]!.end()
    await house.run(2_000)
    expect(house.hertz).toEqual([440, phraseHz.handingOver])
    expect(house.outcome).toMatchObject({ kind: 'handBack' })
  })

  it('keeps its phrases for the calls to come', async () => {
    const spoken: string[] = []
    const clock = new VirtualClock()
    const speaker = (usual: Speaker): Speaker => ({
      format: usual.format,
      speak: (text, signal) => {
        spoken.push(text)
        return usual.speak(text, signal)
      },
    })
    const handler = cascade(clock, { speaker })
    for (let call = 0; call < 3; call++) {
      const house = new House(clock).start(handler)
      await house.run(2_000)
      await house.hangUp()
    }
    expect(spoken.filter(text => text === toneSettings.phrases.trouble)).toHaveLength(1)
    expect(spoken.filter(text => text === '[tone 440 600ms]')).toHaveLength(3)
  })
})
