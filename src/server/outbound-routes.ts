import { createHash, randomUUID } from 'node:crypto'
import type { z } from 'zod'
import { mayCall } from '../business-telephone.ts'
import { limits } from '../limits.ts'
import {
  findOutbound,
  listOutbound,
  type Ordered,
  orderOutbound,
  type StoredOutbound,
  stopOutbound,
} from '../store/outbound.ts'
import type { StoreScope } from '../store/scope.ts'
import { scopeOf } from './access.ts'
import { isoTime } from './call-record.ts'
import type { ServerDependencies } from './dependencies.ts'
import {
  type OutboundView,
  oneOutboundQuery,
  outboundCall,
  outboundHeaders,
  outboundList,
  outboundOrder,
  outboundParameters,
  outboundQuery,
} from './outbound-schemas.ts'
import { pageOf, placeOf } from './page.ts'
import { Refusal } from './problem.ts'
import type { TypedServer } from './typed.ts'

type Dependencies = Pick<ServerDependencies, 'store' | 'directory' | 'dialler' | 'clock' | 'log'>

/** Calls that Parley makes: asked for here, made by whichever gateway has a place. */
export function outboundRoutes(app: TypedServer, dependencies: Dependencies): void {
  const config = { access: 'business' } as const
  const order = orderer(dependencies)
  const { find, list, stop } = kept(dependencies)

  const ordering = {
    summary: 'Calls somebody for a business',
    headers: outboundHeaders,
    body: outboundOrder,
    response: { 202: outboundCall },
  }
  app.post('/v1/calls', { config, schema: ordering }, async (request, reply) => {
    const stored = await order(scopeOf(request), request.headers['idempotency-key'], request.body)
    return reply.code(202).header('location', `/v1/outbound/${stored.id}`).send(viewOf(stored, false))
  })

  const listing = {
    summary: 'Calls out, the newest first',
    querystring: outboundQuery,
    response: { 200: outboundList },
  }
  app.get('/v1/outbound', { config, schema: listing }, async request => list(scopeOf(request), request.query))

  const one = {
    summary: 'One call out, with its attempts',
    params: outboundParameters,
    querystring: oneOutboundQuery,
    response: { 200: outboundCall },
  }
  app.get('/v1/outbound/:id', { config, schema: one }, async request =>
    viewOf(await find(scopeOf(request), request.params.id), request.query.private === 'true'),
  )

  const stopping = {
    summary: 'Gives up a call out that has not begun, or waits for another attempt',
    params: outboundParameters,
    response: { 200: outboundCall },
  }
  app.delete('/v1/outbound/:id', { config, schema: stopping }, async request =>
    viewOf(await stop(scopeOf(request), request.params.id), false),
  )
}

function orderer({ store, directory, dialler, clock, log }: Dependencies) {
  return async (scope: StoreScope, key: string, asked: z.output<typeof outboundOrder>): Promise<StoredOutbound> => {
    const { business, to: number, context } = asked
    if (dialler.unable !== undefined) throw new Refusal(503, dialler.unable)
    const seen = scope === 'all' || scope.business === business
    const { perDay } = able(seen ? directory.upToDate().find(business) : undefined, number, context)
    const id = `out-${randomUUID()}`
    const order = { id, business, key, number, context, perDay, at: new Date(clock.wallMs()) }
    const requestHash = hashOf(order)
    const stored = orderedIn(await store.ask(db => orderOutbound(db, scope, { ...order, requestHash })))
    if (stored.id === id) log.info({ business, call: id }, 'a call out is asked for')
    dialler.wake()
    return stored
  }
}

