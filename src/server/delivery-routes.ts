import { deliveryNamed, listDeliveries, type StoredDelivery } from '../store/deliveries.ts'
import { scopeOf } from './access.ts'
import { isoTime } from './call-record.ts'
import { delivery, deliveryList, deliveryParameters, deliveryQuery } from './delivery-schemas.ts'
import type { ServerDependencies } from './dependencies.ts'
import { pageOf, placeOf } from './page.ts'
import { Refusal } from './problem.ts'
import type { TypedServer } from './typed.ts'

/** What integrators were told, and what came of it. */
export function deliveryRoutes(
  app: TypedServer,
  { store, directory, want, clock }: Pick<ServerDependencies, 'store' | 'directory' | 'want' | 'clock'>,
): void {
  const config = { access: 'business' } as const

  const list = {
    summary: 'Deliveries to hooks, the newest first',
    querystring: deliveryQuery,
    response: { 200: deliveryList },
  }
  app.get('/v1/deliveries', { config, schema: list }, async request => {
    const { cursor, limit, private: open, ...filter } = request.query
    const place = placeOf(cursor)
    const page = { after: place && { at: new Date(place.atMs), id: place.id }, count: limit + 1 }
    const found = await store.ask(db => listDeliveries(db, scopeOf(request), filter, page))
    const { page: shown, next } = pageOf(found, limit, ({ at, id }) => ({ atMs: at.getTime(), id }))
    return { deliveries: shown.map(each => viewOf(each, open === 'true')), next }
  })

  const repeating = {
    summary: 'Delivers once more, under the same id and in the same words',
    params: deliveryParameters,
    response: { 202: delivery },
  }
  app.post('/v1/deliveries/:id/repeat', { config, schema: repeating }, async (request, reply) => {
    const { id } = request.params
    const found = await store.ask(db => deliveryNamed(db, scopeOf(request), id))
    if (!found) throw new Refusal(404, 'There is no such delivery.')
    const { business, call, hook } = found
    const isThere = directory
      .upToDate()
      .find(business)
      ?.hooks.some(({ name, enabled }) => name === hook && enabled)
    if (!isThere) throw new Refusal(409, `The business has no hook ${hook} that is enabled: nobody would be told.`)
    const atMs = clock.wallMs()
    const subject = { call, hook, delivery: id, repeated: atMs }
    await want({ kind: 'deliver', key: `${id} ${atMs}`, business, group: `${business} ${hook}`, subject })
    return reply.code(202).send(viewOf(found, false))
  })
}

function viewOf(row: StoredDelivery, open: boolean) {
  const { id, business, call, hook, event, at, attempts, last_at, last_status, last_why, delivered_at, body } = row
  return {
    ...{ id, business, call, hook, event, at: isoTime(at.getTime()), attempts, status: last_status, why: last_why },
    lastAt: last_at && isoTime(last_at.getTime()),
    deliveredAt: delivered_at && isoTime(delivered_at.getTime()),
    ...(open ? { private: { body } } : {}),
  }
}
