import { GatewayError } from '../errors.ts'

/** What was asked of Twilio has not come to a good end. */
export class CarrierError extends GatewayError {
  /** It may have been done all the same: never asked again without a look. */
  readonly unsure: boolean
  /** Twilio's own number of it, https://www.twilio.com/docs/api/errors */
  readonly number: number | undefined

  constructor(
    code: 'CARRIER_REFUSED' | 'CARRIER_AWAY',
    message: string,
    { unsure = false, number, cause }: { unsure?: boolean; number?: number | undefined; cause?: unknown } = {},
  ) {
    super(code, message, { cause, retryable: code === 'CARRIER_AWAY' && !unsure })
    this.unsure = unsure
    this.number = number
  }
}

/** What each means here, and what to do. */
const meanings: Readonly<Record<number, string>> = {
  20003:
    'It does not accept the keys. Check TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN, or TWILIO_API_KEY with TWILIO_API_SECRET.',
  20005: "The account is not active. Look at its state in Twilio's console.",
  20008: 'These are test keys, which it does not take for this. Use those of the account itself.',
  20404: 'It has no such thing (any more).',
  20429: 'Too much is asked of it at once. Wait a little.',
  21210: 'The number that calls is none of this account. Use one of its own, or verify that one.',
  21211: 'It takes the number that is to be called for none.',
  21212: 'It takes the number that calls for none.',
  21214: 'The number that is to be called cannot be reached.',
  21215: "The account may not call that country. Allow it in Twilio's console under Voice, Geo permissions.",
  21216: 'The account may not call that number.',
  21219: 'A trial account calls verified numbers only. Verify that one, or upgrade the account.',
  21220: 'The call is over, or not answered yet.',
  21404: 'A trial account has one number only. Upgrade it, or release the other.',
  21408: "The account may not write to that country. Allow it in Twilio's console under Messaging, Geo permissions.",
  21421: 'It takes the number for none.',
  21422: 'The number is not to be had any more. Search again.',
  21452: 'There is no number of that kind. Search for another area.',
  21602: 'The message is empty.',
  21604: 'The number that is written to is missing.',
  21606: 'The number that writes is none of this account, or cannot send messages.',
  21608: 'A trial account writes to verified numbers only. Verify that one, or upgrade the account.',
  21610: 'Who is written to has asked for no more messages.',
  21611: 'Too many messages of that number wait already.',
  21612: 'There is no way for a message from that number to that one.',
  21614: 'The number that is written to cannot get messages.',
  21617: 'The message is too long.',
  21631: "The number needs an address of the business. Make one in Twilio's console and name its AD... sid.",
  21649: "The number needs a regulatory bundle. Make one in Twilio's console and name its BU... sid.",
  21650: 'The regulatory bundle does not fit the number, or is not approved yet.',
  21651: 'The address does not fit the number.',
  30006: 'The number that is written to cannot get messages.',
  63007: 'The account has no WhatsApp sender of that number.',
  63016: 'The customer has not written for a day: only an approved template reaches them.',
  63018: 'Too many messages go to WhatsApp at once. Wait a little.',
}

/** Before anything of a request can have reached Twilio. */
const unsent = [
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN', 'EPROTO'],
  ...['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN'],
  ...['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID'],
]

const page = (number: number) => `https://www.twilio.com/docs/api/errors/${number}`

/** Of whatever its client has thrown. */
export function carrierErrorOf(thrown: unknown, what: string): CarrierError {
  if (thrown instanceof CarrierError) return thrown
  const { status, code, message } = Object(thrown) as { status?: unknown; code?: unknown; message?: unknown }
  if (typeof status === 'number') return answered(what, status, code, message)
  const why = typeof code === 'string' ? code : 'its answer cannot be read'
  const unsure = !unsent.includes(why)
  return new CarrierError('CARRIER_AWAY', `Twilio could not be reached for ${what} (${why}).`, {
    unsure,
    cause: thrown,
  })
}

function answered(what: string, status: number, code: unknown, message: unknown): CarrierError {
  const number = typeof code === 'number' ? code : undefined
  const told = number === undefined ? `HTTP ${status}` : `${number}, ${page(number)}`
  if (status === 429)
    return new CarrierError('CARRIER_AWAY', `Twilio is asked too much at once for ${what} (${told}).`, { number })
  if (status >= 500 || status < 400 || status === 408)
    return new CarrierError('CARRIER_AWAY', `Twilio failed at ${what} (${told}).`, { number, unsure: true })
  const meaning = (number === undefined ? undefined : meanings[number]) ?? plain(message)
  return new CarrierError('CARRIER_REFUSED', `Twilio refuses ${what}: ${meaning} (${told})`, { number })
}

/** Its own words repeat what it was sent: a number of somebody, or what was written to them. */
function plain(message: unknown): string {
  if (typeof message !== 'string') return 'It does not say why.'
  return message.replace(/"[^"]*"|'[^']*'|\+?\d[\d ()-]{4,}\d/g, '...').slice(0, 200)
}
