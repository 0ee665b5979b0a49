import { allowCalls, forbidCalls, listForbidden, type StoredStop } from '../store/do-not-call.ts'
import type { StoreScope } from '../store/scope.ts'
import { scopeOf } from './access.ts'
import { isoTime } from './call-record.ts'
import type { ServerDependencies } from './dependencies.ts'
import { allowed, allowing, forbidden, forbiddenList, forbiddenQuery, forbidding } from './outbound-schemas.ts'
import { pageOf, placeOf } from './page.ts'
import { Refusal } from './problem.ts'
import type { TypedServer } from './typed.ts'

/** Whom a business must not call: looked at before every attempt. */
export function doNotCallRoutes(
  app: TypedServer,
  { store, directory, clock }: Pick<ServerDependencies, 'store' | 'directory' | 'clock'>,
): void {
  const config = { access: 'business' } as const

  const list = {
    summary: 'Numbers that a business must not call',
    querystring: forbiddenQuery,
    response: { 200: forbiddenList },
  }
  app.get('/v1/do-not-call', { config, schema: list }, async request => {
    const { business, number, cursor, limit } = request.query
    const place = placeOf(cursor)
    const after = place && { at: new Date(place.atMs), id: place.id }
    const page = { after, count: limit + 1 }
    const found = await store.ask(db => listForbidden(db, scopeOf(request), { business, number }, page))
    const { page: numbers, next } = pageOf(found, limit, ({ at, number: id }) => ({ atMs: at.getTime(), id }))
    return { numbers: numbers.map(viewOf), next }
  })

  const adding = { summary: 'Forbids a business to call a number', body: forbidding, response: { 200: forbidden } }
  app.put('/v1/do-not-call', { config, schema: adding }, async request => {
    const { business } = request.body
    const scope = scopeOf(request)
    mustBeSeen(business, scope)
    const stop = { ...request.body, at: new Date(clock.wallMs()) }
    const kept = await store.ask(db => forbidCalls(db, scope, stop))
    if (!kept) throw unknown()
    return viewOf(kept)
  })

  const removing = { summary: 'Lets a business call a number again', body: allowing, response: { 200: allowed } }
  app.delete('/v1/do-not-call', { config, schema: removing }, async request => {
    const { business, number } = request.body
    const scope = scopeOf(request)
    mustBeSeen(business, scope)
    if (await store.ask(db => allowCalls(db, scope, business, number))) return { business, number }
    throw new Refusal(404, 'The business may call that number.')
  })

  function mustBeSeen(business: string, scope: StoreScope): void {
    const seen = scope === 'all' || scope.business === business
    if (!seen || !directory.upToDate().find(business)) throw unknown()
  }
}

function viewOf({ business, number, at, why }: StoredStop) {
  return { business, number, at: isoTime(at.getTime()), why }
}

function unknown(): Refusal {
  return new Refusal(404, 'There is no such business.')
}
