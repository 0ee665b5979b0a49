import type { LocalListInstanceOptions } from 'twilio/lib/rest/api/v2010/account/availablePhoneNumberCountry/local.js'
import type { CallContextUpdateOptions, CallListInstanceCreateOptions } from 'twilio/lib/rest/api/v2010/account/call.js'
import type {
  IncomingPhoneNumberContextUpdateOptions,
  IncomingPhoneNumberListInstanceCreateOptions,
  IncomingPhoneNumberListInstanceOptions,
} from 'twilio/lib/rest/api/v2010/account/incomingPhoneNumber.js'
import type {
  MessageContextUpdateOptions,
  MessageListInstanceCreateOptions,
  MessageListInstanceOptions,
} from 'twilio/lib/rest/api/v2010/account/message.js'

/**
 * The endpoints of Twilio's API (v2010) that Parley uses, and what each takes of a request: named as in Twilio's published
 * description (twilio/twilio-oai, commit d50069b, MIT), and typed by its own SDK, so that a name that it does not know does
 * not compile. What is not used is not here: the server refuses it.
 */

type Form = keyof typeof forms

/** A value, as it is written in a form or a query. */
const forms = {
  text: /^[\s\S]*$/,
  url: /^https?:\/\/[^\s]+$/,
  method: /^(GET|POST)$/,
  boolean: /^(true|false)$/,
  integer: /^\d{1,9}$/,
  number: /^(whatsapp:)?\+[1-9]\d{6,14}$/,
  /** What is dialled: a number, or a SIP address. */
  endpoint: /^(\+[1-9]\d{6,14}|sips?:[^\s]{1,250})$/,
  pattern: /^[\d*%+A-Za-z]{1,20}$/,
  time: /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$/,
  twiml: /^\s*(<\?xml[^>]*\?>)?\s*<Response[\s/>][\s\S]*$/,
  callEvent: /^(initiated|ringing|answered|completed)$/,
  endCall: /^(canceled|completed)$/,
  detection: /^(Enable|DetectMessageEnd)$/,
  contentSid: /^HX[0-9a-fA-F]{32}$/,
  serviceSid: /^MG[0-9a-fA-F]{32}$/,
  bundleSid: /^BU[0-9a-fA-F]{32}$/,
  addressSid: /^AD[0-9a-fA-F]{32}$/,
  json: /^\{[\s\S]*\}$/,
} as const

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Below `/2010-04-01/Accounts/{AccountSid}`. */
  readonly path: string
  /** Of the query of a GET, of the form of a POST. */
  readonly takes: Readonly<Partial<Record<string, Form>>>
  readonly needs?: readonly string[]
  /** One of these, and no more. */
  readonly oneOf?: readonly string[]
  /** Names that may come several times. */
  readonly several?: readonly string[]
}

type Wire<Options> = {
  [Name in keyof Options & string as Name extends `${infer Base}After`
    ? `${Capitalize<Base>}>` | Capitalize<Name>
    : Capitalize<Name>]?: Form
}

const webhooks = {
  VoiceUrl: 'url',
  VoiceMethod: 'method',
  VoiceFallbackUrl: 'url',
  VoiceFallbackMethod: 'method',
  StatusCallback: 'url',
  StatusCallbackMethod: 'method',
  SmsUrl: 'url',
  SmsMethod: 'method',
  SmsFallbackUrl: 'url',
  SmsFallbackMethod: 'method',
  FriendlyName: 'text',
  BundleSid: 'bundleSid',
  AddressSid: 'addressSid',
} as const satisfies Wire<IncomingPhoneNumberContextUpdateOptions>

const bought = {
  ...webhooks,
  PhoneNumber: 'number',
  AreaCode: 'integer',
} as const satisfies Wire<IncomingPhoneNumberListInstanceCreateOptions>

const page = { PageSize: 'integer', Page: 'integer', PageToken: 'text' } as const

const search = {
  AreaCode: 'integer',
  Contains: 'pattern',
  SmsEnabled: 'boolean',
  VoiceEnabled: 'boolean',
  InRegion: 'text',
  InLocality: 'text',
} as const satisfies Wire<LocalListInstanceOptions>

