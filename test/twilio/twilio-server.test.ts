import RequestClient from 'twilio/lib/base/RequestClient.js'
import Twilio from 'twilio/lib/rest/Twilio.js'
import { expect, it, onTestFinished } from 'vitest'
import { TwilioServer } from '../support/twilio-server.ts'

/** Twilio's own client, which knows no other address than Twilio's. */
class ClientOf extends RequestClient {
  readonly #url: string

  constructor(url: string, timeout: number) {
    super({ timeout })
    this.#url = url
  }

  override request<Data>(options: RequestClient.RequestOptions<Data>) {
    return super.request<Data>({ ...options, uri: options.uri.replace('https://api.twilio.com', this.#url) })
  }
}

async function twilio({ key = false } = {}) {
  const server = await TwilioServer.start()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const { sid: accountSid, authToken, apiKey, apiSecret } = TwilioServer.account
  const [user, secret] = key ? [apiKey, apiSecret] : [accountSid, authToken]
  const after = (timeoutMs: number) =>
    new Twilio(user, secret, { accountSid, httpClient: new ClientOf(server.url, timeoutMs), logLevel: 'error' })
  return { server, client: after(60_000), impatient: after(100) }
}

const url = 'https://parley.example.com/v1/twilio/call'

it('sells, changes, lists and gives back numbers', async () => {
  const { server, client } = await twilio({ key: true })
  const [found] = await client.availablePhoneNumbers('US').local.list({ areaCode: 555, voiceEnabled: true, limit: 1 })
  expect(found).toMatchObject({ phoneNumber: '+15550100301', capabilities: { voice: true, sms: true } })
  const bought = await client.incomingPhoneNumbers.create({
    phoneNumber: '+15550100301',
    voiceUrl: url,
    voiceMethod: 'POST',
  })
  expect(bought).toMatchObject({ phoneNumber: '+15550100301', voiceUrl: url })
  await client.incomingPhoneNumbers.create({ areaCode: '555' })
  await client.incomingPhoneNumbers(bought.sid).update({ smsUrl: url })
  // In pages of one.
  const owned = await client.incomingPhoneNumbers.list({ pageSize: 1 })
  expect(owned.map(({ phoneNumber, smsUrl }) => [phoneNumber, smsUrl])).toEqual([
    ['+15550100301', url],
    ['+15550100302', ''],
  ])
  await expect(client.incomingPhoneNumbers.create({ phoneNumber: '+15550100301' })).rejects.toMatchObject({
    ...{ status: 400, code: 21_422 },
  })
  expect(await client.incomingPhoneNumbers(bought.sid).remove()).toBe(true)
  await expect(client.incomingPhoneNumbers(bought.sid).fetch()).rejects.toMatchObject({ status: 404, code: 20_404 })
  expect(server.problems).toEqual([])
})

it('makes calls and redirects those that are under way', async () => {
  const { server, client } = await twilio()
  const call = await client.calls.create({
    ...{ to: '+15550100177', from: '+15550100200', url, machineDetection: 'DetectMessageEnd', timeout: 30 },
    ...{ statusCallback: url, statusCallbackEvent: ['initiated', 'answered', 'completed'] },
  })
  expect(call).toMatchObject({ status: 'queued', to: '+15550100177', direction: 'outbound-api' })
  await expect(client.calls(call.sid).update({ url })).rejects.toMatchObject({ code: 21_220 })
  server.calls.get(call.sid)!.status = 'in-progress'
  await client.calls(call.sid).update({ twiml: '<Response><Hangup/></Response>' })
  await client.calls(call.sid).update({ status: 'completed' })
  expect(await client.calls(call.sid).fetch()).toMatchObject({ status: 'completed' })
  expect(server.asked.map(({ endpoint }) => endpoint)).toEqual([
    ...['POST /Calls', 'POST /Calls/{Sid}', 'POST /Calls/{Sid}', 'POST /Calls/{Sid}', 'GET /Calls/{Sid}'],
  ])
})

it('sends messages, and tells which it has', async () => {
  const { server, client } = await twilio()
  const numbers = { to: '+15550100177', from: '+15550100200' }
  const sent = await client.messages.create({ ...numbers, body: 'See you at nine.', statusCallback: url })
  await client.messages.create({
    ...{ to: 'whatsapp:+15550100177', from: 'whatsapp:+15550100200', contentSid: `HX${'0'.repeat(32)}` },
    contentVariables: '{"1":"nine"}',
  })
  const found = await client.messages.list({ to: numbers.to, dateSentAfter: new Date(0) })
  expect(found).toMatchObject([{ sid: sent.sid, body: 'See you at nine.', status: 'queued' }])
  await expect(client.messages.create({ ...numbers, body: 'x'.repeat(1_601) })).rejects.toMatchObject({ code: 21_617 })
  await expect(client.messages.create(numbers)).rejects.toMatchObject({ code: 21_602 })
  expect(server.problems).toEqual([])
})

it('hands out what was recorded, to those who may have it', async () => {
  const { server } = await twilio()
  const sid = `RE${'0'.repeat(32)}`
  server.recordings.set(sid, new Uint8Array(4_000).fill(7))
  const { sid: account, authToken } = TwilioServer.account
  const address = `${server.url}/2010-04-01/Accounts/${account}/Recordings/${sid}.wav`
  const headers = { authorization: `Basic ${Buffer.from(`${account}:${authToken}`).toString('base64')}` }
  expect((await fetch(address)).status).toBe(401)
  expect((await (await fetch(address, { headers })).arrayBuffer()).byteLength).toBe(4_000)
  server.plan('GET sound', 'reset', 503)
  await expect(fetch(address, { headers }).then(answer => answer.arrayBuffer())).rejects.toThrow()
  expect((await fetch(address, { headers })).status).toBe(503)
})

it('refuses what is asked wrongly, and tells it', async () => {
  const { server, client } = await twilio()
  await expect(client.calls.create({ to: '555', from: '+15550100200', url })).rejects.toMatchObject({ status: 400 })
  await expect(client.calls.create({ to: '+15550100177', from: '+15550100200' })).rejects.toMatchObject({ status: 400 })
  await expect(
    client.calls.create({ to: '+15550100177', from: '+15550100200', url, record: true }),
  ).rejects.toMatchObject({ status: 400 })
  await expect(client.queues.list()).rejects.toMatchObject({ status: 404 })
  expect(server.problems).toEqual([
    'POST /Calls: To is no endpoint',
    'POST /Calls: one of Url, Twiml is needed',
    'POST /Calls: Record is unknown here',
    expect.stringMatching(/^GET .*\/Queues\.json$/),
  ])
  const stranger = new Twilio(TwilioServer.account.sid, 'wrong', { httpClient: new ClientOf(server.url, 5_000) })
  await expect(stranger.calls(`CA${'0'.repeat(32)}`).fetch()).rejects.toMatchObject({ status: 401, code: 20_003 })
})

it('fails as it is told to, once each: before anything is done, or after', async () => {
  const { server, client, impatient } = await twilio()
  const asking = (by: Twilio) => by.messages.create({ to: '+15550100177', from: '+15550100200', body: 'Hello' })
  const ask = () => asking(client)
  server.plan('POST /Messages', 429, 503, 'silent', 'reset', 'lost')
  await expect(ask()).rejects.toMatchObject({ status: 429, code: 20_429 })
  await expect(ask()).rejects.toMatchObject({ status: 503 })
  await expect(asking(impatient)).rejects.toThrow(/timeout/)
  await expect(ask()).rejects.toThrow()
  expect(server.messages.size).toBe(0)
  await expect(ask()).rejects.toThrow()
  expect(server.messages.size).toBe(1)
  await ask()
  expect(server.messages.size).toBe(2)
})
