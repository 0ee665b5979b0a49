import { z } from 'zod'
import { limits } from '../limits.ts'
import { recordingNamed } from '../store/recording-files.ts'
import { scopeOf } from './access.ts'
import type { ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { storableText } from './schemas.ts'
import { sendSound } from './sound.ts'
import type { TypedServer } from './typed.ts'

const parameters = z.object({ id: storableText(limits.http.paramChars) })

/** What was kept of a call to be heard. */
export function recordingAudioRoutes(
  app: TypedServer,
  { store, sounds }: Pick<ServerDependencies, 'store' | 'sounds'>,
): void {
  const schema = { summary: 'The sound of a recording: the left side is the caller', params: parameters }
  const options = { config: { access: 'business' }, handlerTimeout: limits.http.soundMs, schema } as const
  app.get('/v1/recordings/:id/audio', options, async (request, reply) => {
    const { id } = request.params
    const found = await store.ask(db => recordingNamed(db, scopeOf(request), id))
    if (!found) throw new Refusal(404, 'There is no such recording.')
    if (found.deleted_at) throw new Refusal(410, 'The recording was deleted.')
    return sendSound(request, reply, sounds.recordings, id)
  })
}
