import { describe, expect, it, onTestFinished } from 'vitest'
import type { Clock } from '../../src/clock.ts'
import { limits } from '../../src/limits.ts'
import { Secret } from '../../src/secret.ts'
import { type CarrierError, carrierErrorOf } from '../../src/twilio/errors.ts'
import { twilioRest } from '../../src/twilio/rest.ts'
import { driven } from '../support/driven.ts'
import { TwilioServer } from '../support/twilio-server.ts'
import { until } from '../support/until.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const { sid: accountSid, authToken, apiKey, apiSecret } = TwilioServer.account
const here = 'https://parley.example.com/v1/twilio'
const numbers = { to: '+15550100177', from: '+15550100200' }
const webhooks = {
  ...{ voiceUrl: `${here}/call`, voiceMethod: 'POST', voiceFallbackUrl: `${here}/call`, voiceFallbackMethod: 'POST' },
  ...{ statusCallback: `${here}/status`, statusCallbackMethod: 'POST', smsUrl: `${here}/sms`, smsMethod: 'POST' },
}

async function twilio({ key = false, clock = new VirtualClock() as Clock } = {}) {
  const server = await TwilioServer.start()
  const keys = { apiKey: key ? apiKey : undefined, apiSecret: key ? new Secret(apiSecret) : undefined }
  const account = { accountSid, authToken: key ? undefined : new Secret(authToken), ...keys, baseUrl: server.url }
  const rest = twilioRest({ account, clock })
  onTestFinished(async () => {
    rest.close()
    await server[Symbol.asyncDispose]()
  })
  return { server, rest }
}

const message = { ...numbers, body: 'See you at nine.', statusCallback: `${here}/message-status` }
const failureOf = (asked: Promise<unknown>): Promise<CarrierError> =>
  asked.then(
    () => expect.fail('it was done'),
    error => error,
  )

describe('what is asked of Twilio', () => {
  it('buys, tells, changes and releases numbers, by an API key', async () => {
    const { server, rest } = await twilio({ key: true })
    const { search, buy, list, update, release } = rest.numbers
    expect(await search({ country: 'US', kind: 'local', areaCode: 555, sms: true })).toEqual([
      { number: '+15550100301', place: 'Springfield, MA', voice: true, sms: true, needsAddress: false },
      { number: '+15550100302', place: 'Springfield, MA', voice: true, sms: true, needsAddress: false },
    ])
    await search({ country: 'GB', kind: 'mobile' })
    await search({ country: 'US', kind: 'tollFree', contains: '0301' })
    const bought = await buy({ number: '+15550100301', webhooks, name: 'dentist' })
    expect(bought).toMatchObject({ number: '+15550100301', voice: true, sms: true, webhooks, takenBy: undefined })
    await buy({ number: '+15550100302', webhooks, name: 'plumber' })
    expect(await list('+15550100301')).toEqual([bought])
    expect((await list()).map(({ number }) => number)).toEqual(['+15550100301', '+15550100302'])
    const moved = { ...webhooks, voiceUrl: 'https://other.example.com/v1/twilio/call' }
    expect((await update(bought.sid, moved)).webhooks).toEqual(moved)
    await release(bought.sid)
    expect((await list()).map(({ number }) => number)).toEqual(['+15550100302'])
    expect(server.problems).toEqual([])
  })

  it('makes calls, redirects them, and tells how they stand', async () => {
    const { server, rest } = await twilio()
    const calling = { ...numbers, url: `${here}/call?record=out-1`, statusCallback: `${here}/status?record=out-1` }
    const amdCallback = `${here}/status?record=out-1&amd=1`
    const { sid } = await rest.call({ ...calling, ringSeconds: 25, detect: 'DetectMessageEnd', amdCallback })
    const { parameters } = server.asked[0]!
    expect(Object.fromEntries(parameters)).toMatchObject({
      ...{ Timeout: '25', MachineDetection: 'DetectMessageEnd', AsyncAmd: 'true', AsyncAmdStatusCallback: amdCallback },
    })
    expect(parameters.getAll('StatusCallbackEvent')).toEqual(['initiated', 'ringing', 'answered', 'completed'])
    const same = { direction: 'outbound-api', from: numbers.from, to: numbers.to, unit: 'USD' }
    expect(await rest.callNow(sid)).toEqual({ ...same, status: 'queued', seconds: undefined, price: undefined })
    const call = server.calls.get(sid)!
    Object.assign(call, { status: 'in-progress', price: '-0.0085', duration: '61' })
    await rest.redirect(sid, `${here}/transfer`)
    expect(await rest.callNow(sid)).toEqual({ ...same, status: 'in-progress', seconds: 61, price: '-0.0085' })
    expect(server.problems).toEqual([])
  })

  it('writes messages and finds what it has written', async () => {
    const { server, rest } = await twilio()
    const { sid } = await rest.text(message)
    const whatsapp = { to: 'whatsapp:+15550100177', from: 'whatsapp:+15550100200' }
    const template = { template: `HX${'0'.repeat(32)}`, variables: { 1: 'nine' } }
    await rest.text({ ...whatsapp, ...template, statusCallback: message.statusCallback })
    expect(await rest.textsTo(numbers.to, 0)).toEqual([{ sid, body: 'See you at nine.', status: 'queued' }])
    expect(server.problems).toEqual([])
  })

  it('says in words what is refused and what to do, and nothing of whom it was about', async () => {
    const { server, rest } = await twilio()
    const { sid } = await rest.call({
      ...{ ...numbers, url: here, statusCallback: here, amdCallback: here },
      ...{ ringSeconds: 20, detect: 'Enable' },
    })
    const over = await failureOf(rest.redirect(sid, `${here}/transfer`))
    expect(over).toMatchObject({ code: 'CARRIER_REFUSED', number: 21_220, unsure: false, retryable: false })
    expect(over.message).toBe(
      'Twilio refuses the redirect of a call: The call is over, or not answered yet. (21220, https://www.twilio.com/docs/api/errors/21220)',
    )
    const gone = await failureOf(rest.numbers.buy({ number: '+15550100399', webhooks, name: 'dentist' }))
    expect(gone).toMatchObject({ code: 'CARRIER_REFUSED', number: 21_422 })
    expect(gone.message).not.toContain('+1555')
    server.plan('POST /Messages', 400)
    expect((await failureOf(rest.text(message))).message).not.toContain(numbers.to)
  })

  it('refuses without keys, in words', async () => {
    const none = { accountSid, authToken: undefined, apiKey: undefined, apiSecret: undefined }
    const rest = twilioRest({ account: { ...none, baseUrl: 'http://127.0.0.1:1' }, clock: new VirtualClock() })
    const error = await failureOf(rest.callNow('CA'))
    expect(error).toMatchObject({ code: 'CARRIER_REFUSED', unsure: false })
    expect(error.message).toContain('TWILIO_AUTH_TOKEN')
  })
})

