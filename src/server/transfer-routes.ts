import { z } from 'zod'
import type { TransferWish } from '../call/ports.ts'
import { limits } from '../limits.ts'
import { scopeOf } from './access.ts'
import type { Calls } from './calls.ts'
import type { ObservedCall, ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { accepted, callParameters, storableText } from './schemas.ts'
import type { TypedServer } from './typed.ts'

const wish = z.strictObject({
  destination: storableText(limits.http.paramChars).describe("The name of one of the business's destinations."),
  mode: z
    .enum(['blind', 'attended'])
    .optional()
    .describe('attended: whoever answers hears first who calls, and may decline. Left out: as the destination has it.'),
  reason: storableText(limits.transfer.reasonChars).optional().describe('Told to whoever answers.'),
})

const busy = 'The agent of this call has not begun, or has promised its caller something else: try again.'

/** Operators move callers; the agent's part in it stays the agent's: it says so, and it has the caller back. */
export function transferRoutes(app: TypedServer, calls: Calls, { log }: Pick<ServerDependencies, 'log'>): void {
  const config = { access: 'business' } as const
  const ask = (call: ObservedCall, asked: TransferWish | 'back') => {
    const back = asked === 'back'
    // Whoever is on the way back already need not be asked for again.
    if (!call.askTransfer(asked) && !(back && call.state === 'transferring'))
      throw new Refusal(409, back ? 'No transfer of this call is announced or under way.' : busy)
    log.info({ call: call.id }, back ? 'a caller is brought back by request' : 'a call is transferred by request')
    return { id: call.view.record, state: call.state }
  }

  const transfer = {
    summary: 'Connects the caller of a live call with a destination of its business',
    params: callParameters,
    body: wish,
    response: { 202: accepted },
  }
  app.post('/v1/calls/:id/transfer', { config, schema: transfer }, async (request, reply) => {
    const call = calls.mustBeHere(scopeOf(request), request.params.id)
    const { destination, mode, reason } = request.body
    const { destinations } = call
    if (!destinations.includes(destination)) {
      const known = destinations.length > 0 ? `There are: ${destinations.join(', ')}.` : 'It has none.'
      throw new Refusal(400, `The business has no destination of that name. ${known}`, { destinations })
    }
    if (call.state === 'transferring')
      throw new Refusal(409, 'A transfer is under way: wait, or bring the caller back.')
    if (call.state === 'connected') throw new Refusal(409, 'The caller is connected with somebody else already.')
    mustBeAnswered(call)
    const wanted = {
      destination,
      by: 'operator',
      ...(mode && { mode }),
      ...(reason !== undefined && { reason }),
    } as const
    return reply.code(202).send(ask(call, wanted))
  })

  const back = {
    summary: 'Brings the caller of a transfer back who is not connected yet',
    params: callParameters,
    response: { 202: accepted },
  }
  app.delete('/v1/calls/:id/transfer', { config, schema: back }, async (request, reply) => {
    const call = calls.mustBeHere(scopeOf(request), request.params.id)
    if (call.state === 'connected')
      throw new Refusal(409, 'The caller is connected: only who they talk with can do that.')
    mustBeAnswered(call)
    return reply.code(202).send(ask(call, 'back'))
  })
}

function mustBeAnswered({ state }: ObservedCall): void {
  if (state !== 'live' && state !== 'transferring') throw new Refusal(409, `The call is not live: it is ${state}.`)
}
