import { createHash } from 'node:crypto'
import type { CallFact } from '../call/events.ts'
import type { Clock } from '../clock.ts'
import { asError, GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { unlessAborted } from './iterate.ts'
import type { Tool, ToolCall, ToolRequest, ToolResult } from './ports.ts'
import { NOT_KNOWN, resultWithin } from './tool-result.ts'

interface ToolDependencies {
  readonly callId: string
  readonly tools: readonly Tool[]
  readonly clock: Clock
  /** The call's: what changes something is not stopped half way by a caller who speaks. */
  readonly signal: AbortSignal
  readonly emit: (fact: CallFact) => void
}

const TOO_MANY = `Not run: no more than ${limits.agent.toolsAtOnce} tools run at once. Ask again when they are done.`

/** Runs the tools of one call: with valid arguments, within their time, each thing once. Failures become words. */
export class ToolRunner {
  readonly #with: ToolDependencies
  readonly #byName: ReadonlyMap<string, Tool>
  readonly #results = new Map<string, Promise<ToolResult>>()
  /** What was changed, by what was asked for. */
  readonly #changes = new Map<string, Promise<ToolResult>>()
  readonly #writes = new Set<Promise<ToolResult>>()
  #running = 0

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
    keep(this.#results, call.id, result)
    return result
  }

  async #run({ id, name, args }: ToolCall, turnSignal: AbortSignal): Promise<ToolResult> {
    const tool = this.#byName.get(name)
    if (!tool) return resultWithin({ ok: false, problem: `There is no tool named ${name}.` }, 'read')
    if (this.#running >= limits.agent.toolsAtOnce) return { ok: false, problem: TOO_MANY }
    const request = tool.read(args)
    if ('problem' in request) {
      this.#with.emit({ name: 'toolRan', tool: name, ok: false, tookMs: 0 })
      return resultWithin({ ok: false, problem: request.problem }, 'read')
    }
    const wanted = tool.repeatable ? id : canonical(request.args)
    const key = createHash('sha256')
      .update(canonical([this.#with.callId, name, wanted]))
      .digest('hex')
      .slice(0, 32)
    return tool.effect === 'write' ? this.#change(tool, request, key) : this.#timed(tool, request, key, turnSignal)
  }

  /** A model that has lost the answer asks again under another identifier. What failed may be tried again. */
  #change(tool: Tool, request: ToolRequest, key: string): Promise<ToolResult> {
    const known = this.#changes.get(key)
    if (known) return known
    const result = this.#timed(tool, request, key, this.#with.signal)
    keep(this.#changes, key, result)
    this.#writes.add(result)
    void result.then(({ ok }) => {
      this.#writes.delete(result)
      if (!ok && this.#changes.get(key) === result) this.#changes.delete(key)
    })
    return result
  }

  async #timed(tool: Tool, request: ToolRequest, key: string, signal: AbortSignal): Promise<ToolResult> {
    const { clock, emit } = this.#with
    const startMs = clock.now()
    this.#running += 1
    const result = resultWithin(await this.#attempt(tool, request, key, signal), tool.effect)
    this.#running -= 1
    emit({ name: 'toolRan', tool: tool.name, ok: result.ok, tookMs: Math.round(clock.now() - startMs) })
    return result
  }

  async #attempt(tool: Tool, request: ToolRequest, idempotencyKey: string, outer: AbortSignal): Promise<ToolResult> {
    const running = new AbortController()
    const ms = Math.min(tool.timeoutMs, limits.agent.toolMs)
    const late = () => new GatewayError('TOOL_FAILED', `It took longer than ${ms} ms.`)
    try {
      // Whatever it returns later is not waited for; a tool that throws at once fails like any other.
      const result = Promise.try(() => request.run({ signal: running.signal, idempotencyKey }))
      return await unlessAborted(result, outer, { clock: this.#with.clock, ms, late })
    } catch (error) {
      running.abort(error)
      const why = outer.aborted ? 'It was interrupted.' : asError(error).message
      const unknown = tool.effect === 'write' ? NOT_KNOWN : ''
      return { ok: false, problem: `${tool.name} failed: ${why}${unknown}` }
    }
  }
}

function keep(results: Map<string, Promise<ToolResult>>, key: string, result: Promise<ToolResult>): void {
  results.set(key, result)
  if (results.size > limits.agent.toolResults) results.delete(results.keys().next().value!)
}

/** The same text for the same things, in whatever order they were written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    if (typeof each !== 'object' || each === null || Array.isArray(each)) return each
    return Object.fromEntries(Object.entries(each).sort(([one], [other]) => (one < other ? -1 : 1)))
  })
}
