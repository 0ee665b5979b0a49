import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LocalInstance } from 'twilio/lib/rest/api/v2010/account/availablePhoneNumberCountry/local.js'
import type { CallInstance } from 'twilio/lib/rest/api/v2010/account/call.js'
import type { IncomingPhoneNumberInstance } from 'twilio/lib/rest/api/v2010/account/incomingPhoneNumber.js'
import type { MessageInstance } from 'twilio/lib/rest/api/v2010/account/message.js'
import { type Endpoint, endpoints, problemsOf } from './twilio-endpoints.ts'

/** As its SDK reads them; of dates the text. */
type Wire<Resource> = { [Key in keyof Resource]: Resource[Key] extends Date ? string | null : Resource[Key] | null }
type NumberResource = Wire<ConstructorParameters<typeof IncomingPhoneNumberInstance>[1]>
type CallResource = Wire<ConstructorParameters<typeof CallInstance>[1]>
type MessageResource = Wire<ConstructorParameters<typeof MessageInstance>[1]>
type OfferedNumber = Wire<ConstructorParameters<typeof LocalInstance>[1]>

export interface Asked {
  /** Such as `POST /Calls/{Sid}`. */
  readonly endpoint: string
  readonly parameters: URLSearchParams
  readonly sid: string | undefined
}

/** Once, at the next request to an endpoint. `lost`: it is done, and its answer never arrives. */
export type Fault = number | 'silent' | 'reset' | 'lost'

const account = `AC${'1'.repeat(32)}`
const credentials = [`${account}:${'a'.repeat(32)}`, `SK${'2'.repeat(32)}:api-secret`]
const created = 'Mon, 05 Jan 2026 09:00:00 +0000'
const root = `/2010-04-01/Accounts/${account}`

/** Twilio's API, as far as Parley uses it: a real server that its SDK talks to. What is asked wrongly is refused and told. */
export class TwilioServer {
  static readonly account = {
    sid: account,
    authToken: 'a'.repeat(32),
    apiKey: `SK${'2'.repeat(32)}`,
    apiSecret: 'api-secret',
  }
  readonly asked: Asked[] = []
  /** Of requests: each is a mistake of whoever asks. */
  readonly problems: string[] = []
  /** To be bought. */
  readonly offered: string[] = ['+15550100301', '+15550100302']
  readonly numbers = new Map<string, NumberResource>()
  readonly calls = new Map<string, CallResource>()
  readonly messages = new Map<string, MessageResource>()
  /** Their sound, by sid. */
  readonly recordings = new Map<string, Uint8Array>()
  readonly #faults: { readonly at: string; readonly fault: Fault }[] = []
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  #count = 0

  static async start(): Promise<TwilioServer> {
    const server = new TwilioServer()
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** The next requests to `POST /Calls` and the like, one after the other. */
  plan(at: string, ...faults: readonly Fault[]): void {
    this.#faults.push(...faults.map(fault => ({ at, fault })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    const { pathname, searchParams } = new URL(request.url ?? '/', this.url)
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    if (!credentials.includes(Buffer.from(basic, 'base64').toString()))
      return fail(response, 401, 20_003, 'Authenticate')
    const sound = new RegExp(`^${root}/Recordings/(RE[0-9a-f]{32})\\.(wav|mp3)$`).exec(pathname)
    if (sound && request.method === 'GET') return this.#sendSound(response, sound[1]!)
    const found = endpointOf(request.method ?? '', pathname)
    if (!found) {
      this.problems.push(`${request.method} ${pathname}`)
      return fail(response, 404, 20_404, 'The requested resource was not found')
    }
    const { endpoint, sid, country } = found
    const parameters = endpoint.method === 'POST' ? new URLSearchParams(body) : searchParams
    const name = `${endpoint.method} ${endpoint.path}`
    this.asked.push({ endpoint: name, parameters, sid })
    const fault = this.#takeFault(name)
    if (fault === 'silent') return
    if (fault === 'reset') return void request.socket.destroy()
    if (typeof fault === 'number')
      return fail(response, fault, fault === 429 ? 20_429 : 20_500, 'A fault that was planned')
    const wrong = problemsOf(endpoint, parameters)
    if (wrong.length > 0) {
      this.problems.push(...wrong.map(problem => `${name}: ${problem}`))
      return fail(response, 400, 20_001, wrong.join('; '))
    }
    const answer = this.#answer(name, sid ?? country ?? '', parameters)
    if (fault === 'lost') return void request.socket.destroy()
    if ('code' in answer) return fail(response, answer.status, answer.code, answer.message)
    send(response, answer.status, answer.body)
  }

  #takeFault(name: string): Fault | undefined {
    const index = this.#faults.findIndex(({ at }) => at === name)
    return index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault
  }

