import type { Business } from '../business.ts'
import type { TextChannel, TextStatus } from '../call/carrier-events.ts'
import type { Standing } from '../store/texts.ts'
import { carriersKeyword, type Keyword, keywordIn } from './keywords.ts'
import { twimlOf } from './twiml.ts'
import { repeatedBy } from './values.ts'
import { type House, taken, type Values, type Webhook, type WebhookAnswer } from './webhook.ts'

/** What the webhooks of messages need beyond the house. */
export interface TextHouse extends House {
  /** How it stands with a customer; nothing while that cannot be known. */
  readonly standing: (thread: Thread) => Promise<Standing | undefined>
  /** Who has written to a customer last from a number that is nobody's own; nothing while that cannot be known. */
  readonly lastWriter: (wrote: Omit<Thread, 'business'> & { readonly ours: string }) => Promise<string | undefined>
  /** Whose WhatsApp number this is. */
  readonly withWhatsappNumber: (number: string) => Business | undefined
  /** A customer can be written to by a template only: what becomes of the message with this id. */
  readonly outsideSession: (text: string) => void
}

interface Thread {
  readonly business: string
  readonly channel: TextChannel
  readonly customer: string
}

/** A message as it came. */
interface Received {
  readonly id: string
  readonly channel: TextChannel
  readonly customer: string
  readonly ours: string
  readonly text: string
  readonly media: number
  readonly keyword: Keyword | undefined
  /** Twilio has answered the keyword itself. */
  readonly answered: boolean
}

export function textWebhooks(house: TextHouse): readonly Webhook[] {
  const receive = async ({ fields }: { fields: Values }) => received(house, fields)
  return [
    incoming('/v1/twilio/sms', 'Twilio: a text message for a business', receive),
    incoming('/v1/twilio/whatsapp', 'Twilio: a message by WhatsApp for a business', receive),
    {
      path: '/v1/twilio/message-status',
      methods: ['POST', 'GET'],
      summary: 'Twilio: what became of a message',
      wants: 'receipt',
      repeats: ({ fields }) => repeatedBy(fields['MessageSid'], fields['MessageStatus'], fields['ErrorCode'] ?? ''),
      answer: ({ query, fields }) => statusTold(house, query, fields),
    },
  ]
}

/** Nobody waits on the telephone: what fails is an error, and Twilio keeps the message. */
function incoming(path: Webhook['path'], summary: string, answer: Webhook['answer']): Webhook {
  const repeats: Webhook['repeats'] = ({ fields }) => repeatedBy(fields['MessageSid'])
  return { path, methods: ['POST', 'GET'], summary, wants: 'receipt', repeats, answer }
}

async function received(house: TextHouse, fields: Values): Promise<WebhookAnswer> {
  const { businesses, tell, kept, clock } = house
  const message = receivedIn(fields)
  if (!message) return { kind: 'refused', status: 400, why: 'MessageSid, From or To is none.' }
  const { id, channel, customer, ours, text, media, keyword } = message
  const business = businessOf(house, channel, ours) ?? (await sharing(house, message)) ?? businesses().standard
  const thread = { business: business.id, channel, customer }
  const standing = keyword === undefined || keyword === 'help' ? undefined : await house.standing(thread)
  const event = { call: id, business: business.id, atMs: clock.wallMs() }
  tell({ ...event, fact: { name: 'textReceived', channel, media, private: { customer, ours, text } } })
  const stopped = consentBy(keyword, standing)
  if (stopped !== undefined) tell({ ...event, fact: { name: 'consentTold', channel, stopped, private: { customer } } })
  await kept()
  const reply = replyTo(message, standing, business)
  return { kind: 'twiml', xml: twimlOf(reply === undefined ? { kind: 'nothing' } : { kind: 'reply', text: reply }) }
}

/** Of businesses without a number of their own the one that the customer answers. */
async function sharing({ businesses, lastWriter }: TextHouse, { channel, customer, ours }: Received) {
  const writer = await lastWriter({ channel, customer, ours })
  return writer === undefined ? undefined : businesses().find(writer)
}

function businessOf({ businesses, withWhatsappNumber }: TextHouse, channel: TextChannel, ours: string) {
  return (channel === 'whatsapp' ? withWhatsappNumber(ours) : undefined) ?? businesses().withNumber(ours)
}

