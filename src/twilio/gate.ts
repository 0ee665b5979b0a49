import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Clock, systemClock } from '../clock.ts'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { Limiter } from './limiter.ts'
import type { TwilioPath } from './paths.ts'
import { Repetitions } from './repetitions.ts'
import { type Fields, isSigned, type SignedRequest } from './signature.ts'
import { sourceFinder } from './source.ts'
import { twimlOf } from './twiml.ts'
import type { Values, Webhook, WebhookAnswer, WebhookRequest } from './webhook.ts'

export interface GateSettings {
  /** Without it nobody can be known, and nobody is let in. */
  readonly authToken: string | undefined
  /** What Twilio asks is signed for this address, whatever a proxy has made of it. */
  readonly publicBaseUrl: string | undefined
  /** For development alone: whoever asks is believed. */
  readonly unsigned: boolean
  /** Whose requests these are; left out: whoever has the auth token. */
  readonly accountSid?: string | undefined
  /** Networks of those who pass requests on, and say for whom. */
  readonly trustedProxies?: readonly string[]
  /** Whose business something is that begins; left out: that is not bounded. */
  readonly businessOf?: (request: WebhookRequest) => string
}

type Body = SignedRequest['body']

const nobody: Body = { kind: 'none' }
const excuse = {
  kind: 'say',
  text: 'We are sorry, there is a technical problem. Please call again later.',
  voice: 'Polly.Joanna',
} as const
const busy = { kind: 'reject', reason: 'busy' } as const
const FORM = 'application/x-www-form-urlencoded'

/** By which somebody begins something: how often is bounded, for everything else is owed an answer. */
const beginnings: readonly TwilioPath[] = ['/v1/twilio/call', '/v1/twilio/sms', '/v1/twilio/whatsapp']

/** Lets in what Twilio has sent, and nothing else: every webhook stands behind it. */
export function twilioGate(settings: GateSettings, webhooks: readonly Webhook[], log: Log, clock = systemClock) {
  const bounds = boundsOf(settings, clock)
  const repetitions = new Repetitions()
  return (app: FastifyInstance): void => {
    void app.register(async edge => {
      edge.removeAllContentTypeParsers()
      edge.addContentTypeParser(FORM, { parseAs: 'string' }, async (_: FastifyRequest, text: string) => formIn(text))
      edge.addContentTypeParser('application/json', { parseAs: 'string' }, async (_: FastifyRequest, text: string) => ({
        kind: 'json',
        text,
      }))
      edge.addHook('onRequest', async (request, reply) => {
        const missing = missingOf(settings)
        if (missing !== undefined) return refuse(reply, 503, `Webhooks need ${missing}: this Parley has none.`)
        if (bounds.hasForged(request)) return refuse(reply, 429, 'Too much came from there that Twilio has not signed.')
      })
      edge.addHook('preHandler', async (request, reply) => {
        if (settings.unsigned) return
        if (!isSigned(settings.authToken ?? '', signedOf(request, settings.publicBaseUrl ?? ''))) {
          bounds.forged(request)
          return refuse(reply, 403, 'Twilio has not signed this, or not for this address.')
        }
        const { AccountSid: account = settings.accountSid } = requestOf(request).fields
        bounds.right(request)
        if (settings.accountSid !== undefined && account !== settings.accountSid)
          return refuse(reply, 403, 'This is of another account than TWILIO_ACCOUNT_SID.')
      })
      for (const webhook of webhooks) {
        const { path, methods, summary } = webhook
        const schema = { summary }
        edge.route({
          ...{ method: [...methods], url: path, config: { access: 'public' }, schema },
          async handler(request, reply) {
            const asked = requestOf(request)
            if (beginnings.includes(path) && bounds.isTooOften(asked)) {
              log.warn({ path }, 'a caller, or a business, has too many calls or messages in a minute')
              if (path !== '/v1/twilio/call') return refuse(reply, 429, 'Too many in a minute.')
              return reply.type('text/xml').serializer(String).send(twimlOf(busy))
            }
            const answer = await answerOf(webhook, asked, repeated(request.raw.url, webhook, asked), repetitions, log)
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

/** How often whom. */
function boundsOf({ trustedProxies = [], businessOf }: GateSettings, clock: Clock) {
  const { forged, perCaller, perBusiness } = limits.twilio
  const sources = new Limiter({ perMinute: forged.perMinute, most: forged.sources, clock })
  /** Twilio's addresses are those of all its customers, who can have it ask here, too: what they forge shuts out nobody else. */
  const rightBefore = new Set<string>()
  const callers = new Limiter({ perMinute: perCaller.perMinute, most: perCaller.callers, clock })
  const businesses = new Limiter({ perMinute: perBusiness.perMinute, most: perBusiness.businesses, clock })
  const find = sourceFinder(trustedProxies)
  const sourceOf = ({ raw, headers }: FastifyRequest) =>
    find(raw.socket.remoteAddress ?? '', [headers['x-forwarded-for']].flat().join(','))
  return {
    hasForged(request: FastifyRequest): boolean {
      const source = sourceOf(request)
      return source !== undefined && !rightBefore.has(source) && sources.isOver(source)
    },
    forged(request: FastifyRequest): void {
      const source = sourceOf(request)
      if (source !== undefined) sources.count(source)
    },
    right(request: FastifyRequest): void {
      const source = sourceOf(request)
      if (source === undefined || rightBefore.has(source)) return
      rightBefore.add(source)
      if (rightBefore.size > forged.sources) rightBefore.delete(rightBefore.values().next().value!)
    },
    isTooOften(asked: WebhookRequest): boolean {
      const { From: from = '', To: to = '', Direction: direction } = asked.fields
      const caller = direction?.startsWith('outbound') ? to : from
      // Those who withhold their number are not one caller.
      if (/^[a-z]*:?\+[0-9]{7,}$/.test(caller) && !callers.take(caller)) return true
      return businessOf !== undefined && !businesses.take(businessOf(asked))
    },
  }
}

/** In its whole address: what Parley has written there tells one way from another. */
function repeated(url: string | undefined, { repeats }: Webhook, asked: WebhookRequest): string | undefined {
  const key = repeats?.(asked)
  return key === undefined ? undefined : `${url} ${key}`
}

async function answerOf(
  webhook: Webhook,
  asked: WebhookRequest,
  key: string | undefined,
  repetitions: Repetitions,
  log: Log,
): Promise<WebhookAnswer> {
  try {
    return await repetitions.answer(key, () => webhook.answer(asked))
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

/** Nobody is known yet: of far more fields than Twilio sends the rest is not looked at, and no signature fits what is left. */
function formIn(text: string): Extract<Body, { kind: 'form' }> {
  const fields: Record<string, string | string[]> = Object.create(null)
  for (const [name, value] of new URLSearchParams(text.split('&', limits.twilio.fields).join('&'))) {
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
