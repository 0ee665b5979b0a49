import { Agent } from 'node:http'
import type RequestClient from 'twilio/lib/base/RequestClient.js'
import type { LocalListInstance } from 'twilio/lib/rest/api/v2010/account/availablePhoneNumberCountry/local.js'
import type { IncomingPhoneNumberInstance } from 'twilio/lib/rest/api/v2010/account/incomingPhoneNumber.js'
import type Twilio from 'twilio/lib/rest/Twilio.js'
import { type Clock, pause, within } from '../clock.ts'
import type { NumberSearch, OfferedNumber } from '../desk/carrier-numbers.ts'
import { limits } from '../limits.ts'
import { CarrierError, carrierErrorOf } from './errors.ts'

/** All that is asked of Twilio. Every rejection is a `CarrierError`. */
export interface TwilioRest {
  /** Of a call that is answered: it goes on with what this address says. */
  redirect(callSid: string, url: string, signal?: AbortSignal): Promise<void>
  /** Likewise, with this TwiML. */
  goOn(callSid: string, twiml: string): Promise<void>
  call(request: CallRequest): Promise<{ sid: string }>
  callNow(callSid: string): Promise<CallNow>
  text(request: TextRequest): Promise<{ sid: string; status: string }>
  /** The newest first. */
  textsTo(to: string, sinceMs: number): Promise<{ sid: string; body: string; status: string }[]>
  readonly numbers: {
    search(wanted: NumberSearch): Promise<OfferedNumber[]>
    buy(request: NumberPurchase): Promise<OwnedNumber>
    /** All of the account, or the one. */
    list(number?: string): Promise<OwnedNumber[]>
    update(sid: string, webhooks: NumberWebhooks): Promise<OwnedNumber>
    release(sid: string): Promise<void>
  }
  /** What is under way then is broken off. */
  close(): void
}

interface CallRequest {
  readonly to: string
  readonly from: string
  /** What the callee hears. */
  readonly url: string
  readonly statusCallback: string
  readonly ringSeconds: number
  /** Asked while the call goes on; `DetectMessageEnd` tells a machine when its tone has come. */
  readonly detect: 'Enable' | 'DetectMessageEnd'
  readonly amdCallback: string
}

/** A call as Twilio has it at this moment. */
export interface CallNow {
  /** As its callbacks name it. */
  readonly status: string
  readonly direction: string
  readonly from: string
  readonly to: string
  /** Known when it is over. */
  readonly seconds: number | undefined
  /** As Twilio writes it, such as -0.0085: no number of ours holds it exactly. Known a while after. */
  readonly price: string | undefined
  readonly unit: string
}

type TextRequest = { readonly to: string; readonly from: string; readonly statusCallback: string } & (
  | { readonly body: string }
  | { readonly template: string; readonly variables: Readonly<Record<string, string>> }
)

interface NumberPurchase {
  readonly number: string
  readonly webhooks: NumberWebhooks
  readonly name: string
  readonly addressSid?: string | undefined
  readonly bundleSid?: string | undefined
}

/** Where Twilio asks what is to become of what comes for a number. */
export interface NumberWebhooks {
  readonly voiceUrl: string
  readonly voiceMethod: string
  readonly voiceFallbackUrl: string
  readonly voiceFallbackMethod: string
  readonly statusCallback: string
  readonly statusCallbackMethod: string
  readonly smsUrl: string
  readonly smsMethod: string
}

export interface OwnedNumber {
  readonly sid: string
  readonly number: string
  readonly voice: boolean
  readonly sms: boolean
  readonly webhooks: NumberWebhooks
  /** Something else of Twilio's that has its calls, whatever the webhooks say. */
  readonly takenBy: 'trunk' | 'application' | undefined
}

/** Shown to nobody but Twilio. */
interface Hidden {
  reveal(): string
}

interface RestDependencies {
  readonly account: {
    readonly accountSid: string | undefined
    readonly authToken: Hidden | undefined
    readonly apiKey: string | undefined
    readonly apiSecret: Hidden | undefined
    readonly baseUrl: string
  }
  readonly clock: Clock
}

const itself = 'https://api.twilio.com/'