const calling = {
  To: 'endpoint',
  From: 'number',
  Url: 'url',
  Twiml: 'twiml',
  Method: 'method',
  FallbackUrl: 'url',
  FallbackMethod: 'method',
  StatusCallback: 'url',
  StatusCallbackMethod: 'method',
  StatusCallbackEvent: 'callEvent',
  Timeout: 'integer',
  TimeLimit: 'integer',
  MachineDetection: 'detection',
  MachineDetectionTimeout: 'integer',
  AsyncAmd: 'boolean',
  AsyncAmdStatusCallback: 'url',
  AsyncAmdStatusCallbackMethod: 'method',
} as const satisfies Wire<CallListInstanceCreateOptions>

const redirecting = {
  Url: 'url',
  Method: 'method',
  Twiml: 'twiml',
  Status: 'endCall',
  FallbackUrl: 'url',
  FallbackMethod: 'method',
  StatusCallback: 'url',
  StatusCallbackMethod: 'method',
} as const satisfies Wire<CallContextUpdateOptions>

const writing = {
  To: 'number',
  From: 'number',
  MessagingServiceSid: 'serviceSid',
  Body: 'text',
  MediaUrl: 'url',
  ContentSid: 'contentSid',
  ContentVariables: 'json',
  StatusCallback: 'url',
  ValidityPeriod: 'integer',
} as const satisfies Wire<MessageListInstanceCreateOptions>

const written = { To: 'number', From: 'number', 'DateSent>': 'time' } as const satisfies Wire<
  MessageListInstanceOptions & { dateSentAfter?: Date }
>
const owned = {
  PhoneNumber: 'text',
  FriendlyName: 'text',
} as const satisfies Wire<IncomingPhoneNumberListInstanceOptions>

export const endpoints: readonly Endpoint[] = [
  { method: 'GET', path: '', takes: {} },
  ...(['Local', 'Mobile', 'TollFree'] as const).map(kind => ({
    ...{ method: 'GET' as const, path: `/AvailablePhoneNumbers/{CountryCode}/${kind}` },
    takes: { ...search, ...page },
  })),
  { method: 'GET', path: '/IncomingPhoneNumbers', takes: { ...owned, ...page } },
  { method: 'POST', path: '/IncomingPhoneNumbers', takes: bought, oneOf: ['PhoneNumber', 'AreaCode'] },
  { method: 'GET', path: '/IncomingPhoneNumbers/{Sid}', takes: {} },
  { method: 'POST', path: '/IncomingPhoneNumbers/{Sid}', takes: webhooks },
  { method: 'DELETE', path: '/IncomingPhoneNumbers/{Sid}', takes: {} },
  {
    ...{ method: 'POST', path: '/Calls', takes: calling, needs: ['To', 'From'] },
    ...{ oneOf: ['Url', 'Twiml'], several: ['StatusCallbackEvent'] },
  },
  { method: 'GET', path: '/Calls/{Sid}', takes: {} },
  { method: 'POST', path: '/Calls/{Sid}', takes: redirecting, oneOf: ['Url', 'Twiml', 'Status'] },
  { method: 'GET', path: '/Messages', takes: { ...written, ...page } },
  {
    ...{ method: 'POST', path: '/Messages', takes: writing, needs: ['To'] },
    ...{ oneOf: ['From', 'MessagingServiceSid'], several: ['MediaUrl'] },
  },
  { method: 'GET', path: '/Messages/{Sid}', takes: {} },
  { method: 'POST', path: '/Messages/{Sid}', takes: { Body: 'text' } satisfies Wire<MessageContextUpdateOptions> },
  { method: 'GET', path: '/Recordings/{Sid}', takes: {} },
  { method: 'DELETE', path: '/Recordings/{Sid}', takes: {} },
]

/** What is wrong with a request's parameters: Twilio itself passes over what it does not know. */
export function problemsOf(endpoint: Endpoint, parameters: URLSearchParams): string[] {
  const { takes, needs = [], oneOf = [], several = [] } = endpoint
  const names = [...new Set(parameters.keys())]
  const given = oneOf.filter(name => parameters.has(name))
  return [
    ...needs.filter(name => !parameters.has(name)).map(name => `${name} is missing`),
    ...(oneOf.length > 0 && given.length !== 1 ? [`one of ${oneOf.join(', ')} is needed`] : []),
    ...names.flatMap(name => {
      const form = takes[name]
      if (form === undefined) return [`${name} is unknown here`]
      const values = parameters.getAll(name)
      if (values.length > 1 && !several.includes(name)) return [`${name} comes ${values.length} times`]
      return values.every(value => forms[form].test(value)) ? [] : [`${name} is no ${form}`]
    }),
  ]
}
