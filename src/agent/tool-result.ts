import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Tool, ToolResult } from './ports.ts'

/** Of a change that may have been made, wholly or half. */
export const NOT_KNOWN = ' Whether it was done is not known.'

/** What a model is given of a result: never more than the bound, and words in place of what cannot be told. */
export function resultWithin(result: ToolResult, effect: Tool['effect']): ToolResult {
  if (!result.ok) return { ok: false, problem: cut(result.problem, limits.agent.toolProblemChars) }
  const told = lengthOf(result.value)
  if ('problem' in told) return instead(`What came of it cannot be told: ${told.problem}.`, effect)
  if (told.chars <= limits.agent.toolResultChars) return result
  if (typeof result.value === 'string') return { ok: true, value: cut(result.value, limits.agent.toolResultChars) }
  return instead(
    `What came of it is too long to be told: ${told.chars} characters, at most ${limits.agent.toolResultChars}.`,
    effect,
  )
}

/** What has been changed stays changed. */
function instead(words: string, effect: Tool['effect']): ToolResult {
  if (effect === 'write') return { ok: true, value: `It was done. ${words}` }
  return { ok: false, problem: `${words} Ask for less of it.` }
}

function lengthOf(value: unknown): { readonly chars: number } | { readonly problem: string } {
  try {
    return { chars: JSON.stringify(value)?.length ?? 0 }
  } catch (error) {
    return { problem: asError(error).name }
  }
}

const CUT = ' ... (the rest is left out)'

function cut(text: string, chars: number): string {
  return text.length <= chars ? text : text.slice(0, chars - CUT.length) + CUT
}
