import type { FastifyInstance, RouteOptions } from 'fastify'
import { z } from 'zod'
import { problemSchema } from './problem.ts'

/** A route as it was registered: what is told of it is what it does. */
type Route = Pick<RouteOptions, 'method' | 'url' | 'schema' | 'config'>

/** Watches routes come; the returned function describes those that have come until then. */
export function describeRoutes(app: FastifyInstance, version: string): () => object {
  const routes: Route[] = []
  app.addHook('onRoute', route => {
    routes.push(route)
  })
  return () => openapi(routes, version)
}

/** https://spec.openapis.org/oas/v3.1.1.html */
function openapi(routes: readonly Route[], version: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) {
    for (const method of [route.method].flat()) {
      // What GET tells without its body.
      if (method === 'HEAD') continue
      const path = route.url.replace(/:(\w+)/g, '{$1}')
      paths[path] = { ...paths[path], [method.toLowerCase()]: operation(method, path, route) }
    }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Parley', version, description },
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'Of a business, or of the operator.' } },
      responses: {
        problem: { description: 'What went wrong.', content: content(problemSchema, 'application/problem+json') },
      },
    },
  }
}

const description = `Calls of a voice gateway, what was said and left in them, and who may know. A token of a business sees its own rows
and no others. Callers' numbers and words are told only where \`private=true\` asks for them. Every error is a problem (RFC 9457).`

function operation(method: string, path: string, { schema = {}, config = {} }: Route): object {
  const { summary, body, response } = schema
  const access = config.access ?? 'operator'
  return {
    operationId: operationId(method, path),
    ...(summary !== undefined && { summary }),
    description: forWhom[access],
    security: access === 'public' ? [] : [{ token: [] }],
    parameters: [
      ...parametersOf(schema.params, 'path'),
      ...parametersOf(schema.querystring, 'query'),
      ...parametersOf(schema.headers, 'header'),
    ],
    ...(body instanceof z.ZodType && { requestBody: { required: true, content: content(body) } }),
    responses: { ...answersOf(response), default: { $ref: '#/components/responses/problem' } },
  }
}

const forWhom = {
  public: 'For anybody.',
  business: 'For a business and the operator.',
  operator: 'For the operator.',
} as const

/** `GET /v1/calls/{id}` is getCallsId. */
function operationId(method: string, path: string): string {
  const words = path.replace(/^\/v1/, '').match(/\w+/g) ?? []
  return method.toLowerCase() + words.map(word => word[0]!.toUpperCase() + word.slice(1)).join('')
}

function parametersOf(schema: unknown, place: 'path' | 'query' | 'header'): object[] {
  if (!(schema instanceof z.ZodType)) return []
  const { properties = {}, required = [] } = jsonSchema(schema, 'input')
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as { readonly description?: string }
    const told = description === undefined ? {} : { description }
    return { name, in: place, required: required.includes(name), ...told, schema: rest }
  })
}

function answersOf(response: unknown): Record<string, object> {
  const answers = Object.entries((response ?? {}) as Record<string, unknown>)
  if (answers.length === 0) return { '2XX': { description: 'Done.' } }
  return Object.fromEntries(
    answers.map(([status, schema]) => [
      status,
      { description: 'Done.', ...(schema instanceof z.ZodType && { content: content(schema, undefined, 'output') }) },
    ]),
  )
}

function content(schema: z.ZodType, type = 'application/json', io: 'input' | 'output' = 'input'): object {
  return { [type]: { schema: jsonSchema(schema, io) } }
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io })
  return rest
}
