/** What an error means for the program; each code has exactly one. */
type Consequence =
  | 'refuse' // to start, or to take a call: a person must act
  | 'end' // the call, with a cause
  | 'degrade' // the turn: next provider, spoken fallback, transfer to a person
  | 'bug'

const consequences = {
  CONFIG_INVALID: 'refuse',
  STATE_UNWRITABLE: 'refuse',
  STORE_REFUSED: 'refuse',
  STORE_FAILED: 'refuse',
  PORT_TAKEN: 'refuse',
  PROGRAM_MISSING: 'refuse',
  ASTERISK_MISSING: 'refuse',
  ASTERISK_FAILED: 'refuse',
  ARI_REFUSED: 'refuse',
  CAPACITY: 'refuse',
  ARI_UNREACHABLE: 'end',
  ARI_TIMEOUT: 'end',
  ARI_REJECTED: 'end',
  CHANNEL_GONE: 'end',
  MEDIA_FAILED: 'end',
  STATE_TIMEOUT: 'end',
  ENGINE_FAILED: 'degrade',
  TOOL_FAILED: 'degrade',
  STORE_AWAY: 'degrade',
  LOOKUP_FAILED: 'degrade',
  SOUND_UNREADABLE: 'degrade',
  CARRIER_REFUSED: 'degrade',
  CARRIER_AWAY: 'degrade',
  BUG: 'bug',
} as const satisfies Record<string, Consequence>

export type ErrorCode = keyof typeof consequences

export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly retryable: boolean
  /** Before another attempt, as whoever was asked wants it. */
  readonly waitMs: number | undefined

  /** The message is for the person who reads it: what happened and what to do. */
  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; retryable?: boolean; waitMs?: number | undefined } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.name = 'GatewayError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.waitMs = options.waitMs
  }

  get consequence(): Consequence {
    return consequences[this.code]
  }
}

export function isCode(error: unknown, code: ErrorCode): error is GatewayError {
  return error instanceof GatewayError && error.code === code
}

export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