const messageSid = /^(SM|MM)[0-9a-f]{32}$/i
/** A number, a short code, or a name. */
const correspondent = /^[^\s:]{1,100}$/

/** Nothing when it is no message. */
function receivedIn(fields: Values): Received | undefined {
  const id = fields['MessageSid'] ?? fields['SmsSid'] ?? ''
  const { channel, name: customer } = partyIn(fields['From'])
  const { name: ours } = partyIn(fields['To'])
  if (!messageSid.test(id) || !correspondent.test(customer) || !correspondent.test(ours)) return undefined
  const text = fields['Body'] ?? ''
  const count = fields['NumMedia'] ?? ''
  const understood = carriersKeyword(fields['OptOutType'])
  return {
    ...{ id, channel, customer, ours, text },
    media: /^[0-9]{1,3}$/.test(count) ? Number(count) : 0,
    keyword: understood ?? keywordIn(text),
    answered: understood !== undefined,
  }
}

/** WhatsApp's are written `whatsapp:+15550100177`. */
function partyIn(written = ''): { readonly channel: TextChannel; readonly name: string } {
  const [, prefix, name = ''] = /^(whatsapp:)?([\s\S]*)$/i.exec(written.trim()) ?? []
  return { channel: prefix === undefined ? 'sms' : 'whatsapp', name }
}

/** Whether they want no more, where they have told that. */
function consentBy(keyword: Keyword | undefined, standing: Standing | undefined): boolean | undefined {
  if (keyword === 'stop') return true
  if (keyword === 'start' || (keyword === 'yes' && standing?.stopped)) return false
  return undefined
}

/** Who has stopped hears it once. Where it cannot be known whether they had, it is said. */
function replyTo(
  { keyword, answered, channel, ours }: Pick<Received, 'keyword' | 'answered' | 'channel' | 'ours'>,
  standing: Standing | undefined,
  { name, texts: words }: Pick<Business, 'name' | 'texts'>,
): string | undefined {
  // A second answer to STOP would be refused (21610), and one to START or HELP would be one too many.
  const byCarrier = channel === 'sms' && words.keywords === 'carrier' && /^\+[0-9]{7,}$/.test(ours)
  if (answered || byCarrier) return undefined
  if (keyword === 'help') return words.help ?? `${name}. Write STOP to get no more messages.`
  if (keyword === 'stop') return standing?.stopped ? undefined : words.stopped
  if (keyword === 'start') return standing && !standing.stopped ? undefined : words.started
  return keyword === 'yes' && standing?.stopped ? words.started : undefined
}

/** https://www.twilio.com/docs/messaging/api/message-resource#message-status-values */
const statuses: Readonly<Record<string, TextStatus>> = {
  accepted: 'queued',
  scheduled: 'queued',
  queued: 'queued',
  sending: 'queued',
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  undelivered: 'undelivered',
  failed: 'failed',
  canceled: 'failed',
}

/** Outside the time in which WhatsApp takes a text: https://www.twilio.com/docs/api/errors/63016 */
const OUTSIDE_SESSION = 63_016

async function statusTold(house: TextHouse, query: Values, fields: Values): Promise<WebhookAnswer> {
  const { businesses, tell, kept, clock } = house
  const carrier = fields['MessageSid'] ?? fields['SmsSid'] ?? ''
  const word = fields['MessageStatus'] ?? fields['SmsStatus'] ?? ''
  if (!messageSid.test(carrier) || word === '')
    return { kind: 'refused', status: 400, why: 'MessageSid or MessageStatus is none.' }
  const status = Object.hasOwn(statuses, word) ? statuses[word] : undefined
  // Of a message that came, or a state of a later day.
  if (status === undefined) return taken
  const { channel, name: ours } = partyIn(fields['From'])
  const named = businesses().find(query['business'] ?? '') ?? businessOf(house, channel, ours)
  const own = /^[\w.-]{1,100}$/.test(query['text'] ?? '') ? query['text'] : undefined
  const code = /^[0-9]{1,9}$/.test(fields['ErrorCode'] ?? '') ? Number(fields['ErrorCode']) : undefined
  tell({
    call: own ?? carrier,
    business: (named ?? businesses().standard).id,
    atMs: clock.wallMs(),
    fact: { name: 'textTold', status, ...(code !== undefined && code !== 0 && { errorCode: code }) },
  })
  await kept()
  if (code === OUTSIDE_SESSION && own !== undefined) house.outsideSession(own)
  return taken
}