describe('a Twilio that fails', () => {
  it('is asked again only for what it has not begun, and so often', async () => {
    const clock = new VirtualClock()
    const { server, rest } = await twilio({ clock })
    server.plan('POST /Messages', 429, 429)
    await driven(clock, rest.text(message))
    expect([server.messages.size, server.asked.length]).toEqual([1, 3])
    expect(clock.now()).toBeGreaterThanOrEqual(500 + 1_000)
  })

  it('is given up when it is asked too much for too long', async () => {
    const clock = new VirtualClock()
    const { server, rest } = await twilio({ clock })
    server.plan('POST /Messages', 429, 429, 429, 429)
    const failing = driven(clock, failureOf(rest.text(message)))
    expect(await failing).toMatchObject({ code: 'CARRIER_AWAY', number: 20_429, unsure: false, retryable: true })
    expect([server.messages.size, server.asked.length]).toEqual([0, 1 + limits.twilio.rest.retries])
  })

  it('may have done it when its answer is an error or none: nothing is asked again', async () => {
    const { server, rest } = await twilio()
    for (const fault of [503, 500, 'reset', 'lost'] as const) {
      server.plan('POST /Messages', fault)
      const error = await failureOf(rest.text(message))
      expect([error.code, error.unsure, error.retryable]).toEqual(['CARRIER_AWAY', true, false])
    }
    expect([server.messages.size, server.asked.length]).toEqual([1, 4])
  })

  it('keeps nobody waiting longer than it may take', async () => {
    const clock = new VirtualClock()
    const { server, rest } = await twilio({ clock })
    server.plan('POST /Calls/{Sid}', 'silent')
    const failing = failureOf(rest.redirect(`CA${'0'.repeat(32)}`, `${here}/transfer`))
    await until(() => server.asked.length === 1)
    clock.advance(limits.twilio.rest.answerMs)
    expect(await failing).toMatchObject({ code: 'CARRIER_AWAY', unsure: true })
  })

  it('is not waited for by those who have gone', async () => {
    const { server, rest } = await twilio()
    server.plan('POST /Calls/{Sid}', 'silent')
    const gone = new AbortController()
    const failing = failureOf(rest.redirect(`CA${'0'.repeat(32)}`, `${here}/transfer`, gone.signal))
    await until(() => server.asked.length === 1)
    gone.abort()
    expect(await failing).toMatchObject({ code: 'CARRIER_AWAY', unsure: true })
  })

  it('is asked nothing any more once this is closed, and whoever waits hears so', async () => {
    const { server, rest } = await twilio()
    server.plan('POST /Messages', 'silent')
    const failing = failureOf(rest.text(message))
    await until(() => server.asked.length === 1)
    rest.close()
    expect(await failing).toMatchObject({ code: 'CARRIER_AWAY', unsure: true })
    expect(await failureOf(rest.text(message))).toMatchObject({ code: 'CARRIER_AWAY', unsure: false })
    expect(server.asked).toHaveLength(1)
  })

  it('that nobody could reach has done nothing', async () => {
    const server = await TwilioServer.start()
    const baseUrl = server.url
    await server[Symbol.asyncDispose]()
    const account = { accountSid, authToken: new Secret(authToken), apiKey: undefined, apiSecret: undefined, baseUrl }
    const rest = twilioRest({ account, clock: new VirtualClock() })
    expect(await failureOf(rest.text(message))).toMatchObject({ code: 'CARRIER_AWAY', unsure: false, retryable: true })
  })

  it('is told of as what it is, whatever its client throws', () => {
    for (const thrown of [undefined, 'x', new Error('Unexpected token < in JSON'), { status: 'x' }, { code: 7 }]) {
      expect(carrierErrorOf(thrown, 'a call')).toMatchObject({ code: 'CARRIER_AWAY', unsure: true })
    }
    const strange = carrierErrorOf({ status: 400, code: 12, message: "'Tom' at +1 555 010 0177 has said no" }, 'a call')
    expect(strange.message).toBe(
      'Twilio refuses a call: ... at ... has said no (12, https://www.twilio.com/docs/api/errors/12)',
    )
  })
})