export function twilioRest({ account, clock }: RestDependencies): TwilioRest {
  const agent = new Agent({ keepAlive: true, maxSockets: limits.twilio.rest.atOnce })
  const closing = new AbortController()
  let opened: Promise<{ client: Twilio; http: RequestClient }> | undefined

  const ask = async <T>(what: string, request: (client: Twilio) => Promise<T>, signal?: AbortSignal): Promise<T> => {
    opened ??= open(account, agent)
    const { client } = await opened
    const stop = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal
    return asked(clock, what, () => request(client), stop)
  }

  return {
    async redirect(callSid, url, signal) {
      await ask('the redirect of a call', ({ calls }) => calls(callSid).update({ url, method: 'POST' }), signal)
    },
    async goOn(callSid, twiml) {
      await ask('the redirect of a call', ({ calls }) => calls(callSid).update({ twiml }))
    },
    async call({ to, from, url, statusCallback, ringSeconds, detect, amdCallback }) {
      const request = {
        ...{ to, from, url, method: 'POST', fallbackUrl: url, fallbackMethod: 'POST', timeout: ringSeconds },
        ...{ statusCallback, statusCallbackMethod: 'POST' },
        statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
        ...{ machineDetection: detect, asyncAmd: 'true' },
        ...{ asyncAmdStatusCallback: amdCallback, asyncAmdStatusCallbackMethod: 'POST' },
      }
      const { sid } = await ask('a call', ({ calls }) => calls.create(request))
      return { sid }
    },
    async callNow(callSid) {
      const call = await ask('the state of a call', ({ calls }) => calls(callSid).fetch())
      const { status, direction, from, to, price, priceUnit: unit, duration } = call
      return {
        ...{ status, direction, from: from ?? '', to: to ?? '', unit },
        seconds: duration === null ? undefined : Number(duration),
        price: price === null ? undefined : String(price),
      }
    },
    async text({ to, from, statusCallback, ...content }) {
      const written =
        'body' in content
          ? { body: content.body }
          : { contentSid: content.template, contentVariables: JSON.stringify(content.variables) }
      const { sid, status } = await ask('a message', ({ messages }) =>
        messages.create({ to, from, statusCallback, ...written }),
      )
      return { sid, status }
    },
    async textsTo(to, sinceMs) {
      const limit = limits.twilio.rest.textsListed
      const found = await ask('the list of messages', ({ messages }) =>
        messages.list({ to, dateSentAfter: new Date(sinceMs), limit }),
      )
      return found.map(({ sid, body, status }) => ({ sid, body, status }))
    },
    numbers: numbersOf(ask),
    close() {
      closing.abort()
      agent.destroy()
      // What is still being made then has no connection yet.
      void opened?.then(({ http }) => http.axios.defaults.httpsAgent?.destroy()).catch(() => {})
    },
  }
}

type Ask = <T>(what: string, request: (client: Twilio) => Promise<T>) => Promise<T>

function numbersOf(ask: Ask): TwilioRest['numbers'] {
  const { listed, found } = limits.twilio.numbers
  return {
    async search({ country, kind, areaCode, contains, sms }) {
      const wanted = {
        ...{ voiceEnabled: true, limit: found },
        ...(areaCode !== undefined && { areaCode }),
        ...(contains !== undefined && { contains }),
        ...(sms !== undefined && { smsEnabled: sms }),
      }
      // Every kind is asked for alike.
      const of = (client: Twilio) => client.availablePhoneNumbers(country)[kind] as LocalListInstance
      const offered = await ask('a search for numbers', client => of(client).list(wanted))
      return offered.map(({ phoneNumber, locality, region, capabilities, addressRequirements }) => ({
        number: phoneNumber,
        place: [locality, region].filter(Boolean).join(', '),
        voice: capabilities.voice,
        sms: smsOf(capabilities),
        needsAddress: addressRequirements !== 'none',
      }))
    },
    async buy({ number, webhooks, name, addressSid, bundleSid }) {
      const order = {
        ...{ phoneNumber: number, friendlyName: name, ...webhooks },
        ...(addressSid !== undefined && { addressSid }),
        ...(bundleSid !== undefined && { bundleSid }),
      }
      return ownedOf(await ask('a number', ({ incomingPhoneNumbers }) => incomingPhoneNumbers.create(order)))
    },
    async list(number) {
      const wanted = { limit: listed, ...(number !== undefined && { phoneNumber: number }) }
      const owned = await ask('the list of numbers', ({ incomingPhoneNumbers }) => incomingPhoneNumbers.list(wanted))
      // Twilio takes what it is asked for as a part of a number.
      return owned.map(ownedOf).filter(each => number === undefined || each.number === number)
    },
    async update(sid, webhooks) {
      const change = 'the change of a number'
      return ownedOf(await ask(change, ({ incomingPhoneNumbers }) => incomingPhoneNumbers(sid).update({ ...webhooks })))
    },
    async release(sid) {
      await ask('the release of a number', ({ incomingPhoneNumbers }) => incomingPhoneNumbers(sid).remove())
    },
  }
}

