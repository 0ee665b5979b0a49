import { z } from 'zod'
import { asError, GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { httpAddress } from './address.ts'
import { namedError } from './failures.ts'
import { Refusal } from './wire.ts'

export interface HttpParts {
  readonly baseUrl: string
  readonly apiKey: string | undefined
  /** Left out: that of the program. */
  readonly answerMs?: number
}

/** A server of another make that has no such path. */
export class NotServed extends GatewayError {}

const told = z.looseObject({
  error: z.looseObject({ code: z.string().nullish(), type: z.string().nullish() }).nullish(),
})

/** Asks for one thing by HTTP. What comes back is read no further than it may be long, and judged by whoever asked. */
export async function ask(
  { baseUrl, apiKey, answerMs = limits.digest.answerMs }: HttpParts,
  path: string,
  body: FormData | object,
  signal: AbortSignal,
): Promise<unknown> {
  const isForm = body instanceof FormData
  const headers = {
    ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    ...(isForm ? {} : { 'content-type': 'application/json' }),
  }
  const until = AbortSignal.any([signal, AbortSignal.timeout(answerMs)])
  try {
    const answer = await fetch(`${httpAddress(baseUrl)}${path}`, {
      ...{ method: 'POST', headers, body: isForm ? body : JSON.stringify(body) },
      // The key goes to this address and nowhere else.
      ...{ redirect: 'manual', signal: until },
    })
    const text = await textOf(answer)
    if (answer.status !== 200) throw refusedBy(answer, text, path)
    return parsed(text)
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof GatewayError ? error : unanswered(asError(error), answerMs)
  }
}

async function textOf({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of body ?? []) {
    bytes += piece.byteLength
    if (bytes > limits.digest.answerBytes) throw failed('The server answered at greater length than it may.')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

/** Its own words may hold what was sent: only codes are repeated. */
function refusedBy({ status, headers }: Response, text: string, path: string): GatewayError {
  const { error } = told.safeParse(parsedOr(text)).data ?? {}
  const code = error ? namedError({ code: error.code ?? null, type: error.type ?? undefined }) : undefined
  const what = code === undefined ? `${status}` : `${status}, ${code}`
  const { retryAfterMs: waitMs } = new Refusal(status, headers.get('retry-after') ?? undefined)
  if (status === 404 && code !== 'model_not_found')
    return new NotServed('ENGINE_FAILED', `The server has no ${path} (${what}).`)
  if (code === 'insufficient_quota') return failed(`The account has nothing left to pay with (${what}).`)
  if (status === 429 || status === 408 || status >= 500) {
    return new GatewayError('ENGINE_FAILED', `The server takes nothing for now (${what}).`, { retryable: true, waitMs })
  }
  if (status === 401) return failed(`The server refuses the key (${what}): set OPENAI_API_KEY to one that is in force.`)
  if (status === 404) {
    return failed(
      `The server knows no such model (${what}): check OPENAI_TRANSCRIPTION_MODEL and OPENAI_SUMMARY_MODEL.`,
    )
  }
  return failed(`The server refuses what it was asked (${what}).`)
}

function unanswered({ name, cause }: Error, answerMs: number): GatewayError {
  const { code } = Object(cause) as { code?: unknown }
  const late = `The server did not answer within ${answerMs / 1_000} s.`
  const why = typeof code === 'string' ? `The connection failed (${code}).` : 'The connection broke off.'
  return failed(name === 'TimeoutError' ? late : why, true)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw failed('The server answered what is no JSON.', true)
  }
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function failed(message: string, retryable = false): GatewayError {
  return new GatewayError('ENGINE_FAILED', message, { retryable })
}
