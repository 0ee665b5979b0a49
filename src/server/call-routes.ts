import type { LineFigures } from '../call/ports.ts'
import { within } from '../clock.ts'
import { limits } from '../limits.ts'
import { detailOf, summaryOf } from './call-view.ts'
import type { ObservedCall, ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { accepted, callDetail, callList, callParameters, channelList, listQuery, privacyQuery } from './schemas.ts'
import type { TypedServer } from './typed.ts'

/** The operator's API. */
export function callRoutes(app: TypedServer, dependencies: ServerDependencies): void {
  const { exchange, telephony, clock, log } = dependencies
  const late = () => new Error('the media thread did not tell its figures in time')
  // A call without figures is worth telling; one that waits for them for ever is not.
  const figuresOf = (call: ObservedCall): Promise<LineFigures | undefined> =>
    within(clock, limits.http.figuresMs, call.figures(), late).catch(() => undefined)
  const find = (id: string): ObservedCall => {
    const call = exchange.find(id)
    if (!call) throw new Refusal(404, 'There is no such call, or it ended too long ago.')
    return call
  }

  const list = { querystring: listQuery, response: { 200: callList } }
  app.get('/v1/calls', { schema: list }, async ({ query }) => {
    const { live, ended } = exchange
    const asked = [...(query.state === 'ended' ? [] : live), ...(query.state === 'live' ? [] : ended)]
    const summaries = asked
      .slice(0, query.limit)
      .map(async call => summaryOf(call, await figuresOf(call), query.private === 'true'))
    return { calls: await Promise.all(summaries), totals: { live: live.length, ended: ended.length } }
  })

  const one = { params: callParameters, querystring: privacyQuery, response: { 200: callDetail } }
  app.get('/v1/calls/:id', { schema: one }, async ({ params, query }) => {
    const call = find(params.id)
    return detailOf(call, await figuresOf(call), query.private === 'true')
  })

  const hangup = { params: callParameters, response: { 202: accepted } }
  app.post('/v1/calls/:id/hangup', { schema: hangup }, async ({ params }, reply) => {
    const call = find(params.id)
    if (call.state === 'ended') throw new Refusal(409, 'The call has ended already.')
    log.info({ call: call.id }, 'an operator hangs up a call')
    call.hangUp('operator')
    return reply.code(202).send({ id: call.id, state: call.state })
  })

  app.get('/v1/channels', { schema: { response: { 200: channelList } } }, async () => {
    const { channels, bridges } = await telephony.inspect()
    return {
      channels: channels.map(each => ({ ...each, call: each.call ?? 'orphan' })),
      bridges: bridges.map(each => ({ ...each, channels: [...each.channels], call: each.call ?? 'orphan' })),
    }
  })
}
