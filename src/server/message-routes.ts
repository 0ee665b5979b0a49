import { listMessages, readMessage, type StoredMessage } from '../store/messages.ts'
import { scopeOf } from './access.ts'
import { isoTime } from './call-record.ts'
import type { ServerDependencies } from './dependencies.ts'
import { type MessageView, message, messageList, messageParameters, messageQuery } from './message-schemas.ts'
import { isRowId, pageOf, placeOf } from './page.ts'
import { Refusal } from './problem.ts'
import type { TypedServer } from './typed.ts'

/** What callers left with the agent, for the people at the business. */
export function messageRoutes(app: TypedServer, { store, clock }: Pick<ServerDependencies, 'store' | 'clock'>): void {
  const config = { access: 'business' } as const

  const list = { summary: 'Messages, the newest first', querystring: messageQuery, response: { 200: messageList } }
  app.get('/v1/messages', { config, schema: list }, async request => {
    const { business, kind, unread, cursor, limit, private: open } = request.query
    const place = placeOf(cursor)
    if (place && !isRowId(place.id)) throw new Refusal(400, 'The cursor is of another list: begin again without one.')
    const after = place && { at: new Date(place.atMs), id: place.id }
    const filter = { business, kind, unread: unread && unread === 'true' }
    const page = { after, count: limit + 1 }
    const found = await store.ask(db => listMessages(db, scopeOf(request), filter, page))
    const { page: messages, next } = pageOf(found, limit, ({ at, id }) => ({ atMs: at.getTime(), id }))
    return { messages: messages.map(each => viewOf(each, open === 'true')), next }
  })

  const reading = { summary: 'Marks a message as read', params: messageParameters, response: { 200: message } }
  app.post('/v1/messages/:id/read', { config, schema: reading }, async request => {
    const { id } = request.params
    const at = new Date(clock.wallMs())
    const read = isRowId(id) ? await store.ask(db => readMessage(db, scopeOf(request), id, at)) : undefined
    if (!read) throw new Refusal(404, 'There is no such message.')
    return viewOf(read, false)
  })
}

/** Whom to call back, and about what, only on demand. */
function viewOf(stored: StoredMessage, withPrivate: boolean): MessageView {
  const { id, call, business, at, kind, callback, text, details, read_at } = stored
  return {
    id,
    call,
    business,
    at: isoTime(at.getTime()),
    kind,
    readAt: read_at && isoTime(read_at.getTime()),
    ...(withPrivate ? { private: { callback, text, details } } : {}),
  }
}
