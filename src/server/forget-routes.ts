import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { tellsWhoCalls } from '../call/caller-number.ts'
import { forgettingOf } from '../desk/wanted.ts'
import { askForgetting, elsewhereOf, knowsCaller } from '../store/forgetting.ts'
import { scopeOf } from './access.ts'
import type { ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { business, storableText } from './schemas.ts'
import type { TypedServer } from './typed.ts'

const forgetting = z.strictObject({
  business,
  number: storableText(16)
    .refine(tellsWhoCalls, 'is not one by which a caller is known: write it as the records do, such as +15550100177')
    .describe('As it stands in the records, such as +15550100177.'),
})

const forgotten = z.object({
  id: z.string().describe('Of callerForgotten, which tells the counts when it is done; subject.forgetting of its job.'),
  business: z.string(),
  elsewhere: z
    .object({
      hooks: z.array(z.string()).describe('Integrators who have been told of their calls.'),
      notices: z.array(z.enum(['text', 'mail', 'webhook'])).describe('The ways by which the house was told.'),
      carrier: z.boolean().describe('The carrier keeps its own account of calls, messages and recordings.'),
      provider: z.boolean().describe('Words or sound were sent to a provider of models.'),
    })
    .describe('What has gone to others is not taken back: it is to be asked of them.'),
})

const unknown =
  'Nothing is kept of that number. In another spelling something may be: GET /v1/calls?private=true tells how their calls came.'

/** All that is kept here of somebody goes: they have the right to ask for that. */
export function forgetRoutes(
  app: TypedServer,
  {
    store,
    directory,
    want,
    clock,
    log,
    ...parts
  }: Pick<ServerDependencies, 'store' | 'directory' | 'onTheTelephone' | 'want' | 'clock' | 'log'>,
): void {
  const schema = {
    summary: 'Forgets a caller: sounds, words, messages and their number; do-not-call and STOP stay',
    body: forgetting,
    response: { 202: forgotten },
  }
  app.post('/v1/callers/forget', { config: { access: 'business' }, schema }, async (request, reply) => {
    const caller = request.body
    const scope = scopeOf(request)
    const isSeen = scope === 'all' || scope.business === caller.business
    if (!isSeen || !directory.upToDate().find(caller.business)) throw new Refusal(404, 'There is no such business.')
    if (await parts.onTheTelephone(caller))
      throw new Refusal(409, 'They are on the telephone: ask again when the call is over.')
    // In another spelling they would be told to be forgotten, and would not be.
    if (!(await store.ask(db => knowsCaller(db, scope, caller)))) throw new Refusal(404, unknown)
    const elsewhere = await store.ask(db => elsewhereOf(db, scope, caller))
    const id = randomUUID()
    await store.ask(db => askForgetting(db, scope, { ...caller, id, at: new Date(clock.wallMs()) }))
    await want(forgettingOf(id, caller.business))
    log.info({ business: caller.business, forgetting: id }, 'a caller is to be forgotten')
    return reply.code(202).send({ id, business: caller.business, elsewhere })
  })
}
