import type { FastifyRequest } from 'fastify'
import { limits } from '../limits.ts'
import {
  listVoicemails,
  markVoicemail,
  type StoredVoicemail,
  transcriptOf,
  voicemailWithId,
} from '../store/voicemails.ts'
import { scopeOf } from './access.ts'
import { isoTime } from './call-record.ts'
import type { ServerDependencies } from './dependencies.ts'
import { isRowId, pageOf, placeOf } from './page.ts'
import { Refusal } from './problem.ts'
import { sendSound } from './sound.ts'
import type { TypedServer } from './typed.ts'
import {
  type VoicemailView,
  voicemail,
  voicemailDetail,
  voicemailDetailQuery,
  voicemailList,
  voicemailMarks,
  voicemailParameters,
  voicemailQuery,
} from './voicemail-schemas.ts'

type Needed = Pick<ServerDependencies, 'store' | 'clock' | 'sounds'>

/** What callers have said whom nobody had. */
export function voicemailRoutes(app: TypedServer, { store, clock, sounds }: Needed): void {
  const config = { access: 'business' } as const

  const list = {
    summary: 'Voicemails, the newest first',
    querystring: voicemailQuery,
    response: { 200: voicemailList },
  }
  app.get('/v1/voicemails', { config, schema: list }, async request => {
    const { business, read, archived, by, cursor, limit, private: open } = request.query
    const place = placeOf(cursor)
    if (place && !isRowId(place.id)) throw new Refusal(400, 'The cursor is of another list: begin again without one.')
    const filter = { business, read: yes(read), archived: yes(archived), by: by === 'none' ? null : by }
    const page = { after: place && { at: new Date(place.atMs), id: place.id }, count: limit + 1 }
    const found = await store.ask(db => listVoicemails(db, scopeOf(request), filter, page))
    const { page: shown, next } = pageOf(found, limit, ({ at, id }) => ({ atMs: at.getTime(), id }))
    return { voicemails: shown.map(each => viewOf(each, open === 'true')), next }
  })

  const found = async (request: FastifyRequest, id: string) => {
    const one = isRowId(id) ? await store.ask(db => voicemailWithId(db, scopeOf(request), id)) : undefined
    if (!one) throw new Refusal(404, 'There is no such voicemail.')
    return one
  }

  const detail = {
    summary: 'A voicemail, and what was said in it',
    params: voicemailParameters,
    querystring: voicemailDetailQuery,
    response: { 200: voicemailDetail },
  }
  app.get('/v1/voicemails/:id', { config, schema: detail }, async request => {
    const open = request.query.private === 'true'
    const one = await found(request, request.params.id)
    const written = await store.ask(db => transcriptOf(db, scopeOf(request), one.recording))
    const transcript = written && { by: written.by, ...(open && { private: { text: written.text } }) }
    return { ...viewOf(one, open), transcript: transcript ?? null }
  })

  const sound = { summary: 'The sound of a voicemail', params: voicemailParameters }
  const options = { config, handlerTimeout: limits.http.soundMs, schema: sound }
  app.get('/v1/voicemails/:id/audio', options, async (request, reply) => {
    const one = await found(request, request.params.id)
    if (one.deleted_at) throw new Refusal(410, 'The voicemail was deleted.')
    return sendSound(request, reply, sounds.voicemail, one.recording)
  })

  const marking = {
    summary: 'Marks a voicemail as read or archived, or not any more',
    params: voicemailParameters,
    body: voicemailMarks,
    response: { 200: voicemail },
  }
  app.patch('/v1/voicemails/:id', { config, schema: marking }, async request => {
    const { id } = request.params
    const at = new Date(clock.wallMs())
    const marked = isRowId(id)
      ? await store.ask(db => markVoicemail(db, scopeOf(request), id, request.body, at))
      : undefined
    if (!marked) throw new Refusal(404, 'There is no such voicemail.')
    return viewOf(marked, false)
  })
}

function yes(asked: 'true' | 'false' | undefined): boolean | undefined {
  return asked && asked === 'true'
}

/** Who has left it, and where, only on demand. */
function viewOf(stored: StoredVoicemail, withPrivate: boolean): VoicemailView {
  const { id, call, business, at, seconds, by, ended, recording, caller_number } = stored
  const time = (moment: Date | null) => moment && isoTime(moment.getTime())
  return {
    ...{ id, call, business, at: isoTime(at.getTime()), seconds, by, ended },
    ...{ readAt: time(stored.read_at), archivedAt: time(stored.archived_at), deletedAt: time(stored.deleted_at) },
    ...(withPrivate ? { private: { recording, callerNumber: caller_number } } : {}),
  }
}
