import { describe, expect, it } from 'vitest'
import { FakeCall, house, token, withToken } from './house.ts'

/** The only ways in without a token. A new one is a decision: it must be written down here. */
const publicRoutes = ['GET /healthz', 'GET /readyz', 'HEAD /healthz', 'HEAD /readyz']

/** The router's own picture: one line a node, four characters a level, methods in brackets. */
function routesOf(picture: string): string[] {
  const trail: string[] = []
  const routes: string[] = []
  for (const line of picture.split('\n')) {
    const node = /^((?:[│ ] {3})*)[├└]── (.*)$/.exec(line)
    if (!node) continue
    const [, indent = '', text = ''] = node
    const [, path = '', methods] = /^(.*?)(?: \(([A-Z, ]+)\))?$/.exec(text) ?? []
    trail.splice(indent.length / 4, Number.POSITIVE_INFINITY, path)
    for (const method of methods?.split(', ') ?? []) routes.push(`${method} ${trail.join('')}`)
  }
  return routes.sort()
}

async function allRoutes(): Promise<string[]> {
  const { server } = house()
  await server.ready()
  return routesOf(server.printRoutes({ commonPrefix: false }))
}

async function ask(route: string, headers: Record<string, string>) {
  const { server, exchange } = house()
  exchange.live.push(new FakeCall('c1'))
  const [method, path = ''] = route.split(' ')
  const url = path.replace(':id', 'c1')
  return server.inject({ method: method as 'GET', url, headers })
}

describe('every route of the router', () => {
  it('is known', async () => {
    expect(await allRoutes()).toEqual([
      'GET /healthz',
      'GET /metrics',
      'GET /readyz',
      'GET /v1/calls',
      'GET /v1/calls/:id',
      'GET /v1/channels',
      'HEAD /healthz',
      'HEAD /metrics',
      'HEAD /readyz',
      'HEAD /v1/calls',
      'HEAD /v1/calls/:id',
      'HEAD /v1/channels',
      'POST /v1/calls/:id/hangup',
    ])
  })

  it('needs the token unless it is listed as public', async () => {
    for (const route of await allRoutes()) {
      const expected = publicRoutes.includes(route) ? 200 : 401
      expect([route, (await ask(route, {})).statusCode]).toEqual([route, expected])
    }
  })

  it('answers with the token', async () => {
    for (const route of await allRoutes()) {
      expect([route, (await ask(route, withToken)).statusCode]).toEqual([route, route.startsWith('POST') ? 202 : 200])
    }
  })

  it('carries the security headers, also when it refuses', async () => {
    for (const route of [...(await allRoutes()), 'GET /nowhere', 'GET /v1/calls/%', 'DELETE /v1/calls']) {
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
    const answer = await server.inject({ url: '/v1/calls', headers: { authorization: `bearer ${token}` } })
    expect(answer.statusCode).toBe(200)
  })

  it('hides even which paths exist', async () => {
    const { server } = house()
    expect((await server.inject('/v1/nowhere')).statusCode).toBe(401)
    expect((await server.inject({ url: '/v1/nowhere', headers: withToken })).statusCode).toBe(404)
  })
})
