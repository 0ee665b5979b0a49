import type { ToolResult } from '../agent/ports.ts'
import { NOT_KNOWN } from '../agent/tool-result.ts'
import type { HttpToolChoice } from '../business-tools.ts'
import { limits } from '../limits.ts'
import type { Answer } from './exchange.ts'

/** What the model is told, and what the people who run this must hear of as well. */
export interface Verdict {
  readonly result: ToolResult
  readonly trouble?: string
}

type Judged = Pick<HttpToolChoice, 'effect' | 'result'>

/** What an answer means, in words that a model can speak about. */
export function judge(answer: Answer, tool: Judged): Verdict {
  switch (answer.kind) {
    case 'barred':
      return failed('It lies where this tool may not reach.', 'its address is private, see TOOLS_ALLOW_PRIVATE')
    case 'unanswered':
      return failed(`It cannot be reached.${answer.sent ? doubt(tool) : ''}`, answer.why)
    case 'broken':
      return failed(`Its answer cannot be read.${doubt(tool)}`, answer.why)
    case 'answered':
      return judgeStatus(answer, tool)
  }
}

function judgeStatus({ status, text }: Extract<Answer, { kind: 'answered' }>, tool: Judged): Verdict {
  if (status >= 200 && status < 300) return judgeText(text, tool)
  if (status >= 400 && status < 500) {
    const refused = { result: { ok: false, problem: `It says no (${status}).${detailIn(text)}` } } as const
    return [401, 403, 407].includes(status) ? { ...refused, trouble: `it refuses us (${status})` } : refused
  }
  if (status >= 500) return failed(`It is out of order (${status}).${doubt(tool)}`, `it answered ${status}`)
  return failed(
    `It cannot be used like this (${status}).${doubt(tool)}`,
    `it answered ${status}, which is not followed`,
  )
}

function judgeText(text: string, tool: Judged): Verdict {
  const write = tool.effect === 'write'
  if (text.trim() === '') {
    return { result: write ? { ok: true, value: 'done' } : { ok: false, problem: 'It had nothing to say.' } }
  }
  const whole = parsed(text)
  const value = whole === undefined ? undefined : pick(whole, tool.result)
  if (value !== undefined) return { result: { ok: true, value } }
  const trouble = whole === undefined ? 'its answer is not JSON' : `its answer has no ${tool.result}`
  if (write) return { result: { ok: true, value: 'It was done. What came of it cannot be read.' }, trouble }
  return failed('Its answer cannot be read.', trouble)
}

function failed(problem: string, trouble: string): Verdict {
  return { result: { ok: false, problem }, trouble }
}

function doubt({ effect }: Judged): string {
  return effect === 'write' ? NOT_KNOWN : ''
}

/** `detail` is where RFC 9457 has the words for people. */
function detailIn(text: string): string {
  const detail = pick(parsed(text), 'detail')
  return typeof detail === 'string' ? ` ${detail.slice(0, limits.tools.detailChars)}` : ''
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function pick(value: unknown, path: string | undefined): unknown {
  let at = value
  for (const name of path?.split('.') ?? []) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = Reflect.get(at, name)
  }
  return at
}
