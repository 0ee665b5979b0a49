import type { FastifyRequest } from 'fastify'
import { transcriptionOf } from '../desk/wanted.ts'
import { limits } from '../limits.ts'
import { jobIdOf } from '../store/jobs.ts'
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
  transcriptionWanted,
  type VoicemailView,
  voicemail,
  voicemailDetail,
  voicemailDetailQuery,
  voicemailList,
  voicemailMarks,
  voicemailParameters,
  voicemailQuery,
} from './voicemail-schemas.ts'

type Needed = Pick<ServerDependencies, 'store' | 'clock' | 'sounds' | 'want' | 'work'>

const config = { access: 'business' } as const

/** What callers have said whom nobody had. */
export function voicemailRoutes(app: TypedServer, { store, clock, sounds, want, work }: Needed): void {
  const list = {
    summary: 'Voicemails, the newest first',
    querystring: voicemailQuery,
    response: { 200: voicemailList },
  }
  app.get('/v1/voicemails', { config, schema: list }, async request => {
    const { business, call, read, archived, deleted, by, cursor, limit, private: open } = request.query
    const place = placeOf(cursor)
    if (place && !isRowId(place.id)) throw new Refusal(400, 'The cursor is of another list: begin again without one.')
    const marks = { read: yes(read), archived: yes(archived), deleted: yes(deleted) }
    const filter = { business, call, ...marks, by: by === 'none' ? null : by }
    const page = { after: place && { at: new Date(place.atMs), id: place.id }, count: limit + 1 }
    const found = await store.ask(db => listVoicemails(db, scopeOf(request), filter, page))
    const { page: shown, next } = pageOf(found, limit, ({ at, id }) => ({ atMs: at.getTime(), id }))
    return { voicemails: shown.map(each => viewOf(each, open === 'true')), next }
  })

  const found = (request: FastifyRequest, id: string) => voicemailIn(store, request, id)

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
  transcribing(app, { store, want, work })
}

async function voicemailIn(store: Needed['store'], request: FastifyRequest, id: string): Promise<StoredVoicemail> {
  const one = isRowId(id) ? await store.ask(db => voicemailWithId(db, scopeOf(request), id)) : undefined
  if (!one) throw new Refusal(404, 'There is no such voicemail.')
  return one
}

function transcribing(app: TypedServer, { store, want, work }: Pick<Needed, 'store' | 'want' | 'work'>): void {
  const schema = {
    summary: 'Has a voicemail written down that nobody has written down',
    params: voicemailParameters,
    response: { 202: transcriptionWanted },
  }
  app.post('/v1/voicemails/:id/transcribe', { config, schema }, async (request, reply) => {
    const { call, business, recording, deleted_at } = await voicemailIn(store, request, request.params.id)
    if (deleted_at) throw new Refusal(410, 'The voicemail was deleted.')
    if (await store.ask(db => transcriptOf(db, scopeOf(request), recording)))
      throw new Refusal(409, 'It is written down already: GET /v1/voicemails/:id tells what was said.')
    if (!work.does('transcribe'))
      throw new Refusal(409, 'Nobody writes down here what callers say: TRANSCRIBER is none.')
    const job = transcriptionOf(call, business, recording)
    const id = jobIdOf(job)
    await want(job)
    // One that has failed is known, and so not wanted anew.
    await work.retry({ kind: job.kind, id })
    return reply.code(202).send({ job: id })
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
    deletedBy: stored.deleted_by,
    ...(withPrivate ? { private: { recording, callerNumber: caller_number } } : {}),
  }
}
