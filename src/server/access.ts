import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Refusal } from './problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a token. Every route that does not say so needs one, unknown paths included. */
    public?: boolean
  }
}

/**
 * Asks every request for `Authorization: Bearer`, https://www.rfc-editor.org/rfc/rfc6750. The metrics ask for it too:
 * they tell of a business, and Prometheus can send it.
 */
export function bearerOnly(token: string) {
  if (token === '') throw new Error('the API token is empty')
  const wanted = digest(token)
  return async (request: FastifyRequest, reply: FastifyReply) => {
    if (request.routeOptions.config.public === true) return
    const given = bearerOf(request.headers.authorization)
    if (given !== undefined && timingSafeEqual(digest(given), wanted)) return
    const error = given === undefined ? '' : ', error="invalid_token"'
    reply.header('www-authenticate', `Bearer realm="parley"${error}`)
    throw new Refusal(
      401,
      given === undefined ? 'Send the API token: Authorization: Bearer ...' : 'The token is wrong.',
    )
  }
}

/** The scheme's name is case-insensitive. */
function bearerOf(header = ''): string | undefined {
  const scheme = 'bearer '
  return header.slice(0, scheme.length).toLowerCase() === scheme ? header.slice(scheme.length).trim() : undefined
}

/** Of equal length for every token, so that neither its length nor a common beginning shows in the time taken. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
