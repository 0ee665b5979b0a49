import { isIP } from 'node:net'
import type { Reader } from './setting-reader.ts'

/** What stands between Twilio and Parley: the account, where its webhooks come to, and what is believed of them. */
export function twilioSettings(read: Reader) {
  const authToken = read.secret('TWILIO_AUTH_TOKEN')
  const webhooks = read.choice('TWILIO_WEBHOOKS', ['signed', 'unsigned'] as const, 'signed')
  const legToken = read.choice('TWILIO_LEG_TOKEN', ['optional', 'required'] as const, 'optional')
  if (legToken === 'required' && authToken === undefined) {
    read.problem('TWILIO_LEG_TOKEN=required needs TWILIO_AUTH_TOKEN, which the tokens are made with.')
  }
  return {
    accountSid: read.optional('TWILIO_ACCOUNT_SID'),
    authToken,
    apiKey: read.optional('TWILIO_API_KEY'),
    apiSecret: read.secret('TWILIO_API_SECRET'),
    phoneNumber: read.e164('TWILIO_PHONE_NUMBER'),
    whatsappNumber: read.e164('TWILIO_WHATSAPP_NUMBER'),
    baseUrl: read.url('TWILIO_BASE_URL', ['http:', 'https:'], 'https://api.twilio.com'),
    publicBaseUrl: publicBaseUrl(read),
    sipDomain: hostName(read, 'SIP_DOMAIN') ?? read.optional('EXTERNAL_ADDRESS'),
    trustedProxies: read.networks('TRUSTED_PROXIES', ['127.0.0.1/32']),
    webhooks,
    legToken,
    callsOut: read.integer('OUTBOUND_CALLS', 5, 0, 100),
  }
}

type TwilioSettings = ReturnType<typeof twilioSettings>

/** What mail to owners is sent by. */
export function smtpSettings(read: Reader) {
  const url = read.secretUrl('SMTP_URL', ['smtp:', 'smtps:'], 'smtps://user:password@mail.example.com:465')
  const from = read.optional('SMTP_FROM')
  if (from !== undefined && !/^[^\s@<>"]+@[^\s@<>"]+$/.test(from)) {
    read.problem(`SMTP_FROM must be an address of mail, such as parley@example.com; it is "${from}".`)
  }
  if ((url === undefined) !== (from === undefined))
    read.problem('SMTP_URL and SMTP_FROM must be set together, or neither.')
  return url === undefined || from === undefined ? undefined : { url, from }
}

/** As Twilio reaches it. What stands in the clear can be read and changed on the way, so it is for this machine alone. */
function publicBaseUrl(read: Reader): string | undefined {
  const text = read.optionalUrl('PUBLIC_BASE_URL', ['https:', 'http:'])
  if (text === undefined) return undefined
  const { protocol, hostname, search, hash, username } = new URL(text)
  const here = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
  if (protocol === 'http:' && !here) {
    read.problem(`PUBLIC_BASE_URL must begin with https://, except for this machine itself; it is "${text}".`)
  }
  if (search !== '' || hash !== '' || username !== '') {
    read.problem(
      'PUBLIC_BASE_URL must be an address alone, such as https://parley.example.com: no name, no ? and no #.',
    )
  }
  return text
}

function hostName(read: Reader, name: string): string | undefined {
  const text = read.optional(name)
  if (text === undefined) return undefined
  const named = /^(?=.{1,200}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i.test(text)
  if (named || isIP(text) === 4) return text
  read.problem(`${name} must be the name or the IPv4 address of a host, such as sip.example.com; it is "${text}".`)
  return undefined
}

/** Messages go out by the account's keys, and what became of them is told at our own address. */
export function canSendTexts({ accountSid, authToken, apiKey, apiSecret, publicBaseUrl }: TwilioSettings): boolean {
  const keys = authToken !== undefined || (apiKey !== undefined && apiSecret !== undefined)
  return accountSid !== undefined && keys && publicBaseUrl !== undefined
}

/** What is missing, in words, for each way to tell the people of a business something. */
export const missingForNotices = {
  text: 'TWILIO_ACCOUNT_SID with its keys, or PUBLIC_BASE_URL, is not set',
  mail: 'SMTP_URL and SMTP_FROM are not set',
} as const