/** The package is loaded when it is first needed: 0.2 s, 33 MB. */
async function open({ accountSid, authToken, apiKey, apiSecret, baseUrl }: RestDependencies['account'], agent: Agent) {
  const [user, secret] = apiKey !== undefined && apiSecret ? [apiKey, apiSecret] : [accountSid, authToken]
  if (accountSid === undefined || user === undefined || secret === undefined) {
    const remedy = 'Set TWILIO_ACCOUNT_SID, and TWILIO_AUTH_TOKEN or TWILIO_API_KEY with TWILIO_API_SECRET.'
    throw new CarrierError('CARRIER_REFUSED', `There are no keys for Twilio. ${remedy}`)
  }
  const [{ default: Client }, { default: Http }] = await Promise.all([
    import('twilio/lib/rest/Twilio.js'),
    import('twilio/lib/base/RequestClient.js'),
  ])
  const { answerMs, answerBytes, atOnce } = limits.twilio.rest
  const http = new Http({ timeout: answerMs, maxSockets: atOnce })
  Object.assign(http.axios.defaults, { httpAgent: agent, maxContentLength: answerBytes })
  const request = http.request.bind(http)
  // The keys go there and nowhere else, whatever an answer names as its next page.
  http.request = async options => {
    if (!options.uri.startsWith(itself)) throw new Error('an address that is none of the API')
    return request({ ...options, uri: `${baseUrl}/${options.uri.slice(itself.length)}` })
  }
  // Empty, or the package looks for them in the environment.
  const elsewhere = { edge: '', region: '' }
  const client = new Client(user, secret.reveal(), { accountSid, httpClient: http, logLevel: 'error', ...elsewhere })
  return { client, http }
}

/** What Twilio has not begun, for it is asked too much at once, is asked again. Each attempt has its time. */
async function asked<T>(clock: Clock, what: string, request: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const { answerMs, retries, retryMs } = limits.twilio.rest
  const late = () => new CarrierError('CARRIER_AWAY', `Twilio did not answer in time for ${what}.`, { unsure: true })
  for (let attempt = 0; ; attempt++) {
    if (signal.aborted) throw new CarrierError('CARRIER_AWAY', `Nobody waits any more for ${what}.`)
    try {
      return await unlessAborted(within(clock, answerMs, request(), late), what, signal)
    } catch (thrown) {
      const error = carrierErrorOf(thrown, what)
      const begun = Object(thrown).status !== 429
      if (begun || attempt === retries) throw error
      await pause(clock, Math.min(retryMs.most, retryMs.first * 2 ** attempt), signal).catch(() => {
        throw error
      })
    }
  }
}

/** Whoever waits no longer does not know what became of it. */
function unlessAborted<T>(answer: Promise<T>, what: string, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const given = () => reject(new CarrierError('CARRIER_AWAY', `Nobody waits any more for ${what}.`, { unsure: true }))
    signal.addEventListener('abort', given, { once: true })
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', given))
  })
}

function ownedOf(instance: IncomingPhoneNumberInstance): OwnedNumber {
  const { sid, phoneNumber, capabilities, trunkSid, voiceApplicationSid } = instance
  const { voiceUrl, voiceMethod, voiceFallbackUrl, voiceFallbackMethod } = instance
  const { statusCallback, statusCallbackMethod, smsUrl, smsMethod } = instance
  const voiceHooks = { voiceUrl, voiceMethod, voiceFallbackUrl, voiceFallbackMethod }
  const webhooks = { ...voiceHooks, statusCallback, statusCallbackMethod, smsUrl, smsMethod }
  return {
    ...{ sid, number: phoneNumber, voice: capabilities.voice, sms: smsOf(capabilities), webhooks },
    takenBy: trunkSid ? 'trunk' : voiceApplicationSid ? 'application' : undefined,
  }
}

/** Named `SMS` among those for sale, `sms` among one's own. */
function smsOf(capabilities: object): boolean {
  const { sms, SMS } = capabilities as { sms?: unknown; SMS?: unknown }
  return sms === true || SMS === true
}
