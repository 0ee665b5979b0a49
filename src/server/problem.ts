import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { securityHeaders } from './headers.ts'

/** The one shape of every answer that is no success: RFC 9457, https://www.rfc-editor.org/rfc/rfc9457 */
export const problemSchema = z.looseObject({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('What happened, and what to do about it.'),
  problems: z.array(z.string()).optional().describe('Of a request that is refused: each thing that is wrong with it.'),
})

type Problem = Readonly<z.infer<typeof problemSchema>>

const PROBLEM_JSON = 'application/problem+json'

/** What a route throws to refuse a request in words. */
export class Refusal extends Error {
  readonly status: number
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(status: number, detail: string, extensions: Readonly<Record<string, unknown>> = {}) {
    super(detail)
    this.status = status
    this.extensions = extensions
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  return reply.code(problem.status).type(PROBLEM_JSON).send(JSON.stringify(problem))
}

/** Every error of every route ends here. What is not the client's own fault is logged, and its inside stays inside. */
export function answerError(log: Log) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const problem = problemOf(error, request.id)
    if (problem.status >= 500 && !(error instanceof Refusal)) {
      log.error({ err: error, request: request.id, status: problem.status }, 'a request failed')
    }
    return sendProblem(reply, problem)
  }
}

/** For a request that is not HTTP, or that does not arrive in time: no route has seen it. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  const problem = problemFor(brokenStatus(error.code))
  const body = JSON.stringify(problem)
  const headers = {
    ...securityHeaders,
    'content-type': PROBLEM_JSON,
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${head.join('')}\r\n${body}`)
}

export function problemOf(error: unknown, requestId: string): Problem {
  if (error instanceof Refusal) return problemFor(error.status, error.message, error.extensions)
  // The messages of these are written for a person and hold no secret.
  if (error instanceof GatewayError && (error.code.startsWith('ARI_') || error.code === 'STORE_AWAY')) {
    return problemFor(503, error.message, { code: error.code })
  }
  // The carrier's own words, as far as they may be told.
  if (error instanceof GatewayError && error.code.startsWith('CARRIER_')) {
    return problemFor(error.code === 'CARRIER_AWAY' ? 503 : 502, error.message, { code: error.code })
  }
  const status = clientsFault(error)
  if (status !== undefined) return problemFor(status)
  return problemFor(500, `The gateway failed to answer. Its log tells why, under request ${requestId}.`)
}

function problemFor(status: number, detail = words[status] ?? words[400], extensions = {}): Problem {
  return { type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, detail, ...extensions }
}

const words = {
  400: 'The request is malformed.',
  408: 'The request did not arrive in time.',
  413: 'The body is larger than it may be here.',
  414: `A part of the path is longer than ${limits.http.paramChars} characters.`,
  415: 'The body must be application/json, of a business also application/yaml.',
  431: 'The headers are too large.',
  503: 'The request could not be answered in time.',
} as { readonly 400: string; readonly [status: number]: string }

/** Only what the framework itself says of a request is believed; any other error with a status is ours. */
function clientsFault(error: unknown): number | undefined {
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown }
  if (typeof code !== 'string' || !code.startsWith('FST_') || typeof statusCode !== 'number') return undefined
  return statusCode < 500 || code === 'FST_ERR_HANDLER_TIMEOUT' ? statusCode : undefined
}

function brokenStatus(code: string | undefined): number {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 408
  return code === 'HPE_HEADER_OVERFLOW' ? 431 : 400
}
