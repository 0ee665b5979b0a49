import { describe, expect, it } from 'vitest'
import type { Tool, ToolResult } from '../../src/agent/ports.ts'
import { ToolRunner } from '../../src/agent/tools.ts'
import type { CallFact } from '../../src/call/events.ts'
import { limits } from '../../src/limits.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

interface Run {
  readonly args: unknown
  readonly signal: AbortSignal
  readonly settle: (result: ToolResult) => void
}

function bench(changes: Partial<Tool> = {}) {
  const clock = new VirtualClock()
  const runs: Run[] = []
  const facts: CallFact[] = []
  const tool: Tool = {
    name: 'look_up',
    description: '',
    parameters: {
      type: 'object',
      properties: { day: { type: 'string' }, count: { type: 'integer', minimum: 1 } },
      required: ['day'],
      additionalProperties: false,
    },
    effect: 'read',
    timeoutMs: 1_000,
    run: (args, signal) => new Promise(settle => runs.push({ args, signal, settle })),
    ...changes,
  }
  const call = new AbortController()
  const turn = new AbortController()
  const runner = new ToolRunner({ tools: [tool], clock, signal: call.signal, emit: fact => facts.push(fact) })
  const run = (args: unknown, id = '1') => runner.run({ id, name: tool.name, args }, turn.signal)
  return { clock, runner, run, runs, facts, call, turn }
}

describe('a tool', () => {
  it('runs with valid arguments', async () => {
    const { run, runs, facts, clock } = bench()
    const result = run({ day: 'monday', count: 2 })
    await clock.run(30)
    runs[0]!.settle({ ok: true, value: 'free' })
    expect(await result).toEqual({ ok: true, value: 'free' })
    expect(runs[0]!.args).toEqual({ day: 'monday', count: 2 })
    expect(facts).toEqual([{ name: 'toolRan', tool: 'look_up', ok: true, tookMs: 30 }])
    expect(clock.pending).toBe(0)
  })

  it.each([
    [{}, 'day'],
    [{ day: 1 }, 'day'],
    [{ day: 'monday', count: 0 }, 'count'],
    [{ day: 'monday', other: 1 }, 'other'],
    [null, 'arguments'],
  ])('does not run with %j', async (args, where) => {
    const { run, runs, facts } = bench()
    expect(await run(args)).toMatchObject({ ok: false, problem: expect.stringContaining(where) })
    expect(runs).toEqual([])
    expect(facts).toMatchObject([{ ok: false }])
  })

  it('has its own time, and never more than any tool', async () => {
    for (const [timeoutMs, limitMs] of [
      [1_000, 1_000],
      [100_000, limits.agent.toolMs],
    ] as const) {
      const { run, runs, clock } = bench({ timeoutMs })
      const result = run({ day: 'monday' })
      await clock.run(limitMs - 1)
      expect(runs[0]!.signal.aborted).toBe(false)
      await clock.run(1)
      expect(await result).toMatchObject({ ok: false, problem: expect.stringContaining(`${limitMs} ms`) })
      expect(runs[0]!.signal.aborted).toBe(true)
    }
  })

  it('runs once for one call, however often that is asked for', async () => {
    const { run, runs, clock } = bench()
    const results = [run({ day: 'monday' }), run({ day: 'monday' })]
    await clock.settle()
    runs[0]!.settle({ ok: true, value: 1 })
    expect(await Promise.all([...results, run({ day: 'monday' })])).toEqual(Array(3).fill({ ok: true, value: 1 }))
    expect(runs).toHaveLength(1)
    void run({ day: 'monday' }, '2')
    await clock.settle()
    expect(runs).toHaveLength(2)
  })

  it('that reads ends with its turn; one that changes something only with the call', async () => {
    const reading = bench()
    const read = reading.run({ day: 'monday' })
    await reading.clock.settle()
    reading.turn.abort(new Error('turn over'))
    expect(await read).toMatchObject({ ok: false })

    const writing = bench({ effect: 'write' })
    const written = writing.run({ day: 'monday' })
    let done = false
    void writing.runner.writesDone().then(() => {
      done = true
    })
    await writing.clock.settle()
    writing.turn.abort(new Error('turn over'))
    await writing.clock.settle()
    expect(done).toBe(false)
    expect(writing.runs[0]!.signal.aborted).toBe(false)
    writing.runs[0]!.settle({ ok: true, value: 1 })
    expect(await written).toEqual({ ok: true, value: 1 })
    await writing.clock.settle()
    expect(done).toBe(true)

    const leaving = bench({ effect: 'write' })
    const unknown = leaving.run({ day: 'monday' })
    await leaving.clock.settle()
    leaving.call.abort(new Error('hung up'))
    expect(await unknown).toMatchObject({ problem: expect.stringContaining('not known') })
    expect(leaving.runs[0]!.signal.aborted).toBe(true)
  })

  it.each([
    [
      'at once',
      () => {
        throw new Error('broken')
      },
    ],
    ['later', () => Promise.reject(new Error('broken'))],
  ])('that throws %s fails in words', async (_, run) => {
    expect(await bench({ run }).run({ day: 'monday' })).toEqual({ ok: false, problem: 'look_up failed: broken' })
  })

  it('that is not there is said to be', async () => {
    const { runner, turn } = bench()
    expect(await runner.run({ id: '1', name: 'fly', args: {} }, turn.signal)).toMatchObject({ ok: false })
  })
})
