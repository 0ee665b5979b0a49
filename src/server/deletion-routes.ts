import { z } from 'zod'
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

/** The sound goes, from the disk, before this is answered; that it was there stays in the record. */
export function deletionRoutes(
  app: TypedServer,
  { store, deleteSound }: Pick<ServerDependencies, 'store' | 'deleteSound'>,
): void {
  const config = { access: 'business' } as const

  const recording = { summary: 'Deletes a recording', params: parameters, response: { 200: deleted } }
  app.delete('/v1/recordings/:id', { config, schema: recording }, async request => {
    const { id } = request.params
    const found = await store.ask(db => recordingNamed(db, scopeOf(request), id))
    if (!found) throw new Refusal(404, 'There is no such recording.')
    if (found.ended_why === null) throw new Refusal(409, 'The call is still recorded: stop that first.')
    const { call, business } = found
    if (!found.deleted_at) await deleteSound({ kind: 'recording', name: id, call, business }, 'operator')
    return { id }
  })

  const voicemail = { summary: 'Deletes a voicemail', params: parameters, response: { 200: deleted } }
  app.delete('/v1/voicemails/:id', { config, schema: voicemail }, async request => {
    const { id } = request.params
    const found = isRowId(id) ? await store.ask(db => voicemailRow(db, scopeOf(request), id)) : undefined
    if (!found) throw new Refusal(404, 'There is no such voicemail.')
    const { recording: name, call, business } = found
    if (!found.deleted_at) await deleteSound({ kind: 'voicemail', name, call, business }, 'operator')
    return { id }
  })
}
