import { Validator } from '@seriousme/openapi-schema-validator'
import { beforeAll, describe, expect, it } from 'vitest'
import { house, withToken } from './house.ts'
import { caseOf, routesOf } from './route-cases.ts'

interface Operation {
  readonly operationId: string
  readonly summary?: string
  readonly security: readonly object[]
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[]
  readonly responses: Record<string, object>
}

let document: { paths: Record<string, Record<string, Operation>>; components: object; openapi: string }
let routes: string[] = []
beforeAll(async () => {
  const { server } = house()
  document = (await server.inject({ url: '/openapi.json', headers: withToken })).json()
  routes = routesOf(server).filter(route => !route.startsWith('HEAD '))
})

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const route = `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`
      return { route, path, operation }
    }),
  )

describe('GET /openapi.json', () => {
  it('is a valid description by the schemas of the OpenAPI initiative', async () => {
    expect(document.openapi).toMatch(/^3\.1\./)
    const validator = new Validator()
    expect(await validator.validate(structuredClone(document))).toMatchObject({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  it('would not be valid if it were broken', async () => {
    const broken = structuredClone(document) as unknown as { paths: Record<string, object> }
    broken.paths['/v1/calls'] = { get: { responses: 'none' } }
    expect(await new Validator().validate(broken)).toMatchObject({ valid: false })
  })

  it('describes every route, and nothing else', () => {
    expect(
      operations()
        .map(({ route }) => route)
        .sort(),
    ).toEqual(routes)
  })

  it('names each operation once, in words', () => {
    const all = operations()
    expect(new Set(all.map(({ operation }) => operation.operationId)).size).toBe(all.length)
    expect(all.filter(({ operation }) => !operation.summary).map(({ route }) => route)).toEqual([])
  })

  it('tells who needs a token as the routes have it', () => {
    for (const { route, operation } of operations()) {
      const wanted = caseOf(route)?.access === 'public' ? [] : [{ token: [] }]
      expect([route, operation.security]).toEqual([route, wanted])
    }
    expect(document.components).toMatchObject({ securitySchemes: { token: { type: 'http', scheme: 'bearer' } } })
  })

  it('has a parameter for each place in a path, and problems for what goes wrong', () => {
    for (const { route, path, operation } of operations()) {
      const places = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const inPath = operation.parameters.filter(each => each.in === 'path')
      expect([route, inPath.map(({ name }) => name)]).toEqual([route, places])
      expect([route, inPath.every(({ required }) => required)]).toEqual([route, true])
      expect([route, operation.responses['default']]).toEqual([route, { $ref: '#/components/responses/problem' }])
    }
  })

  it('says what the schemas say that check a request and cut an answer', () => {
    const list = document.paths['/v1/calls']!['get'] as unknown as {
      parameters: { name: string; required: boolean; schema: object }[]
      responses: Record<string, { content: Record<string, { schema: { properties: object } }> }>
    }
    const parameters = Object.fromEntries(list.parameters.map(each => [each.name, each]))
    expect(Object.keys(parameters).sort()).toEqual(
      [
        'before',
        'business',
        'cursor',
        'limit',
        'number',
        'outcome',
        'private',
        'since',
        'state',
        'text',
        'transfer',
      ].sort(),
    )
    expect(parameters['limit']).toMatchObject({
      required: false,
      schema: { type: 'integer', maximum: 800, default: 100 },
    })
    expect(parameters['state']).toMatchObject({ schema: { enum: ['live', 'ended'] } })
    const { properties } = list.responses['200']!.content['application/json']!.schema
    expect(Object.keys(properties)).toEqual(['calls', 'next', 'complete', 'totals'])
    const creation = document.paths['/v1/tokens']!['post'] as unknown as { requestBody: object; responses: object }
    expect(creation.requestBody).toMatchObject({ required: true })
    expect(Object.keys(creation.responses)).toEqual(['201', 'default'])
  })
})
