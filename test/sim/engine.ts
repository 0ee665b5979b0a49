import { z } from 'zod'
import { defineTool } from '../../src/agent/define-tool.ts'
import { pipelineAgent } from '../../src/agent/pipeline.ts'
import type { Message, Tool, ToolContext, ToolResult } from '../../src/agent/ports.ts'
import { realtimeAgent } from '../../src/agent/realtime.ts'
import type { Handler } from '../../src/call/ports.ts'
import { type Clock, pause } from '../../src/clock.ts'
import { scriptedConversant } from '../../src/providers/scripted/conversant.ts'
import { scriptedModel } from '../../src/providers/scripted/model.ts'
import { scriptedRecognizer } from '../../src/providers/scripted/recognizer.ts'
import type { Script, Step } from '../../src/providers/scripted/script.ts'
import { scriptedSpeaker } from '../../src/providers/scripted/speaker.ts'
import { Faults } from '../agent/faults.ts'
import { type EnginePlan, type ReplyStep, settingsOf } from './plan.ts'

export interface Engine {
  readonly handler: Handler
  readonly faults: Faults
}

/** From the loss of a way to a server until it is found out. */
const NOTICED_LOST_MS = 4_000

/** The engine of one call: whatever it says is the call's own tone, and its parts break as planned. */
export function planEngine(plan: EnginePlan, toneHz: number, clock: Clock): Engine {
  const { variant, latencyMs, format } = plan
  const faults = new Faults()
  const settings = settingsOf(plan, toneHz)
  const script = scriptOf(plan.replies, toneHz)
  const recognizer = faults.recognizer(scriptedRecognizer({ clock, latencyMs: latencyMs.recognizer }))
  const model = faults.model(scriptedModel({ clock, script, latencyMs: latencyMs.model }))
  const speaker = faults.speaker(scriptedSpeaker({ clock, format, latencyMs: latencyMs.speaker }))
  const tools = () => toolsOf(clock)
  const agent =
    variant === 'cascade'
      ? pipelineAgent({ recognizer, model, speaker, tools, settings, clock })
      : realtimeAgent({
          conversant: faults.conversant(scriptedConversant({ clock, recognizer, model })),
          speaker,
          tools,
          settings,
          clock,
        })
  const handler: Handler = (call, scope) => {
    for (const { part, fault, atMs, forMs } of plan.faults) {
      scope.onClose(clock.after(atMs, () => faults.break(part, fault)))
      scope.onClose(clock.after(atMs + forMs, () => faults.mend(part)))
      // Only of a way to a server: what is called anew for each sentence is given up by the agent.
      if (part === 'conversant') scope.onClose(clock.after(atMs + forMs + NOTICED_LOST_MS, () => faults.notice(part)))
    }
    return agent(call, scope)
  }
  return { handler, faults }
}

function scriptOf(replies: EnginePlan['replies'], toneHz: number): Script {
  const spoken = (step: ReplyStep): Step =>
    typeof step === 'object' && 'sayMs' in step ? { say: `[tone ${toneHz} ${step.sayMs}ms]` } : step
  return history => {
    const last = history.at(-1)
    if (last?.role !== 'caller') return [spoken({ sayMs: last?.role === 'toolResult' ? 400 : 280 })]
    const turn = history.filter((message: Message) => message.role === 'caller').length
    return (replies[turn - 1] ?? [{ sayMs: 600 }]).map(spoken)
  }
}

function toolsOf(clock: Clock): Tool[] {
  type Run = (args: unknown, context: ToolContext) => Promise<ToolResult>
  const tool = (name: string, effect: Tool['effect'], timeoutMs: number, run: Run) =>
    defineTool({ name, description: name, args: z.object({}), effect, timeoutMs, run })
  const after =
    (ms: number) =>
    async (_args: unknown, { signal }: ToolContext) => {
      await pause(clock, ms, signal)
      return { ok: true, value: 'done' } as const
    }
  return [
    tool('look_up', 'read', 2_000, after(50)),
    tool('look_up_slowly', 'read', 5_000, after(3_000)),
    tool('book', 'write', 2_000, after(300)),
    tool('fail', 'read', 2_000, () => Promise.reject(new Error('broken'))),
    tool('get_stuck', 'read', 1_500, () => new Promise(() => {})),
  ]
}
