import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { StoreScope } from '../store/scope.ts'
import { Refusal } from './problem.ts'
import type { TokenRegister } from './token-register.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Who may ask: anybody without a token, whoever has a token of a business (and sees its rows alone), or the operator.
     * A route that does not say so is the operator's.
     */
    access?: 'public' | 'business' | 'operator'
  }
  interface FastifyRequest {
    storeScope?: StoreScope
  }
}

/** Whose rows whoever asks may see. */
export function scopeOf(request: FastifyRequest): StoreScope {
  if (request.storeScope === undefined) throw new Error('a public route asked for rows of businesses')
  return request.storeScope
}

/**
 * Asks every request for `Authorization: Bearer`, https://www.rfc-editor.org/rfc/rfc6750. The metrics ask for it too:
 * they tell of a business, and Prometheus can send it. The operator's root token is known without the database.
 */
export function bearerOnly(rootToken: string, register: Pick<TokenRegister, 'scopeOf'>) {
  if (rootToken === '') throw new Error('the API token is empty')
  const root = digestOf(rootToken)
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const { access = 'operator' } = request.routeOptions.config
    if (access === 'public') return
    const given = bearerOf(request.headers.authorization)
    const scope = given === undefined ? undefined : await scopeFor(given, root, register)
    if (scope === undefined) {
      const error = given === undefined ? '' : ', error="invalid_token"'
      reply.header('www-authenticate', `Bearer realm="parley"${error}`)
      throw new Refusal(
        401,
        given === undefined ? 'Send an API token: Authorization: Bearer ...' : 'The token is wrong, or was revoked.',
      )
    }
    // Where there is nothing, every token hears the same.
    if (scope !== 'all' && access === 'operator' && !request.is404) {
      throw new Refusal(403, 'This is for the operator: the token of a business is not enough.')
    }
    request.storeScope = scope
  }
}

async function scopeFor(given: string, root: Buffer, register: Pick<TokenRegister, 'scopeOf'>) {
  const digest = digestOf(given)
  if (timingSafeEqual(digest, root)) return 'all'
  return isTokenLike(given) ? register.scopeOf(digest) : undefined
}

const PREFIX = 'parley_'

/** As given out: recognized by those who search for secrets that have leaked. */
export function tokenOf(random: Buffer): string {
  return `${PREFIX}${random.toString('base64url')}`
}

/** Anything else is wrong without a look into the database. */
function isTokenLike(text: string): boolean {
  return /^parley_[A-Za-z0-9_-]{43}$/.test(text)
}

/** The scheme's name is case-insensitive. */
function bearerOf(header = ''): string | undefined {
  const scheme = 'bearer '
  return header.slice(0, scheme.length).toLowerCase() === scheme ? header.slice(scheme.length).trim() : undefined
}

/**
 * Of equal length for every token, so that neither its length nor a common beginning shows in the time taken; and enough for a
 * token that is nothing but chance.
 */
export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
