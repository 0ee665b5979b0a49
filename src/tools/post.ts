import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { type Answer, exchange, type HttpRequest } from './exchange.ts'
import type { HttpToolParts } from './http-tools.ts'

export interface PostParts extends Pick<HttpToolParts, 'reach' | 'resolve'> {
  readonly clock: Clock
}

export interface Post {
  readonly url: string
  /** The same for the same news, however often it comes. */
  readonly key: string
  readonly value: object
  readonly withinMs: number
}

/** Tells a business's own system something; once more where that may help, for what came may come again: the key tells. */
export async function postJson({ url, key, value, withinMs }: Post, parts: PostParts, signal: AbortSignal) {
  const request = requestOf(new URL(url), key, JSON.stringify(value))
  const ask = async () => problemWith(await answerTo(request, withinMs, parts, signal))
  let problem = await ask()
  if (problem?.passes && !signal.aborted) problem = await ask()
  if (problem) throw new GatewayError('TOOL_FAILED', `${problem.words}.`)
}

/** Not longer than that; what it says beside its status is not waited for. */
export async function answerTo(
  request: HttpRequest,
  withinMs: number,
  { clock, ...reach }: PostParts,
  signal: AbortSignal,
): Promise<Answer> {
  const over = new AbortController()
  const cancel = clock.after(withinMs, () => over.abort(new Error('The time is over.')))
  try {
    const answer = await exchange(request, { ...reach, byStatus: true }, AbortSignal.any([signal, over.signal]))
    const why = `it took longer than ${withinMs} ms`
    return over.signal.aborted && answer.kind !== 'answered' ? { kind: 'unanswered', sent: true, why } : answer
  } finally {
    cancel()
  }
}

/** Nothing of what it answers is read but whether it was taken. */
function problemWith(answer: Answer): { readonly words: string; readonly passes: boolean } | undefined {
  switch (answer.kind) {
    case 'barred':
      return { words: 'its address is private, see TOOLS_ALLOW_PRIVATE', passes: false }
    case 'unanswered':
    case 'broken':
      return { words: answer.why, passes: true }
    case 'answered': {
      const { status } = answer
      if (status >= 200 && status < 300) return undefined
      return { words: `it answered ${status}`, passes: status >= 500 || status === 429 }
    }
  }
}

function requestOf(url: URL, key: string, body: string): HttpRequest {
  const headers = {
    accept: 'application/json',
    'user-agent': 'parley',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'idempotency-key': key,
  }
  return { method: 'POST', url, headers, body }
}
