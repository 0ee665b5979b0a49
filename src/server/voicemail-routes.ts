import { listVoicemails } from '../store/recordings.ts'
import { scopeOf } from './access.ts'
import { isoTime } from './call-record.ts'
import type { ServerDependencies } from './dependencies.ts'
import { isRowId, pageOf, placeOf } from './page.ts'
import { Refusal } from './problem.ts'
import { pageQuery } from './schemas.ts'
import { voicemailList } from './text-schemas.ts'
import type { TypedServer } from './typed.ts'

/** What callers have said whom nobody had. */
export function voicemailRoutes(app: TypedServer, { store }: Pick<ServerDependencies, 'store'>): void {
  const schema = { summary: 'Voicemails, the newest first', querystring: pageQuery, response: { 200: voicemailList } }
  app.get('/v1/voicemails', { config: { access: 'business' }, schema }, async request => {
    const { business, cursor, limit, private: open } = request.query
    const place = placeOf(cursor)
    if (place && !isRowId(place.id)) throw new Refusal(400, 'The cursor is of another list: begin again without one.')
    const page = { after: place && { at: new Date(place.atMs), id: place.id }, count: limit + 1 }
    const found = await store.ask(db => listVoicemails(db, scopeOf(request), { business }, page))
    const { page: shown, next } = pageOf(found, limit, ({ at, id }) => ({ atMs: at.getTime(), id }))
    const voicemails = shown.map(({ id, call, business, at, seconds, read_at, recording, caller_number }) => ({
      ...{ id, call, business, at: isoTime(at.getTime()), seconds, readAt: read_at && isoTime(read_at.getTime()) },
      ...(open === 'true' ? { private: { recording, callerNumber: caller_number } } : {}),
    }))
    return { voicemails, next }
  })
}
