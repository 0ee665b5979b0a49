import { z } from 'zod'
import type { CallFact } from '../call/events.ts'
import type { Clock } from '../clock.ts'
import { asError, GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { unlessAborted } from './iterate.ts'
import type { Tool, ToolCall, ToolResult } from './ports.ts'

interface ToolDependencies {
  readonly tools: readonly Tool[]
  readonly clock: Clock
  /** The call's: what changes something is not stopped half way by a caller who speaks. */
  readonly signal: AbortSignal
  readonly emit: (fact: CallFact) => void
}

/** Runs the tools of one call: with valid arguments, within their time, each call of one once. Failures become words. */
export class ToolRunner {
  readonly #with: ToolDependencies
  readonly #byName: ReadonlyMap<string, Tool>
  readonly #checks = new Map<Tool, z.ZodType>()
  readonly #results = new Map<string, Promise<ToolResult>>()
  readonly #writes = new Set<Promise<ToolResult>>()

  constructor(dependencies: ToolDependencies) {
    this.#with = dependencies
    this.#byName = new Map(dependencies.tools.map(tool => [tool.name, tool]))
  }

  writes(name: string): boolean {
    return this.#byName.get(name)?.effect === 'write'
  }

  /** No tool that changes something is running: what it has done is known. */
  async writesDone(): Promise<void> {
    await Promise.all(this.#writes)
  }

  /** A call with an identifier that was there before is that call. `signal` ends the waiting of a tool that only reads. */
  run(call: ToolCall, signal: AbortSignal): Promise<ToolResult> {
    const known = this.#results.get(call.id)
    if (known) return known
    const result = this.#run(call, signal)
    this.#results.set(call.id, result)
    if (this.#results.size > limits.agent.toolResults) this.#results.delete(this.#results.keys().next().value!)
    if (this.writes(call.name)) {
      this.#writes.add(result)
      void result.finally(() => this.#writes.delete(result))
    }
    return result
  }

  async #run({ name, args }: ToolCall, turnSignal: AbortSignal): Promise<ToolResult> {
    const tool = this.#byName.get(name)
    if (!tool) return { ok: false, problem: `There is no tool named ${name}.` }
    const { clock, emit, signal } = this.#with
    const startMs = clock.now()
    const result = await this.#attempt(tool, args, tool.effect === 'write' ? signal : turnSignal)
    emit({ name: 'toolRan', tool: name, ok: result.ok, tookMs: Math.round(clock.now() - startMs) })
    return result
  }

  async #attempt(tool: Tool, args: unknown, outer: AbortSignal): Promise<ToolResult> {
    const running = new AbortController()
    const ms = Math.min(tool.timeoutMs, limits.agent.toolMs)
    const late = () => new GatewayError('TOOL_FAILED', `It took longer than ${ms} ms.`)
    try {
      const checked = this.#check(tool).safeParse(args)
      if (!checked.success) return { ok: false, problem: problemOf(checked.error) }
      // Whatever it returns later is not waited for; a tool that throws at once fails like any other.
      const result = Promise.try(() => tool.run(checked.data, running.signal))
      return await unlessAborted(result, outer, { clock: this.#with.clock, ms, late })
    } catch (error) {
      running.abort(error)
      const why = outer.aborted ? 'It was interrupted.' : asError(error).message
      // Half of a change may have been made.
      const unknown = tool.effect === 'write' ? ' Whether it was done is not known.' : ''
      return { ok: false, problem: `${tool.name} failed: ${why}${unknown}` }
    }
  }

  #check(tool: Tool): z.ZodType {
    let check = this.#checks.get(tool)
    if (!check) {
      check = z.fromJSONSchema(tool.parameters)
      this.#checks.set(tool, check)
    }
    return check
  }
}

function problemOf(error: z.ZodError): string {
  const problems = error.issues.map(issue => `${issue.path.join('.') || 'arguments'}: ${issue.message}`)
  return `The arguments are wrong: ${problems.join('; ')}`
}
