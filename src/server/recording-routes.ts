import { findRecording, listRecordings, type StoredRecording } from '../store/call-recordings.ts'
import { scopeOf } from './access.ts'
import { isoTime } from './call-record.ts'
import type { Calls } from './calls.ts'
import type { ServerDependencies } from './dependencies.ts'
import { pageOf, placeOf } from './page.ts'
import { Refusal } from './problem.ts'
import {
  type RecordingView,
  recording,
  recordingList,
  recordingParameters,
  recordingQuery,
} from './recording-schemas.ts'
import { accepted, callParameters } from './schemas.ts'
import type { TypedServer } from './typed.ts'

/** What is kept of calls as sound. */
export function recordingRoutes(
  app: TypedServer,
  calls: Calls,
  { store, journal, log }: Pick<ServerDependencies, 'store' | 'journal' | 'log'>,
): void {
  const config = { access: 'business' } as const

  const list = {
    summary: 'Recordings, the newest first',
    querystring: recordingQuery,
    response: { 200: recordingList },
  }
  app.get('/v1/recordings', { config, schema: list }, async request => {
    const { business, call, deleted, cursor, limit } = request.query
    const place = placeOf(cursor)
    const page = { after: place && { at: new Date(place.atMs), id: place.id }, count: limit + 1 }
    const filter = { business, call, deleted: deleted === 'true' }
    const found = await store.ask(db => listRecordings(db, scopeOf(request), filter, page))
    const { page: shown, next } = pageOf(found, limit, ({ at, id }) => ({ atMs: at.getTime(), id }))
    return { recordings: shown.map(viewOf), next }
  })

  const one = { summary: 'A recording', params: recordingParameters, response: { 200: recording } }
  app.get('/v1/recordings/:id', { config, schema: one }, async request => {
    const found = await store.ask(db => findRecording(db, scopeOf(request), request.params.id))
    if (!found) throw new Refusal(404, 'There is no such recording.')
    return viewOf(found)
  })

  const stop = {
    summary: 'Ends the recording of a live call, for good; the call goes on',
    params: callParameters,
    response: { 202: accepted },
  }
  app.post('/v1/calls/:id/recording/stop', { config, schema: stop }, async (request, reply) => {
    const call = calls.mustBeHere(scopeOf(request), request.params.id)
    if (!call.stopRecording()) throw new Refusal(409, 'Nothing of the call is being recorded.')
    // Also where it has not begun: a gateway that takes the call over finds it there.
    await journal.flushed()
    log.info({ call: call.id }, 'a recording is ended by request')
    return reply.code(202).send({ id: call.id, state: call.state })
  })
}

function viewOf(stored: StoredRecording): RecordingView {
  const time = (at: Date | null) => at && isoTime(at.getTime())
  return {
    ...{ id: stored.id, call: stored.call, business: stored.business },
    beganAt: isoTime(stored.at.getTime()),
    announcedAt: time(stored.announced_at),
    ...{ seconds: stored.seconds, endedWhy: stored.ended_why, shedFrames: stored.shed_frames },
    convertedAt: time(stored.converted_at),
    bytes: stored.bytes === null ? null : Number(stored.bytes),
    deletedAt: time(stored.deleted_at),
    deletedBy: stored.deleted_by,
  }
}
