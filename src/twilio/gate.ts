import type { FastifyInstance, FastifyRequest } from 'fastify'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { type Fields, isSigned, type SignedRequest } from './signature.ts'
import { twimlOf } from './twiml.ts'
import type { Values, Webhook, WebhookAnswer, WebhookRequest } from './webhook.ts'

export interface GateSettings {
  /** Without it nobody can be known, and nobody is let in. */
  readonly authToken: string | undefined
  /** What Twilio asks is signed for this address, whatever a proxy has made of it. */
  readonly publicBaseUrl: string | undefined
  /** For development alone: whoever asks is believed. */
  readonly unsigned: boolean
}

type Body = SignedRequest['body']

const nobody: Body = { kind: 'none' }
const excuse = {
  kind: 'say',
  text: 'We are sorry, there is a technical problem. Please call again later.',
  voice: 'Polly.Joanna',
} as const
const FORM = 'application/x-www-form-urlencoded'

/** Lets in what Twilio has sent, and nothing else: every webhook stands behind it. */
export function twilioGate(settings: GateSettings, webhooks: readonly Webhook[], log: Log) {
  return (app: FastifyInstance): void => {
    void app.register(async edge => {
      edge.removeAllContentTypeParsers()
      edge.addContentTypeParser(FORM, { parseAs: 'string' }, async (_: FastifyRequest, text: string) => formIn(text))
      edge.addContentTypeParser('application/json', { parseAs: 'string' }, async (_: FastifyRequest, text: string) => ({
        kind: 'json',
        text,
      }))
      edge.addHook('onRequest', async (_, reply) => {
        const missing = missingOf(settings)
        if (missing === undefined) return
        return refuse(reply, 503, `Webhooks need ${missing}: this Parley has none.`)
      })
      edge.addHook('preHandler', async (request, reply) => {
        if (!settings.unsigned && !isSigned(settings.authToken ?? '', signedOf(request, settings.publicBaseUrl ?? '')))
          return refuse(reply, 403, 'Twilio has not signed this, or not for this address.')
      })
      for (const webhook of webhooks) {
        const { path, methods, summary } = webhook
        const schema = { summary }
        edge.route({
          ...{ method: [...methods], url: path, config: { access: 'public' }, schema },
          async handler(request, reply) {
            const answer = await answerOf(webhook, request, log)
            if (answer.kind === 'refused') return refuse(reply, answer.status, answer.why)
            if (answer.kind === 'taken') return reply.code(204).serializer(String).send('')
            return reply.type('text/xml').serializer(String).send(answer.xml)
          },
        })
      }
    })
  }
}

type Reply = Parameters<Parameters<FastifyInstance['setErrorHandler']>[0]>[2]

function refuse(reply: Reply, status: number, why: string) {
  return reply.code(status).type('text/plain').serializer(String).send(`${why}\n`)
}

function missingOf({ authToken, publicBaseUrl, unsigned }: GateSettings): string | undefined {
  if (unsigned) return undefined
  if (authToken === undefined) return 'TWILIO_AUTH_TOKEN'
  return publicBaseUrl === undefined ? 'PUBLIC_BASE_URL' : undefined
}

function signedOf(request: FastifyRequest, publicBaseUrl: string): SignedRequest {
  const signature = request.headers['x-twilio-signature']
  return {
    url: `${publicBaseUrl}${request.raw.url}`,
    signature: typeof signature === 'string' ? signature : undefined,
    body: (request.body as Body | undefined) ?? nobody,
  }
}

async function answerOf(webhook: Webhook, request: FastifyRequest, log: Log): Promise<WebhookAnswer> {
  try {
    return await webhook.answer(requestOf(request))
  } catch (err) {
    log.error({ err, path: webhook.path }, 'a webhook could not be answered')
    if (webhook.wants === 'receipt') throw err
    return { kind: 'twiml', xml: twimlOf(excuse) }
  }
}

function requestOf({ raw, body }: FastifyRequest): WebhookRequest {
  const at = raw.url?.indexOf('?') ?? -1
  const query = firstOf(formIn(at < 0 ? '' : raw.url!.slice(at + 1)).fields)
  const sent = (body as Body | undefined) ?? nobody
  if (sent.kind === 'form') return { query, fields: firstOf(sent.fields) }
  return { query, fields: sent.kind === 'json' ? jsonIn(sent.text) : query }
}

function formIn(text: string): Extract<Body, { kind: 'form' }> {
  const fields: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of new URLSearchParams(text)) {
    const before = fields[name]
    fields[name] = before === undefined ? value : [...[before].flat(), value]
  }
  return { kind: 'form', fields }
}

function firstOf(fields: Fields): Values {
  const values: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(fields).slice(0, limits.twilio.fields)) {
    values[name] = String([value].flat()[0]).slice(0, limits.twilio.fieldChars)
  }
  return values
}

/** Texts alone are looked at. */
function jsonIn(text: string): Values {
  try {
    const pairs = Object.entries(Object(JSON.parse(text))).filter(([, value]) => typeof value !== 'object')
    return firstOf(Object.assign(Object.create(null), Object.fromEntries(pairs.map(([name, v]) => [name, String(v)]))))
  } catch {
    return Object.create(null)
  }
}
