import type { FastifyRequest } from 'fastify'
import { scopeOf } from './access.ts'
import { Calls } from './calls.ts'
import { captureRoutes } from './capture-routes.ts'
import type { ServerDependencies } from './dependencies.ts'
import { recordingRoutes } from './recording-routes.ts'
import { accepted, callDetail, callList, callParameters, channelList, listQuery, privacyQuery } from './schemas.ts'
import { transferRoutes } from './transfer-routes.ts'
import type { TypedServer } from './typed.ts'

export function callRoutes(app: TypedServer, dependencies: ServerDependencies): void {
  const { telephony, exchange, log } = dependencies
  /** By the name under which the call is told everywhere. */
  const ownerOf = ({ call = 'orphan' }: { readonly call: string | undefined }) =>
    exchange.find(call)?.view.record ?? call
  const calls = new Calls(dependencies)
  const business = { access: 'business' } as const

  const list = { summary: 'Calls, the newest first', querystring: listQuery, response: { 200: callList } }
  app.get('/v1/calls', { config: business, schema: list }, async request => calls.list(scopeOf(request), request.query))

  const one = {
    summary: 'One call, with what was said, done and measured',
    params: callParameters,
    querystring: privacyQuery,
    response: { 200: callDetail },
  }
  app.get('/v1/calls/:id', { config: business, schema: one }, async request =>
    calls.detail(scopeOf(request), request.params.id, request.query.private === 'true'),
  )

  const hangup = { summary: 'Ends a live call of this gateway', params: callParameters, response: { 202: accepted } }
  app.post('/v1/calls/:id/hangup', { config: business, schema: hangup }, async (request, reply) => {
    const call = calls.mustBeHere(scopeOf(request), request.params.id)
    log.info({ call: call.id, by: whoOf(request) }, 'a call is hung up by request')
    call.hangUp('operator')
    return reply.code(202).send({ id: call.view.record, state: call.state })
  })

  transferRoutes(app, calls, dependencies)
  recordingRoutes(app, calls, dependencies)
  captureRoutes(app, calls, dependencies)

  const channels = { summary: 'Channels and bridges in Asterisk, and whose they are', response: { 200: channelList } }
  app.get('/v1/channels', { config: { access: 'operator' }, schema: channels }, async () => {
    const { channels, bridges } = await telephony.inspect()
    return {
      channels: channels.map(each => ({ ...each, call: ownerOf(each) })),
      bridges: bridges.map(each => ({ ...each, channels: [...each.channels], call: ownerOf(each) })),
    }
  })
}

function whoOf(request: FastifyRequest): string {
  const scope = scopeOf(request)
  return scope === 'all' ? 'the operator' : scope.business
}
