import { randomBytes, randomUUID } from 'node:crypto'
import { limits } from '../limits.ts'
import { createToken, listTokens, revokeToken, type StoredToken } from '../store/tokens.ts'
import { digestOf, scopeOf, tokenOf } from './access.ts'
import type { ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import type { TokenRegister } from './token-register.ts'
import { newToken, type TokenView, tokenIssued, tokenList, tokenParameters } from './token-schemas.ts'
import type { TypedServer } from './typed.ts'

const TOKEN_BYTES = 32

/** The operator's alone: who may give out tokens may do everything. */
export function tokenRoutes(
  app: TypedServer,
  { store, clock, log }: Pick<ServerDependencies, 'store' | 'clock' | 'log'>,
  register: Pick<TokenRegister, 'forget'>,
): void {
  const config = { access: 'operator' } as const

  app.get(
    '/v1/tokens',
    { config, schema: { summary: 'Tokens that were given out', response: { 200: tokenList } } },
    async request => {
      const tokens = await store.ask(db => listTokens(db, scopeOf(request), limits.http.tokensListed))
      return { tokens: tokens.map(viewOf) }
    },
  )

  const creation = {
    summary: 'Gives out a token, and tells it this once',
    body: newToken,
    response: { 201: tokenIssued },
  }
  app.post('/v1/tokens', { config, schema: creation }, async (request, reply) => {
    const { name, business } = request.body
    const token = tokenOf(randomBytes(TOKEN_BYTES))
    const row = { id: randomUUID(), business, name, hash: digestOf(token), created_at: new Date(clock.wallMs()) }
    const created = await store.ask(db => createToken(db, scopeOf(request), row))
    if (!created) throw new Refusal(409, 'There is no business with this id: create it first.')
    log.info({ token: created.id, business }, 'a token was given out')
    return reply.code(201).send({ ...viewOf(created), token })
  })

  app.delete(
    '/v1/tokens/:id',
    { config, schema: { summary: 'Revokes a token', params: tokenParameters } },
    async (request, reply) => {
      const { id } = request.params
      const revoked = await store.ask(db => revokeToken(db, scopeOf(request), id, new Date(clock.wallMs())))
      if (!revoked) throw new Refusal(404, 'There is no such token.')
      register.forget()
      log.info({ token: id }, 'a token was revoked')
      return reply.code(204).send()
    },
  )
}

function viewOf({ id, business, name, created_at, last_used_at, revoked_at }: StoredToken): TokenView {
  return {
    id,
    business,
    name,
    createdAt: created_at.toISOString(),
    lastUsedAt: last_used_at?.toISOString() ?? null,
    revokedAt: revoked_at?.toISOString() ?? null,
  }
}
