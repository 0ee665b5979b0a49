import { expect } from 'vitest'
import { z } from 'zod'
import { defineTool } from '../../src/agent/define-tool.ts'
import type { Message, Tool, ToolResult } from '../../src/agent/ports.ts'
import type { AgentSettings } from '../../src/agent/settings.ts'
import type { Handler } from '../../src/call/ports.ts'
import { pause } from '../../src/clock.ts'
import { inTurn, type Script, type Step } from '../../src/providers/scripted/script.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { type Fault, Faults } from './faults.ts'
import { House, type HouseOptions, toneSettings } from './house.ts'

/** What an engine under test is made of; its parts fail as `faults` says. */
interface Setup {
  readonly clock: VirtualClock
  readonly script: Script
  readonly settings: AgentSettings
  readonly tools: readonly Tool[]
  readonly faults: Faults
}

export interface Engine {
  readonly make: (setup: Setup) => Handler
  /** Its parts, by the names that `Faults` knows them by. */
  readonly parts: readonly string[]
  /** The longest that a caller hears nothing when one of them fails. */
  readonly silenceMs: number
}

export type Turns = readonly (readonly Step[])[]

export interface Stage extends House {
  readonly faults: Faults
  /** What each reply was made from. */
  readonly asked: (readonly Message[])[]
  readonly toolRuns: { readonly name: string; readonly args: unknown }[]
}

export interface StageOptions extends HouseOptions {
  readonly turns?: Turns
  readonly settings?: AgentSettings
  readonly faults?: Readonly<Record<string, Fault>>
}

export const GREETED_MS = 900

export function stage(engine: Engine, options: StageOptions = {}): Stage {
  const clock = new VirtualClock()
  const faults = new Faults()
  for (const [part, fault] of Object.entries(options.faults ?? {})) faults.break(part, fault)
  const asked: (readonly Message[])[] = []
  const toolRuns: Stage['toolRuns'] = []
  const script = inTurn(options.turns ?? [])
  const house = Object.assign(new House(clock, options), { faults, asked, toolRuns })
  const handler = engine.make({
    clock,
    script: history => {
      asked.push(structuredClone(history) as Message[])
      return script(history)
    },
    settings: options.settings ?? toneSettings,
    tools: testTools(clock, toolRuns),
    faults,
  })
  return house.start(handler)
}

export async function greeted(engine: Engine, options: StageOptions = {}): Promise<Stage> {
  const house = stage(engine, options)
  await house.run(GREETED_MS)
  expect(house.hertz).toEqual([440])
  return house
}

/** The caller has spoken and hears the first reply, a second of it. */
export async function answering(engine: Engine, turns: Turns, options: StageOptions = {}): Promise<Stage> {
  const house = await greeted(engine, { ...options, turns })
  house.says(1_300)
  const sinceMs = house.line.playedMs
  while (lastSoundMs(house) < sinceMs + 20 && house.clock.now() < 10_000) await house.run(20)
  await house.run(1_000)
  return house
}

function lastSoundMs(house: House): number {
  return ((house.line.soundingFrames.at(-1) ?? -1) + 1) * 20
}

function testTools(clock: VirtualClock, runs: Stage['toolRuns']): readonly Tool[] {
  const tool = (name: string, effect: Tool['effect'], takesMs: number, result: ToolResult) =>
    defineTool({
      name,
      description: name,
      args: z.strictObject({ what: z.string() }),
      effect,
      timeoutMs: 6_000,
      async run(args, { signal }) {
        runs.push({ name, args })
        await pause(clock, takesMs, signal)
        return result
      },
    })
  return [
    tool('look_up', 'read', 50, { ok: true, value: 'found' }),
    tool('look_up_slowly', 'read', 4_000, { ok: true, value: 'found' }),
    tool('never_ready', 'read', 100_000, { ok: true, value: 'found' }),
    tool('book', 'write', 800, { ok: true, value: 'booked' }),
  ]
}
