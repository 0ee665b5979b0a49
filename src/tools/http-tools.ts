import { z } from 'zod'
import { defineTool } from '../agent/define-tool.ts'
import type { Tool, ToolsOf } from '../agent/ports.ts'
import type { HttpToolChoice } from '../business-tools.ts'
import type { LiveCall } from '../call/ports.ts'
import { type Answer, exchange, type HttpRequest, type Resolve } from './exchange.ts'
import { judge } from './judge.ts'
import type { Reach } from './reach.ts'
import { type Arguments, writeRequest } from './write-request.ts'

export interface HttpToolParts {
  readonly reach: Reach
  readonly resolve: Resolve
  /** Of the environment: those that headers name. */
  readonly secrets: Readonly<Record<string, string | undefined>>
}

/** The tools that a business has described: each is an HTTP request. */
export function httpTools(parts: HttpToolParts): ToolsOf {
  return call => call.business.tools.map(choice => httpTool(choice, call, parts))
}

function httpTool(choice: HttpToolChoice, call: LiveCall, parts: HttpToolParts): Tool {
  const { name, description, effect, timeoutMs, parameters } = choice
  return defineTool({
    name,
    description,
    // What the file leaves out is not there; that it never is `undefined` the types do not know.
    args: z.fromJSONSchema(parameters as z.core.JSONSchema.JSONSchema),
    effect,
    timeoutMs,
    async run(args, { signal, idempotencyKey }) {
      const occasion = { callId: call.id, facts: call.facts, idempotencyKey }
      const request = writeRequest(choice, args as Arguments, occasion, parts.secrets)
      if ('problem' in request) return { ok: false, problem: request.problem }
      const { result, trouble } = judge(await ask(request, effect, parts, signal), choice)
      // Of one that was given up the time has been told.
      if (trouble && !signal.aborted) {
        call.emit({ name: 'degraded', code: 'TOOL_FAILED', detail: `The tool ${name} failed: ${trouble}.` })
      }
      return result.ok ? result : { ok: false, problem: `${name} failed: ${result.problem}` }
    },
  })
}

/** What changes nothing is asked once more when nothing came. */
async function ask(
  request: HttpRequest,
  effect: Tool['effect'],
  parts: HttpToolParts,
  signal: AbortSignal,
): Promise<Answer> {
  const first = await exchange(request, parts, signal)
  if (first.kind !== 'unanswered' || effect === 'write' || signal.aborted) return first
  return exchange(request, parts, signal)
}
