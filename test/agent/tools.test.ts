import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool } from '../../src/agent/define-tool.ts'
import type { Tool, ToolResult } from '../../src/agent/ports.ts'
import { ToolRunner } from '../../src/agent/tools.ts'
import type { CallFact } from '../../src/call/events.ts'
import { limits } from '../../src/limits.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

interface Run {
  readonly args: unknown
  readonly signal: AbortSignal
  readonly idempotencyKey: string
  readonly settle: (result: ToolResult) => void
}

const args = z.strictObject({ day: z.string(), count: z.int().min(1).optional() })

interface Changes extends Partial<Pick<Tool, 'effect' | 'timeoutMs' | 'repeatable'>> {
  readonly run?: () => Promise<ToolResult>
}

function bench(changes: Changes = {}) {
  const clock = new VirtualClock()
  const runs: Run[] = []
  const facts: CallFact[] = []
  const tool = defineTool({
    name: 'look_up',
    description: '',
    args,
    effect: 'read',
    timeoutMs: 1_000,
    run: (args, context) => new Promise(settle => runs.push({ args, settle, ...context })),
    ...changes,
  })
  const call = new AbortController()
  const turn = new AbortController()
  const runner = new ToolRunner({
    callId: 'call-1',
    tools: [tool],
    clock,
    signal: call.signal,
    emit: fact => facts.push(fact),
  })
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

  it('that changes something does it once for the same arguments, whatever the call is named', async () => {
    const { run, runs, clock, facts } = bench({ effect: 'write' })
    const results = [run({ day: 'monday', count: 2 }, '1'), run({ count: 2, day: 'monday' }, '2')]
    await clock.settle()
    expect(runs).toHaveLength(1)
    runs[0]!.settle({ ok: true, value: 1 })
    expect(await Promise.all([...results, run({ day: 'monday', count: 2 }, '3')])).toEqual(
      Array(3).fill({ ok: true, value: 1 }),
    )
    expect(runs).toHaveLength(1)
    expect(facts).toHaveLength(1)
    void run({ day: 'tuesday', count: 2 }, '4')
    await clock.settle()
    expect(runs).toHaveLength(2)
    expect(runs[1]!.idempotencyKey).not.toBe(runs[0]!.idempotencyKey)
  })

  it('that failed to change something may be tried again, under the same key', async () => {
    const { run, runs, clock } = bench({ effect: 'write' })
    const first = run({ day: 'monday' }, '1')
    await clock.run(1_000)
    expect(await first).toMatchObject({ ok: false, problem: expect.stringContaining('not known') })
    const second = run({ day: 'monday' }, '2')
    await clock.settle()
    runs[1]!.settle({ ok: true, value: 1 })
    expect(await second).toEqual({ ok: true, value: 1 })
    expect(runs[0]!.idempotencyKey).toMatch(/^[0-9a-f]{32}$/)
    expect(runs[1]!.idempotencyKey).toBe(runs[0]!.idempotencyKey)
  })

  it('is meant again when it may be repeated, but never one call of it', async () => {
    const { run, runs, clock } = bench({ effect: 'write', repeatable: true })
    for (const id of ['1', '1', '2']) void run({ day: 'monday' }, id)
    await clock.settle()
    expect(new Set(runs.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(2)
    expect(runs).toHaveLength(2)
  })

  it('gives no more than a model can take, and says so', async () => {
    const long = 'x'.repeat(limits.agent.toolResultChars + 1)
    const outcome = async (effect: Tool['effect'], value: unknown) =>
      bench({ effect, run: async () => ({ ok: true, value }) }).run({ day: 'monday' })
    expect(await outcome('read', { long })).toMatchObject({ ok: false, problem: expect.stringContaining('too long') })
    expect(await outcome('write', { long })).toMatchObject({ ok: true, value: expect.stringMatching(/^It was done/) })
    const text = await outcome('read', long)
    expect(text.ok && text.value).toMatch(/^x+ \.\.\. \(the rest is left out\)$/)
    expect(JSON.stringify(text).length).toBeLessThan(limits.agent.toolResultChars + 50)
    expect(await outcome('read', 5n)).toMatchObject({ ok: false, problem: expect.stringContaining('cannot be told') })
    expect(await outcome('read', undefined)).toEqual({ ok: true, value: undefined })
    const failing = bench({ run: async () => ({ ok: false, problem: long }) })
    expect(JSON.stringify(await failing.run({ day: 'monday' })).length).toBeLessThan(1_100)
  })

  it('answers each of twenty at once, beyond the bound in words', async () => {
    const { run, runs, clock } = bench()
    const results = Array.from({ length: 20 }, (_, n) => run({ day: 'monday' }, String(n)))
    await clock.settle()
    expect(runs).toHaveLength(limits.agent.toolsAtOnce)
    for (const { settle } of runs) settle({ ok: true, value: 'free' })
    const told = await Promise.all(results)
    expect(told.filter(({ ok }) => ok)).toHaveLength(limits.agent.toolsAtOnce)
    expect(told.at(-1)).toMatchObject({ ok: false, problem: expect.stringContaining('at once') })
    const later = run({ day: 'monday' }, 'later')
    await clock.settle()
    runs.at(-1)!.settle({ ok: true, value: 'free' })
    expect(await later).toMatchObject({ ok: true })
  })

  it.each(['{"day": "mon', 7, []])('tells what is wrong with arguments that are none: %j', async args => {
    expect(await bench().run(args)).toMatchObject({ ok: false, problem: expect.stringContaining('arguments') })
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
