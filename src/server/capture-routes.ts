import { z } from 'zod'
import { limits } from '../limits.ts'
import { type CaptureFile, captureFiles } from '../recording/capture.ts'
import { listCaptures, openCaptured, removeCapture } from '../recording/captured.ts'
import { isoTime } from './call-record.ts'
import type { Calls } from './calls.ts'
import type { ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { callParameters, storableText } from './schemas.ts'
import type { TypedServer } from './typed.ts'

const { capture: bounds } = limits.recording
const seconds = z.int().min(1).max(bounds.seconds)
const bytes = z.number().describe('Its bytes so far.')
const captured = z.object({
  id: z.string(),
  call: z.string(),
  business: z.string(),
  beganAt: z.iso.datetime(),
  files: z.object({
    received: bytes.describe('Packets as they came, in the form of rtpdump.'),
    decoded: bytes.describe('What was heard of them, with what was concealed: Sun audio, which every player takes.'),
    frames: bytes.describe('Of each 20 ms of that: when, its media time, and heard, concealed or missing, as CSV.'),
    sent: bytes.describe('Packets as they left, in the form of rtpdump.'),
  }),
})
const id = storableText(limits.http.paramChars)
const one = z.strictObject({ id })
const part = z.strictObject({ id, file: z.enum(Object.keys(captureFiles) as [CaptureFile, ...CaptureFile[]]) })
const types = { received: 'application/octet-stream', decoded: 'audio/basic', frames: 'text/csv' } as const
const none = 'There is no such capture here, or it is gone: it is kept for a day.'
const refusals = {
  noLine: 'Nothing of the call can be captured now: its caller is not with an agent of this gateway.',
  goesOn: 'The call is captured already.',
  tooMany: `No more than ${bounds.atOnce} calls are captured at once.`,
} as const

/** Of one call, each stage of its sound, for whoever looks for a fault: the operator, and nobody else. */
export function captureRoutes(
  app: TypedServer,
  calls: Calls,
  { captures, log }: Pick<ServerDependencies, 'captures' | 'log'>,
): void {
  const config = { access: 'operator' } as const

  const begin = {
    summary: 'Captures each stage of the sound of a live call, for so many seconds',
    params: callParameters,
    body: z.strictObject({ seconds }),
    response: { 202: one },
  }
  app.post('/v1/calls/:id/capture', { config, schema: begin }, async (request, reply) => {
    const call = calls.mustBeHere('all', request.params.id)
    const { seconds } = request.body
    const answer = call.capture(seconds)
    if (typeof answer === 'string') throw new Refusal(409, refusals[answer])
    log.warn({ call: call.id, capture: answer.id, seconds }, 'a call is captured by request of the operator')
    return reply.code(202).send(answer)
  })

  const list = {
    summary: 'What was captured within a day',
    response: { 200: z.object({ captures: z.array(captured) }) },
  }
  app.get('/v1/captures', { config, schema: list }, async () => {
    const found = await listCaptures(captures)
    return { captures: found.map(({ beganAtMs, ...each }) => ({ ...each, beganAt: isoTime(beganAtMs) })) }
  })

  const file = { summary: 'A file of a capture', params: part }
  const options = { config, handlerTimeout: limits.http.soundMs, schema: file }
  app.get('/v1/captures/:id/:file', options, async (request, reply) => {
    const { id, file } = request.params
    const opened = await openCaptured(captures, id, file)
    if (!opened) throw new Refusal(404, none)
    reply.type(file === 'sent' ? types.received : types[file])
    reply.header('content-disposition', `attachment; filename="${captureFiles[file]}"`)
    return reply.send(opened.createReadStream())
  })

  const remove = { summary: 'Removes a capture before its day is over', params: one, response: { 200: one } }
  app.delete('/v1/captures/:id', { config, schema: remove }, async request => {
    if (!(await removeCapture(captures, request.params.id))) throw new Refusal(404, none)
    return request.params
  })
}
