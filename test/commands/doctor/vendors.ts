import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A stand-in for the vendors' and Asterisk's HTTP. It speaks their shapes: OpenAI's list of models and its error, which
 * repeats a part of the key; Twilio's account, which holds the auth token, its numbers and its error.
 */
export interface Vendors extends AsyncDisposable {
  readonly url: string
  readonly requests: { readonly path: string; readonly authorization: string }[]
}

export const keys = {
  openai: 'sk-secret-0123456789',
  accountSid: `AC${'0'.repeat(31)}1`,
  authToken: `${'c'.repeat(31)}1`,
  apiKey: `SK${'0'.repeat(31)}2`,
  apiSecret: 'secret-of-the-api-key',
  number: '+15550100200',
}

export async function openVendors(options: { skewMs?: number } = {}): Promise<Vendors> {
  const requests: Vendors['requests'] = []
  const server = createServer((request, response) => {
    const { url: path = '', headers } = request
    requests.push({ path, authorization: headers.authorization ?? '' })
    const [status, body] = path.startsWith('/v1/') ? openAi(request) : twilio(request)
    const date = new Date(Date.now() + (options.skewMs ?? 0)).toUTCString()
    response.writeHead(status, { 'content-type': 'application/json', date }).end(JSON.stringify(body))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

function openAi({ url, headers }: IncomingMessage): [number, unknown] {
  const key = headers.authorization?.replace('Bearer ', '') ?? ''
  if (key === 'sk-barred') return [403, { error: { message: 'Country not supported', type: 'request_forbidden' } }]
  if (key !== keys.openai) {
    const message = `Incorrect API key provided: ${key}. You can find your API key in your account settings.`
    return [401, { error: { message, type: 'invalid_request_error', param: null, code: 'invalid_api_key' } }]
  }
  if (url !== '/v1/models') return [404, { error: { message: 'Unknown request URL', type: 'invalid_request_error' } }]
  const model = { object: 'model', created: 1_780_000_000, owned_by: 'system' }
  return [
    200,
    {
      object: 'list',
      data: [
        { id: 'gpt-realtime-2.1', ...model, shutdown_date: null },
        { id: 'gpt-transcribe', ...model, shutdown_date: null },
        { id: 'gpt-old', ...model, shutdown_date: '2020-01-01' },
      ],
    },
  ]
}

function twilio({ url = '', headers }: IncomingMessage): [number, unknown] {
  const basic = Buffer.from(headers.authorization?.replace('Basic ', '') ?? '', 'base64').toString()
  const account = `/2010-04-01/Accounts/${keys.accountSid}`
  const byKey = basic === `${keys.apiKey}:${keys.apiSecret}`
  const byToken = basic === `${keys.accountSid}:${keys.authToken}`
  // A key of the standard kind may not read the account.
  if (!byToken && !(byKey && url.startsWith(`${account}/`))) {
    const more_info = 'https://www.twilio.com/docs/errors/20003'
    return [401, { code: 20003, message: 'Authenticate', more_info, status: 401 }]
  }
  if (url === `${account}.json`) {
    const dates = { date_created: 'Mon, 05 Jan 2026 09:00:00 +0000', date_updated: 'Mon, 05 Jan 2026 09:00:00 +0000' }
    const names = { friendly_name: 'Harbour Dental', owner_account_sid: keys.accountSid, type: 'Full' }
    return [200, { sid: keys.accountSid, auth_token: keys.authToken, status: 'active', ...names, ...dates }]
  }
  const wanted = new URL(url, 'http://twilio').searchParams.get('PhoneNumber')
  const owned = wanted === null || wanted === keys.number
  return [200, { incoming_phone_numbers: owned ? [{ phone_number: keys.number }] : [], page: 0, page_size: 1 }]
}
