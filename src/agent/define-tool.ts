import { z } from 'zod'
import type { Tool, ToolContext, ToolResult } from './ports.ts'

interface ToolDefinition<Args extends z.ZodType> extends Pick<Tool, 'name' | 'description' | 'effect' | 'timeoutMs'> {
  /** What the model is shown as a JSON schema, what its arguments are held to, and what `run` is given. */
  readonly args: Args
  readonly repeatable?: boolean
  run(args: z.output<Args>, context: ToolContext): Promise<ToolResult>
}

export function defineTool<Args extends z.ZodType>(definition: ToolDefinition<Args>): Tool {
  const { name, description, effect, timeoutMs, repeatable = false, args: schema, run } = definition
  const { $schema, ...parameters } = z.toJSONSchema(schema)
  return {
    name,
    description,
    parameters,
    effect,
    repeatable,
    timeoutMs,
    read(args) {
      // Some servers write an empty text where there are no arguments.
      const read = schema.safeParse(args === '' ? {} : args)
      if (!read.success) return { problem: problemOf(read.error) }
      return { args: read.data, run: context => run(read.data, context) }
    },
  }
}

function problemOf(error: z.ZodError): string {
  const problems = error.issues.map(issue => `${issue.path.join('.') || 'arguments'}: ${issue.message}`)
  return `The arguments are wrong: ${problems.join('; ')}`
}