  #answer(name: string, of: string, parameters: URLSearchParams): Answer {
    switch (name) {
      case 'GET ':
        return ok({ sid: account, status: 'active', friendly_name: 'Parley', type: 'Full' })
      case 'POST /IncomingPhoneNumbers':
        return this.#buy(parameters)
      case 'GET /IncomingPhoneNumbers':
        return ok(listed('incoming_phone_numbers', this.#owned(parameters), parameters))
      case 'GET /Messages':
        return ok(listed('messages', this.#written(parameters), parameters))
      case 'POST /Calls':
        return made(this.#call(parameters))
      case 'POST /Messages':
        return this.#write(parameters)
      case 'POST /Calls/{Sid}':
        return this.#redirect(of, parameters)
      case 'DELETE /IncomingPhoneNumbers/{Sid}':
        return this.numbers.delete(of) ? { status: 204, body: undefined } : missing(of)
      case 'DELETE /Recordings/{Sid}':
        return this.recordings.delete(of) ? { status: 204, body: undefined } : missing(of)
      case 'POST /IncomingPhoneNumbers/{Sid}':
      case 'POST /Messages/{Sid}':
        return this.#change(of, parameters)
    }
    if (name.includes('AvailablePhoneNumbers')) {
      const found = this.offered.filter(each => fits(each, parameters)).map(each => offeredNumber(each, of))
      return ok(listed('available_phone_numbers', found, parameters))
    }
    const resource = this.#find(of)
    return resource ? ok(resource) : missing(of)
  }

  #find(sid: string): NumberResource | CallResource | MessageResource | undefined {
    return this.numbers.get(sid) ?? this.calls.get(sid) ?? this.messages.get(sid)
  }

  #sid(kind: 'PN' | 'CA' | 'SM'): string {
    this.#count += 1
    return `${kind}${this.#count.toString(16).padStart(32, '0')}`
  }

  #buy(parameters: URLSearchParams): Answer {
    const wanted = parameters.get('PhoneNumber') ?? this.offered.find(each => fits(each, parameters))
    const at = wanted === undefined ? -1 : this.offered.indexOf(wanted)
    if (at < 0) return { status: 400, code: 21_422, message: `${wanted ?? 'No number'} is not available` }
    this.offered.splice(at, 1)
    const resource = { ...plainNumber(this.#sid('PN'), wanted!), ...snaked(parameters) } as NumberResource
    this.numbers.set(resource.sid!, resource)
    return made(resource)
  }

  #owned(parameters: URLSearchParams): NumberResource[] {
    const number = parameters.get('PhoneNumber')
    return [...this.numbers.values()].filter(each => number === null || each.phone_number === number)
  }

  #written(parameters: URLSearchParams): MessageResource[] {
    const of = (key: 'To' | 'From', value: string | null) =>
      parameters.get(key) === null || parameters.get(key) === value
    return [...this.messages.values()].filter(each => of('To', each.to) && of('From', each.from))
  }

  #call(parameters: URLSearchParams): CallResource {
    const sid = this.#sid('CA')
    const numbers = { to: parameters.get('To'), from: parameters.get('From') }
    const resource: CallResource = {
      ...{
        sid,
        account_sid: account,
        ...numbers,
        status: 'queued',
        direction: 'outbound-api',
        api_version: '2010-04-01',
      },
      ...{ parent_call_sid: null, to_formatted: numbers.to, from_formatted: numbers.from, phone_number_sid: null },
      ...{ date_created: created, date_updated: created, start_time: null, end_time: null, duration: null },
      ...{
        price: null,
        price_unit: 'USD',
        answered_by: null,
        forwarded_from: null,
        group_sid: null,
        caller_name: null,
      },
      ...{ queue_time: '0', trunk_sid: null, uri: `${root}/Calls/${sid}.json`, subresource_uris: {} },
    }
    this.calls.set(sid, resource)
    return resource
  }

