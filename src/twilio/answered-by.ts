import type { Business } from '../business.ts'
import type { AnsweredBy } from '../call/carrier-events.ts'
import type { TwilioRest } from './rest.ts'
import { twimlOf } from './twiml.ts'
import { repeatedBy } from './values.ts'
import { type House, taken, type Webhook } from './webhook.ts'

interface AnsweredByDependencies extends House {
  readonly rest: Pick<TwilioRest, 'goOn'>
}

/**
 * Of a call that Parley makes, while the callee and the agent talk already: a person never waits for it. A machine gets the
 * business's message at its tone, or is hung up.
 */
export function answeredByWebhook({ businesses, tell, kept, clock, log, rest }: AnsweredByDependencies): Webhook {
  return {
    path: '/v1/twilio/answered-by',
    methods: ['POST'],
    summary: 'Twilio: whether a person or a machine has answered',
    wants: 'receipt',
    repeats: ({ fields }) => repeatedBy(fields['CallSid'], fields['AnsweredBy']),
    async answer({ query, fields }) {
      const sid = fields['CallSid'] ?? ''
      const answeredBy = answererIn(fields['AnsweredBy'])
      const business = businesses().find(query['business'] ?? '')
      const call = query['record'] ?? ''
      if (!/^CA[0-9a-f]{32}$/i.test(sid) || answeredBy === undefined || call === '' || !business)
        return { kind: 'refused', status: 400, why: 'CallSid, AnsweredBy, record or business is none.' }
      tell({ call, business: business.id, atMs: clock.wallMs(), fact: { name: 'answererTold', answeredBy } })
      await kept()
      const twiml = insteadOfAgent(answeredBy, business)
      // Twilio does not wait for what is asked of it.
      if (twiml !== undefined) void rest.goOn(sid, twiml).catch(err => log.warn({ call, code: err.code }, err.message))
      return taken
    },
  }
}

/** Nothing for a person, or whoever may be one: they have the agent. */
function insteadOfAgent(answeredBy: AnsweredBy, { outbound, telephone }: Business): string | undefined {
  const { voicemail: text } = outbound
  if (answeredBy === 'human' || answeredBy === 'unknown') return undefined
  if (answeredBy === 'machineEnded' && text !== undefined) return twimlOf({ kind: 'say', text, voice: telephone.voice })
  return twimlOf({ kind: 'hangUp' })
}

/** https://www.twilio.com/docs/voice/answering-machine-detection */
export function answererIn(text: string | undefined): AnsweredBy | undefined {
  if (text === undefined) return undefined
  if (text === 'human' || text === 'fax') return text
  if (text.startsWith('machine_end')) return 'machineEnded'
  return text.startsWith('machine') ? 'machine' : 'unknown'
}
