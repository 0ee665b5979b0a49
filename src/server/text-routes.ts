import { createHash } from 'node:crypto'
import type { TextRefusal } from '../desk/text-sender.ts'
import { findText, listTexts, type StoredText } from '../store/texts.ts'
import { scopeOf } from './access.ts'
import { isoTime } from './call-record.ts'
import type { ServerDependencies } from './dependencies.ts'
import { pageOf, placeOf } from './page.ts'
import { Refusal } from './problem.ts'
import { privacyQuery } from './schemas.ts'
import * as schemas from './text-schemas.ts'
import type { TypedServer } from './typed.ts'

type Dependencies = Pick<ServerDependencies, 'store' | 'directory' | 'texts'>

/** Messages with customers: what came, and what is sent. */
export function textRoutes(app: TypedServer, { store, directory, texts }: Dependencies): void {
  const config = { access: 'business' } as const
  const { text, textList, textQuery, textParameters } = schemas

  const list = { summary: 'Text messages, the newest first', querystring: textQuery, response: { 200: textList } }
  app.get('/v1/texts', { config, schema: list }, async request => {
    const { cursor, limit, private: open, ...filter } = request.query
    const place = placeOf(cursor)
    const page = { after: place && { at: new Date(place.atMs), id: place.id }, count: limit + 1 }
    const found = await store.ask(db => listTexts(db, scopeOf(request), filter, page))
    const { page: shown, next } = pageOf(found, limit, ({ at, id }) => ({ atMs: at.getTime(), id }))
    return { texts: shown.map(each => viewOf(each, open === 'true')), next }
  })

  const one = {
    summary: 'One text message, and what became of it',
    params: textParameters,
    querystring: privacyQuery,
    response: { 200: text },
  }
  app.get('/v1/texts/:id', { config, schema: one }, async request => {
    const { id } = request.params
    const found = await store.ask(db => findText(db, scopeOf(request), id))
    if (!found) throw new Refusal(404, 'There is no such text message.')
    return viewOf(found, request.query.private === 'true')
  })

  const writing = {
    summary: 'Sends a text message to a customer, by SMS or WhatsApp',
    headers: schemas.textHeaders,
    body: schemas.textWanted,
    response: { 202: schemas.textTaken },
  }
  app.post('/v1/texts', { config, schema: writing }, async (request, reply) => {
    const { business: id, channel, to, text } = request.body
    const scope = scopeOf(request)
    const business = scope === 'all' || scope.business === id ? directory.upToDate().find(id) : undefined
    if (!business) throw new Refusal(404, 'There is no such business.')
    if (!business.texts.enabled) throw new Refusal(409, 'The business sends no text messages (texts.enabled).')
    if (!texts) throw new Refusal(503, 'This Parley sends no text messages: it has no account to send them by.')
    const own = idOf(id, request.headers['idempotency-key'])
    const taken = await texts.send({ id: own, business, channel, to, text })
    if (taken.kind === 'conflict') throw new Refusal(409, 'Another message was sent with this Idempotency-Key.')
    if (taken.kind === 'refused') throw new Refusal(statuses[taken.why], taken.words, { why: taken.why })
    return reply.code(202).send({ id: own, status: taken.status })
  })
}

const statuses: Readonly<Record<TextRefusal, number>> = { stopped: 409, noNumber: 409, outsideSession: 409, full: 503 }

/** The key is made the id: whoever asks again, of any gateway, asks for the same message. */
function idOf(business: string, key: string): string {
  return `text-${createHash('sha256').update(`${business}\n${key}`).digest('hex').slice(0, 32)}`
}

/** Who wrote what, only on demand. */
function viewOf(stored: StoredText, withPrivate: boolean): schemas.TextView {
  const { id, business, channel, direction, at, status, status_at, error_code, template, media } = stored
  const { customer, ours, text } = stored
  return {
    ...{ id, business, channel, direction, at: isoTime(at.getTime()), status, template, media },
    ...{ statusAt: isoTime(status_at.getTime()), errorCode: error_code },
    ...(withPrivate ? { private: { customer, ours, text } } : {}),
  }
}
