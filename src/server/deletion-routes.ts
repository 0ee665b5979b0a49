import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { HousedSound } from '../desk/deleting.ts'
import { deletionOf } from '../desk/wanted.ts'
import { limits } from '../limits.ts'
import { recordingNamed, voicemailRow } from '../store/recording-files.ts'
import { scopeOf } from './access.ts'
import type { ServerDependencies } from './dependencies.ts'
import { isRowId } from './page.ts'
import { Refusal } from './problem.ts'
import { storableText } from './schemas.ts'
import type { TypedServer } from './typed.ts'

const parameters = z.object({ id: storableText(limits.http.paramChars) })
const deleted = z.object({ id: z.string() })
const response = {
  200: deleted.describe('It is gone, in all its forms, and what was written down of it.'),
  202: deleted.describe('It is on the disk of another gateway, which deletes it.'),
}

type Parts = Pick<ServerDependencies, 'store' | 'journal' | 'deleteSound' | 'want' | 'clock'>

/** The sound goes, from the disk, and what was written down of it, from the record, before this is answered; that it was there stays. */
export function deletionRoutes(app: TypedServer, parts: Parts): void {
  const { store } = parts
  const config = { access: 'business' } as const

  const recording = { summary: 'Deletes a recording', params: parameters, response }
  app.delete('/v1/recordings/:id', { config, schema: recording }, async (request, reply) => {
    const { id } = request.params
    const found = await store.ask(db => recordingNamed(db, scopeOf(request), id))
    if (!found) throw new Refusal(404, 'There is no such recording.')
    if (found.ended_why === null) throw new Refusal(409, 'The call is still recorded: stop that first.')
    const { call, business, home } = found
    if (!found.deleted_at) await remove(parts, { kind: 'recording', name: id, call, business, home }, request, reply)
    return reply.send({ id })
  })

  const voicemail = { summary: 'Deletes a voicemail', params: parameters, response }
  app.delete('/v1/voicemails/:id', { config, schema: voicemail }, async (request, reply) => {
    const { id } = request.params
    const found = isRowId(id) ? await store.ask(db => voicemailRow(db, scopeOf(request), id)) : undefined
    if (!found) throw new Refusal(404, 'There is no such voicemail.')
    const { recording: name, call, business, home } = found
    if (!found.deleted_at) await remove(parts, { kind: 'voicemail', name, call, business, home }, request, reply)
    return reply.send({ id })
  })
}

/** The job is wanted first: a deletion that was begun is ended, whoever is killed. */
async function remove(
  { journal, deleteSound, want, clock }: Parts,
  sound: HousedSound,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const by = scopeOf(request) === 'all' ? 'operator' : 'business'
  if (sound.home !== null && sound.home !== journal.id) {
    await want(deletionOf(sound, by))
    return void reply.code(202)
  }
  await want(deletionOf({ ...sound, home: journal.id }, by, clock.wallMs() + limits.recording.deletingMs))
  await deleteSound(sound, by)
}
