import { type Logger, pino } from 'pino'

export type Log = Logger

/**
 * What a caller said, and who the caller is, may be logged only under `private`, and is cut out here unless an operator
 * asks for it. Secrets are never passed to a log at all; the names below are a second wall.
 */
const redacted = ['private', 'password', 'secret', 'token', 'authorization'].flatMap(key => [
  key,
  `*.${key}`,
  `*.*.${key}`,
  `*.*.*.${key}`,
])

export function createLog(level: string, destination?: { write(line: string): void }): Log {
  const options = { level, base: null, redact: { paths: redacted, censor: '[redacted]' } }
  return destination ? pino(options, destination) : pino(options)
}