function kept({ store, clock, log }: Pick<Dependencies, 'store' | 'clock' | 'log'>) {
  const find = async (scope: StoreScope, id: string): Promise<StoredOutbound> => {
    // Such an id no database takes.
    const stored = id.includes('\0') ? undefined : await store.ask(db => findOutbound(db, scope, id))
    if (!stored) throw new Refusal(404, 'There is no such call out.')
    return stored
  }
  return {
    find,
    async list(scope: StoreScope, { business, state, cursor, limit, private: open }: z.output<typeof outboundQuery>) {
      const place = placeOf(cursor)
      const after = place && { at: new Date(place.atMs), id: place.id }
      const page = { after, count: limit + 1 }
      const found = await store.ask(db => listOutbound(db, scope, { business, state }, page))
      const { page: calls, next } = pageOf(found, limit, ({ asked_at, id }) => ({ atMs: asked_at.getTime(), id }))
      return { calls: calls.map(each => viewOf(each, open === 'true')), next }
    },
    async stop(scope: StoreScope, id: string): Promise<StoredOutbound> {
      const { business, state } = await find(scope, id)
      const at = new Date(clock.wallMs())
      const stopped = await store.ask(db => stopOutbound(db, scope, id, at))
      if (!stopped) {
        throw new Refusal(409, state === 'ended' ? 'It has ended already.' : 'It is under way: hang the call up.')
      }
      log.info({ business, call: id }, 'a call out is given up by request')
      return stopped
    },
  }
}

type Found = ReturnType<ReturnType<ServerDependencies['directory']['upToDate']>['find']>

/** By what the business calls, if it may. */
function able(business: Found, number: string, context: Readonly<Record<string, string>>) {
  if (!business) throw new Refusal(404, 'There is no such business.')
  const { active, outbound, numbers, telephone } = business
  if (!active) throw new Refusal(409, 'The business is not active.')
  if (!outbound.enabled) throw new Refusal(409, 'The business makes no calls: set its outbound.enabled to true.')
  if (outbound.callerId === undefined && numbers.length === 0) {
    throw new Refusal(409, 'The business has no number to call from: give it one, or set its outbound.callerId.')
  }
  if (!mayCall(outbound, number)) {
    throw new Refusal(
      409,
      `The business calls numbers only that begin with ${outbound.to.join(', ')}: see its outbound.to.`,
    )
  }
  const strange = Object.keys(context).filter(name => !telephone.context.includes(name))
  if (strange.length === 0) return outbound
  const problems = strange.map(name => `context.${name}: is none of the names in telephone.context of the business`)
  throw new Refusal(400, 'The agent of this business is told of other things only.', { problems })
}

function hashOf({
  business,
  number,
  context,
}: Pick<StoredOutbound, 'business' | 'number'> & { context: object }): string {
  const sorted = Object.entries(context).sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([business, number, sorted]))
    .digest('hex')
}

function orderedIn(ordered: Ordered): StoredOutbound {
  switch (ordered.kind) {
    case 'taken':
    case 'known':
      return ordered.stored
    case 'other':
      throw new Refusal(409, 'Another call was asked for with this Idempotency-Key: send one of its own.')
    case 'forbidden':
      throw new Refusal(409, 'The business must not call that number: it is on its list of GET /v1/do-not-call.')
    case 'full':
      throw new Refusal(429, `${limits.twilio.outbound.waiting} calls of the business wait already.`)
    case 'spent':
      throw new Refusal(
        429,
        'The business has asked for as many calls as it may within a day: see its outbound.perDay.',
      )
    case 'unknown':
      throw new Refusal(404, 'There is no such business.')
  }
}

function viewOf(stored: StoredOutbound, withPrivate: boolean): OutboundView {
  const { id, business, state, outcome, attempts, next_at, asked_at, ended_at, number: to, context } = stored
  const time = (at: Date | null) => at && isoTime(at.getTime())
  return {
    ...{ id, business, state, outcome, attempts },
    calls: Array.from({ length: attempts }, (_, index) => `${id}-${index + 1}`),
    ...{ nextAt: time(next_at), askedAt: isoTime(asked_at.getTime()), endedAt: time(ended_at) },
    ...(withPrivate && { private: { to, context: context as Record<string, string> } }),
  }
}