  #redirect(sid: string, parameters: URLSearchParams): Answer {
    const call = this.calls.get(sid)
    if (!call) return missing(sid)
    const status = parameters.get('Status')
    const over = call.status !== 'in-progress' && status === null
    if (over) return { status: 400, code: 21_220, message: 'Call is not in-progress. Cannot redirect.' }
    Object.assign(call, status === null ? {} : { status })
    return ok(call)
  }

  #write(parameters: URLSearchParams): Answer {
    const [to, from] = [parameters.get('To')!, parameters.get('From')]
    const content = ['Body', 'MediaUrl', 'ContentSid'].some(name => parameters.has(name))
    if (!content) return { status: 400, code: 21_602, message: 'Message body is required.' }
    if (from !== null && to.startsWith('whatsapp:') !== from.startsWith('whatsapp:'))
      return { status: 400, code: 63_007, message: 'The channels of From and To differ' }
    if ((parameters.get('Body') ?? '').length > 1_600)
      return { status: 400, code: 21_617, message: 'The concatenated message body exceeds the 1600 character limit' }
    const sid = this.#sid('SM')
    const resource: MessageResource = {
      ...{
        sid,
        account_sid: account,
        to,
        from,
        body: parameters.get('Body') ?? '',
        status: 'queued',
        direction: 'outbound-api',
      },
      ...{ num_segments: '1', num_media: String(parameters.getAll('MediaUrl').length), messaging_service_sid: null },
      ...{ date_created: created, date_updated: created, date_sent: null, price: null, price_unit: 'USD' },
      ...{ error_code: null, error_message: null, api_version: '2010-04-01', uri: `${root}/Messages/${sid}.json` },
      subresource_uris: {},
    }
    this.messages.set(sid, resource)
    return made(resource)
  }

  #change(sid: string, parameters: URLSearchParams): Answer {
    const resource = this.#find(sid)
    return resource ? ok(Object.assign(resource, snaked(parameters))) : missing(sid)
  }

  #sendSound(response: ServerResponse, sid: string): void {
    const fault = this.#takeFault('GET sound')
    this.asked.push({ endpoint: 'GET sound', parameters: new URLSearchParams(), sid })
    const sound = this.recordings.get(sid)
    if (fault === 'silent') return
    if (typeof fault === 'number') return fail(response, fault, 20_500, 'A fault that was planned')
    if (!sound) return fail(response, 404, 20_404, `${sid} was not found`)
    response.writeHead(200, { 'content-type': 'audio/x-wav', 'content-length': sound.byteLength })
    if (fault === undefined) return void response.end(sound)
    response.write(sound.subarray(0, sound.byteLength / 2), () => response.destroy())
  }
}

type Answer =
  | { readonly status: number; readonly body: object | undefined }
  | { readonly status: number; readonly code: number; readonly message: string }

const ok = (body: object): Answer => ({ status: 200, body })
const made = (body: object): Answer => ({ status: 201, body })
const missing = (sid: string): Answer => ({
  status: 404,
  code: 20_404,
  message: `The requested resource ${sid} was not found`,
})

function endpointOf(method: string, pathname: string) {
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace('{Sid}', '(?<sid>(?:PN|CA|SM|MM|RE)[0-9a-fA-F]{32})')
    const form = path.replace('{CountryCode}', '(?<country>[A-Z]{2})')
    const match = new RegExp(`^${root}${form}\\.json$`).exec(pathname)
    const { sid, country } = match?.groups ?? {}
    if (match && endpoint.method === method) return { endpoint: endpoint as Endpoint, sid, country }
  }
  return undefined
}

/** Twilio's own form of an error, https://www.twilio.com/docs/usage/twilios-response#response-formats-exceptions */
function fail(response: ServerResponse, status: number, code: number, message: string): void {
  send(response, status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status })
}

function send(response: ServerResponse, status: number, body: object | undefined): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(body === undefined ? undefined : JSON.stringify(body))
}

function listed(key: string, all: readonly object[], parameters: URLSearchParams): object {
  const size = Number(parameters.get('PageSize') ?? 50)
  const page = Number(parameters.get('Page') ?? 0)
  const more = all.length > (page + 1) * size
  const address = `${root}/${key === 'messages' ? 'Messages' : 'IncomingPhoneNumbers'}.json`
  const next = more ? `${address}?PageSize=${size}&Page=${page + 1}&PageToken=${page + 1}` : null
  return { [key]: all.slice(page * size, (page + 1) * size), page, page_size: size, next_page_uri: next, uri: address }
}

/** `VoiceUrl` is voice_url in what comes back. */
function snaked(parameters: URLSearchParams): Record<string, string> {
  const pairs = [...parameters].map(([name, value]) => [name.replace(/(?!^)[A-Z]/g, '_$&').toLowerCase(), value])
  return Object.fromEntries(pairs)
}

function fits(number: string, parameters: URLSearchParams): boolean {
  const digits = (parameters.get('Contains') ?? '').replace(/[^0-9]/g, '')
  return number.slice(2).startsWith(parameters.get('AreaCode') ?? '') && number.includes(digits)
}

const capabilities = { voice: true, sms: true, mms: true, fax: false }

function plainNumber(sid: string, number: string) {
  return {
    ...{ sid, account_sid: account, phone_number: number, friendly_name: number, capabilities, status: 'in-use' },
    ...{
      voice_url: '',
      voice_method: 'POST',
      voice_fallback_url: '',
      sms_url: '',
      sms_method: 'POST',
      status_callback: '',
    },
    ...{
      date_created: created,
      date_updated: created,
      uri: `${root}/IncomingPhoneNumbers/${sid}.json`,
      trunk_sid: null,
    },
  }
}

function offeredNumber(number: string, country: string): OfferedNumber {
  return {
    ...{ phone_number: number, friendly_name: number, iso_country: country, capabilities, beta: false },
    ...{ lata: null, locality: 'Springfield', rate_center: null, latitude: null, longitude: null, region: 'MA' },
    ...{ postal_code: null, address_requirements: 'none' },
  }
}
