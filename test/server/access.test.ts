import { beforeAll, describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { away, FakeCall, house, token, withToken } from './house.ts'
import { caseOf, routeCases, routesOf } from './route-cases.ts'

const likeAStoredOne = { authorization: `Bearer parley_${'x'.repeat(43)}` }

let routes: string[] = []
beforeAll(async () => {
  const { server } = house()
  await server.ready()
  routes = routesOf(server)
})

/** By a token of the store: whose it is, and whether it holds. */
function stored(business: string | null, revoked = false) {
  const parts = house()
  const at = new Date(parts.clock.wallMs())
  const row = { id: 't1', business, name: 'a test', created_at: at, last_used_at: at, revoked_at: revoked ? at : null }
  const { ask } = parts.store
  let asked = 0
  parts.store.ask = (async query => (asked++ === 0 ? row : ask(query))) as typeof ask
  return { ...parts, asked: () => asked }
}

async function ask(
  route: string,
  headers: Record<string, string>,
  parts: Pick<ReturnType<typeof house>, 'server' | 'exchange'> = house(),
) {
  parts.exchange.live.push(new FakeCall('c1'))
  const [method, path = ''] = route.split(' ')
  const { body } = caseOf(route) ?? {}
  return parts.server.inject({
    method: method as 'GET',
    url: path.replace(':id', 'c1'),
    headers,
    ...(body && { body }),
  })
}

describe('every route of the router', () => {
  it('has a case, and every case a route', () => {
    expect(routes.filter(route => !route.startsWith('HEAD '))).toEqual(Object.keys(routeCases).sort())
    expect(routes.filter(route => caseOf(route) === undefined)).toEqual([])
  })

  it('needs a token unless it is declared public', async () => {
    for (const route of routes) {
      const expected = caseOf(route)?.access === 'public' ? 200 : 401
      expect([route, (await ask(route, {})).statusCode]).toEqual([route, expected])
    }
  })

  it('is closed to a wrong token, and to one that was revoked', async () => {
    for (const route of routes.filter(each => caseOf(each)?.access !== 'public')) {
      expect([route, (await ask(route, { authorization: 'Bearer wrong' })).statusCode]).toEqual([route, 401])
      for (const business of [null, 'dentist']) {
        const answer = await ask(route, likeAStoredOne, stored(business, true))
        expect([route, answer.statusCode]).toEqual([route, 401])
      }
    }
  })

  it('lets nobody in by a stored token while the database is away', async () => {
    for (const route of routes.filter(each => caseOf(each)?.access !== 'public')) {
      const parts = house()
      parts.store.ask = away
      expect([route, (await ask(route, likeAStoredOne, parts)).statusCode]).toEqual([route, 503])
    }
  })

  it('is closed to a business where it is the operator’s, and to none that is declared open to it', async () => {
    for (const route of routes.filter(each => caseOf(each)?.access !== 'public')) {
      const { statusCode } = await ask(route, likeAStoredOne, stored('dentist'))
      if (caseOf(route)?.access === 'operator') expect([route, statusCode]).toEqual([route, 403])
      else expect([route, [401, 403].includes(statusCode)]).toEqual([route, false])
    }
  })

  it('is open to the operator, by the root token and by a stored one', async () => {
    for (const route of routes) {
      for (const [headers, parts] of [
        [withToken, house()],
        [likeAStoredOne, stored(null)],
      ] as const) {
        const { statusCode } = await ask(route, headers, parts)
        expect([route, [401, 403].includes(statusCode)]).toEqual([route, false])
      }
    }
  })

  it('carries the security headers, also when it refuses', async () => {
    for (const route of [...routes, 'GET /nowhere', 'GET /v1/calls/%', 'DELETE /v1/calls']) {
      for (const headers of [{}, withToken]) {
        const answer = await ask(route, headers)
        expect([route, answer.headers]).toMatchObject([
          route,
          {
            'cache-control': 'no-store',
            'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
            'x-content-type-options': 'nosniff',
          },
        ])
        expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
      }
    }
  })
})

describe('the token', () => {
  const wrong = {
    'no token': {},
    'an empty one': { authorization: 'Bearer ' },
    'another one': { authorization: 'Bearer another-token-of-some-length' },
    'the beginning of it': { authorization: `Bearer ${token.slice(0, -1)}` },
    'more than it': { authorization: `Bearer ${token}x` },
    'another scheme': { authorization: `Basic ${Buffer.from(`parley:${token}`).toString('base64')}` },
    'it without a scheme': { authorization: token },
    'it in the query': {},
  }

  for (const [name, headers] of Object.entries(wrong)) {
    it(`is refused when it is ${name}`, async () => {
      const { server } = house()
      const url = name === 'it in the query' ? `/v1/calls?token=${token}&access_token=${token}` : '/v1/calls'
      const answer = await server.inject({ url, headers })
      expect(answer.statusCode).toBe(401)
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="parley"/)
      expect(answer.json()).toMatchObject({ type: 'about:blank', status: 401, title: 'Unauthorized' })
      expect(answer.body).not.toContain(token)
    })
  }

  it('may be sent by a client that writes the scheme in small letters', async () => {
    const { server } = house()
    const answer = await server.inject({ url: '/v1/channels', headers: { authorization: `bearer ${token}` } })
    expect(answer.statusCode).toBe(200)
  })

  it('hides even which paths exist', async () => {
    const { server } = house()
    expect((await server.inject('/v1/nowhere')).statusCode).toBe(401)
    expect((await server.inject({ url: '/v1/nowhere', headers: withToken })).statusCode).toBe(404)
    const business = await stored('dentist').server.inject({ url: '/v1/nowhere', headers: likeAStoredOne })
    expect(business.statusCode).toBe(404)
  })
})

describe('a stored token', () => {
  const look = (parts: ReturnType<typeof stored>) =>
    parts.server.inject({ url: '/v1/channels', headers: likeAStoredOne }).then(answer => answer.statusCode)

  it('is not asked for again within some seconds, and ends by then when another node has revoked it', async () => {
    const parts = stored(null)
    expect([await look(parts), await look(parts), parts.asked()]).toEqual([200, 200, 1])
    parts.clock.advance(limits.http.tokenKnownMs)
    expect([await look(parts), parts.asked()]).toEqual([401, 2])
  })

  it('is asked for again at once when any token is revoked on this node', async () => {
    const parts = stored(null)
    const { ask } = parts.store
    expect(await look(parts)).toBe(200)
    parts.store.ask = (async () => true) as unknown as typeof ask
    const revoking = { method: 'DELETE', url: '/v1/tokens/t1', headers: withToken } as const
    expect((await parts.server.inject(revoking)).statusCode).toBe(204)
    parts.store.ask = ask
    expect(await look(parts)).toBe(401)
  })

  it('is looked up no more when it only looks wrong', async () => {
    const parts = stored(null)
    await parts.server.inject({ url: '/v1/channels', headers: { authorization: 'Bearer parley_short' } })
    expect(parts.asked()).toBe(0)
  })
})
