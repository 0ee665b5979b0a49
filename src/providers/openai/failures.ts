import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import type { ApiError } from './protocol.ts'
import { Refusal } from './wire.ts'

/** What follows from a failure to open a session. */
export type Verdict =
  | { readonly kind: 'again'; readonly afterMs: number; readonly error: GatewayError }
  | { readonly kind: 'giveUp'; readonly error: GatewayError }

/** `attempt` counts from 1; `leftMs` is what there is left of the time that opening may take. */
export function judgeOpening(error: unknown, attempt: number, leftMs: number): Verdict {
  const failure = asFailure(error)
  const backoffMs = limits.openai.backoffMs.first * 2 ** (attempt - 1)
  const askedMs = error instanceof Refusal ? error.retryAfterMs : undefined
  const afterMs = askedMs ?? Math.min(backoffMs, limits.openai.backoffMs.most)
  // Waiting for a server that wants more time than a caller has is no better than failing now.
  if (!failure.retryable || afterMs >= leftMs) return { kind: 'giveUp', error: failure }
  return { kind: 'again', afterMs, error: failure }
}

function asFailure(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error
  if (!(error instanceof Refusal)) return failed('The connection could not be opened.', true)
  const { status } = error
  if (status === 401) return failed('The server refuses the key (401): set OPENAI_API_KEY to one that is in force.')
  if (status === 403) return failed('The server lets this key do nothing here (403): check its rights, or the region.')
  if (status === 404) {
    return failed('The server knows no such model, or no realtime at all (404): check OPENAI_REALTIME_MODEL.')
  }
  if (status === 429) return failed('The server takes no more sessions for now (429).', true)
  if (status >= 500) return failed(`The server is in trouble itself (${status}).`, true)
  return failed(`The server refuses a session (${status}).`)
}

export function failed(message: string, retryable = false): GatewayError {
  return new GatewayError('ENGINE_FAILED', message, { retryable })
}

/** What an `error` event means. Most of them mean nothing: what was asked for had become pointless meanwhile. */
export type ErrorMeaning =
  /** The session is over: another one, at once. */
  | 'sessionOver'
  /** Nothing more will come of this account or key. */
  | 'fatal'
  | 'pointless'

export function meaningOf({ code, type }: ApiError): ErrorMeaning {
  if (code === 'session_expired') return 'sessionOver'
  if (code === 'insufficient_quota' || code === 'invalid_api_key' || type === 'authentication_error') return 'fatal'
  if (code === 'server_shutting_down') return 'sessionOver'
  return 'pointless'
}

/** Only codes are repeated: a message may hold a caller's words, or part of a key. */
export function namedError({ code, type }: Pick<ApiError, 'code'> & { type?: string | undefined }): string {
  const name = code ?? type ?? 'unnamed'
  return /^[\w.-]{1,64}$/.test(name) ? name : 'unnamed'
}
