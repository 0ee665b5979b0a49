import type { FastifyReply, FastifyRequest } from 'fastify'
import { stringify } from 'yaml'
import { readYaml } from '../business-yaml.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { StoredBusiness } from '../store/businesses.ts'
import type { Answer } from '../store/directory.ts'
import type { StoreScope } from '../store/scope.ts'
import { scopeOf } from './access.ts'
import {
  type BusinessView,
  businessDocument,
  businessList,
  businessParameters,
  storedDocument,
} from './business-schemas.ts'
import type { ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import type { TypedServer } from './typed.ts'

const YAML = ['application/yaml', 'text/yaml', 'application/x-yaml']

/** A business sees itself; what it is, is the operator's to say: its numbers and the addresses of its tools reach beyond it. */
export function businessRoutes(
  app: TypedServer,
  { directory, log }: Pick<ServerDependencies, 'directory' | 'log'>,
): void {
  const [reading, writing] = [{ access: 'business' }, { access: 'operator' }] as const
  const bodyLimit = limits.http.businessBytes
  app.addContentTypeParser(YAML, { parseAs: 'string', bodyLimit }, async (_: FastifyRequest, text: string) =>
    yamlIn(text),
  )

  app.get(
    '/v1/businesses',
    { config: reading, schema: { summary: 'Businesses', response: { 200: businessList } } },
    async request => {
      const seen = directory.upToDate().all.filter(({ id }) => isSeen(id, scopeOf(request)))
      return { businesses: seen.map(viewOf) }
    },
  )

  const one = {
    summary: 'A business, as it was written: JSON or YAML',
    params: businessParameters,
    response: { 200: storedDocument },
  }
  app.get('/v1/businesses/:id', { config: reading, schema: one }, async (request, reply) => {
    const { id } = request.params
    const stored = isSeen(id, scopeOf(request)) ? directory.upToDate().stored(id) : undefined
    if (!stored) throw unknown()
    return send(stored, request, reply)
  })

  const creation = { summary: 'Makes a business', body: businessDocument, response: { 201: storedDocument } }
  app.post('/v1/businesses', { config: writing, schema: creation, bodyLimit }, async (request, reply) => {
    const stored = writtenIn(await directory.create(request.body))
    log.info({ business: stored.id }, 'an operator has made a business')
    return send(stored, request, reply.code(201).header('location', `/v1/businesses/${stored.id}`))
  })

  const change = {
    summary: 'Changes a business, from the next call on',
    params: businessParameters,
    body: businessDocument,
    response: { 200: storedDocument },
  }
  app.put('/v1/businesses/:id', { config: writing, schema: change, bodyLimit }, async (request, reply) => {
    const versions = versionsIn(request.headers['if-match'])
    const stored = writtenIn(await directory.change(request.params.id, request.body, versions))
    log.info({ business: stored.id, version: stored.version }, 'an operator has changed a business')
    return send(stored, request, reply)
  })
}

function isSeen(id: string, scope: StoreScope): boolean {
  return scope === 'all' || scope.business === id
}

function viewOf({ id, choice, active, version, createdAt, changedAt }: StoredBusiness): BusinessView {
  const { name, numbers = [] } = choice as { name: string; numbers?: string[] }
  return { id, name, active, numbers, version, createdAt, changedAt }
}

/** In the form that was asked for; both can be sent back as they are. */
function send({ id, active, choice, version }: StoredBusiness, request: FastifyRequest, reply: FastifyReply) {
  const document = { id, active, ...choice }
  const asYaml = YAML.some(type => request.headers.accept?.toLowerCase().includes(type))
  reply.header('etag', `"${version}"`).header('vary', 'accept')
  return asYaml ? reply.type(YAML[0]!).send(stringify(document, { lineWidth: 0 })) : reply.send(document)
}

function writtenIn(answer: Answer): StoredBusiness {
  switch (answer.kind) {
    case 'written':
      return answer.stored
    case 'unknown':
      throw unknown()
    case 'wrong': {
      const { problems } = answer
      throw new Refusal(400, `The business has ${problems.length} problem(s).`, { problems })
    }
    case 'exists':
      throw new Refusal(409, 'There is a business with this id: change that one, or give this one another id.')
    case 'full':
      throw new Refusal(409, `There are ${limits.store.businesses} businesses, and no more can be kept.`)
    case 'numberTaken': {
      const { number, by } = answer
      throw new Refusal(409, `The number ${number} belongs to the business ${by}.`, { number, business: by })
    }
    case 'outdated': {
      const { version } = answer
      throw new Refusal(412, 'The business has changed meanwhile: read it again and change that.', { version })
    }
  }
}

function unknown(): Refusal {
  return new Refusal(404, 'There is no such business.')
}

/** Of `If-Match`, https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1: any version, when nothing or * is asked for. */
function versionsIn(header: string | undefined): number[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  return header.split(',').flatMap(tag => {
    const [, version] = /^\s*"(\d{1,9})"\s*$/.exec(tag) ?? []
    return version === undefined ? [] : [Number(version)]
  })
}

function yamlIn(text: string): unknown {
  try {
    return readYaml(text)
  } catch (error) {
    throw new Refusal(400, 'The body is not valid YAML.', { problems: [asError(error).message] })
  }
}
