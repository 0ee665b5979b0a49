import { describe, expect, it } from 'vitest'
import { judgeFirewall } from '../../../src/commands/doctor/firewall.ts'
import { judgeModels } from '../../../src/commands/doctor/models.ts'
import { judgeNetwork } from '../../../src/commands/doctor/network.ts'
import { kindOf } from '../../../src/commands/doctor/network-addresses.ts'
import { judgeOpenAi, ownAddress } from '../../../src/commands/doctor/openai.ts'
import { judgeTwilio } from '../../../src/commands/doctor/twilio.ts'
import { readConfig } from '../../../src/config.ts'
import { readTrunkAddresses } from '../../../src/telephony/asterisk/addresses.ts'
import { told } from './told.ts'

const trunk = readTrunkAddresses()
const answer = (status: number, body: unknown = {}) => ({ status, body, skewMs: undefined })

describe('an address', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['10.9.8.7', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.1.2', 'private'],
    ['100.64.0.1', 'private'],
    ['100.128.0.1', 'public'],
    ['169.254.1.1', 'unroutable'],
    ['224.0.0.1', 'unroutable'],
    ['255.255.255.255', 'unroutable'],
    ['203.0.113.7', 'example'],
    ['8.8.8.8', 'public'],
  ])('%s is %s', (address, kind) => expect(kindOf(address)).toBe(kind))
})

describe('the network', () => {
  const { sip, localNetworks } = readConfig({})
  const fine = {
    externalAddress: undefined as string | undefined,
    localNetworks,
    allowedNetworks: sip.allow,
    httpHost: '127.0.0.1',
    addresses: ['127.0.0.1', '8.8.8.8'],
    routed: '8.8.8.8' as string | undefined,
    trunk,
  }
  const judged = (more: Partial<typeof fine>) => told(judgeNetwork({ ...fine, ...more }))

  it.each([
    ['public itself', {}, 'ok: This machine has the public address 8.8.8.8; EXTERNAL_ADDRESS is not needed.'],
    [
      'private, unknown outside',
      { addresses: ['127.0.0.1', '10.0.0.4'] },
      /^warning: .*no public address.*no sound\.$/,
    ],
    [
      'behind a NAT',
      { addresses: ['127.0.0.1', '10.0.0.4'], routed: '10.0.0.4', externalAddress: '8.8.4.4' },
      /^ok: .*a NAT stands between/,
    ],
    ['told its own', { externalAddress: '8.8.8.8' }, /^ok: .*no NAT between/],
    ['told a private one', { externalAddress: '10.0.0.4' }, /^warning: EXTERNAL_ADDRESS 10\.0\.0\.4 is private/],
    ['told loopback', { externalAddress: '127.0.0.1' }, /^error: .*reached by nobody/],
    ['told a link-local one', { externalAddress: '169.254.3.4' }, /^error: .*reached by nobody/],
    ['told an example', { externalAddress: '203.0.113.7' }, /^error: .*example from documentation, such as the README/],
  ])('is %s', (_, more, words) => {
    const [only, ...others] = judged(more)
    expect(only).toMatch(words)
    expect(others).toEqual([])
  })

  it('of several addresses gets calls over TCP at the one of its default route', () => {
    const behind = {
      externalAddress: '8.8.4.4',
      addresses: ['127.0.0.1', '10.0.0.4', '172.17.0.1'],
      routed: '10.0.0.4',
    }
    expect(judged({ ...behind, addresses: ['127.0.0.1', '10.0.0.4'] })).toHaveLength(1)
    expect(judged({ ...behind, externalAddress: undefined })).toHaveLength(1)
    expect(judged({ ...behind, addresses: [...behind.addresses, '8.8.4.4'] })).toHaveLength(1)
    expect(judged(behind)[1]).toMatch(/^hint: .*several addresses\. A call over TCP that comes in at 172\.17\.0\.1 is/)
    expect(judgeNetwork({ ...fine, ...behind })[1]?.remedy).toContain('to 10.0.0.4, which the default route has')
    expect(judged({ ...behind, routed: undefined })[1]).toMatch(/^warning: .*no default route/)
  })

  it('has local networks that hold this machine and leave Twilio out', () => {
    const outside = { externalAddress: '8.8.4.4', addresses: ['127.0.0.1', '10.0.0.4'], routed: '10.0.0.4' }
    const everything = judged({ ...outside, localNetworks: ['0.0.0.0/0'] })
    expect(everything[1]).toMatch(/^error: LOCAL_NETWORKS covers Twilio's 168\.86\.128\.0\/18, 54\.172/)
    expect(judged({ ...outside, localNetworks: ['192.168.0.0/16', '127.0.0.0/8'] })[1]).toMatch(
      /^warning: LOCAL_NETWORKS leaves out 10\.0\.0\.4/,
    )
  })

  it('is open to nobody by mistake', () => {
    expect(judged({ allowedNetworks: ['0.0.0.0/0'] })[1]).toMatch(/^warning: SIP_ALLOW lets 0\.0\.0\.0\/0 in/)
    expect(judged({ allowedNetworks: ['10.0.0.0/8'] })).toHaveLength(1)
    expect(judged({ httpHost: '0.0.0.0' })[1]).toMatch(/^warning: The API listens on 0\.0\.0\.0, without TLS/)
  })
})

describe('the firewall', () => {
  it('must let in every range of Twilio, to the ports that are set', () => {
    const findings = judgeFirewall({ sipTcpPort: 5071, rtp: { start: 11_000, end: 11_400 }, trunk })
    const [signalling, media] = told(findings)
    expect(signalling).toContain('TCP 5071')
    for (const range of trunk.signalling) expect(signalling).toContain(range)
    expect(media).toContain('UDP 11000-11400')
    for (const range of trunk.media) expect(media).toContain(range)
    expect(findings[0]?.remedy).toContain('npm run firewall')
  })
})

describe("OpenAI's key", () => {
  const models = answer(200, { object: 'list', data: [{ id: 'gpt-realtime-2.1', object: 'model' }] })
  const fine = { baseUrl: ownAddress, key: 'given' as const, models }
  it.each([
    [{}, 'ok: https://api.openai.com accepts it and lists 1 models.'],
    [{ key: 'none' as const, models: undefined }, 'hint: OPENAI_API_KEY is not set.'],
    [{ key: 'unusable' as const, models: undefined }, /^error: .*characters that no key has/],
    [{ key: 'unlikely' as const }, /^warning: .*begin with sk-/],
    [{ models: answer(401) }, /^error: .*refuses the key \(401\)/],
    [{ key: 'none' as const, models: answer(401) }, /^error: .*wants a key \(401\)/],
    [{ models: answer(403) }, /^error: .*knows the key but .* \(403\)/],
    [{ models: answer(429) }, /^warning: .*\(429\)/],
    [{ models: answer(503) }, /^warning: .*in trouble itself \(503\)/],
    [{ models: answer(404) }, /^warning: .*does not list models \(404\)/],
    [{ models: answer(200, { models: [] }) }, /^warning: .*does not list models/],
    [
      { models: { unreachable: 'its name has no address' } },
      /^warning: .*could not be reached \(its name has no address\)/,
    ],
  ])('%j', (more, words) => expect(told(judgeOpenAi({ ...fine, ...more }))[0]).toMatch(words))
})

describe("a model's end", () => {
  const nowMs = Date.UTC(2026, 11, 1)
  const judged = (model: string, more: Partial<Parameters<typeof judgeModels>[0]> = {}) =>
    told(
      judgeModels({
        chosen: new Map([['OPENAI_REALTIME_MODEL', model]]),
        baseUrl: ownAddress,
        listed: undefined,
        nowMs,
        ...more,
      }),
    )
  const listed = (id: string, shutdownDate?: string) => ({ listed: [{ id, shutdownDate }] })

  it.each([
    [judged('gpt-realtime-2.1'), /^ok: No end of gpt-realtime-2\.1 \(OPENAI_REALTIME_MODEL\) is announced/],
    [judged('gpt-realtime'), /^warning: gpt-realtime \(OPENAI_REALTIME_MODEL\) is retired on 2027-01-20, in 50 days/],
    [judged('gpt-realtime', { nowMs: Date.UTC(2027, 0, 20) }), /^error: .*was retired on 2027-01-20/],
    [judged('gpt-realtime', { nowMs: Date.UTC(2026, 8, 1) }), /^ok: .*serves until 2027-01-20/],
    [judged('gpt-realtime', listed('gpt-realtime', '2026-12-20')), /^warning: .*on 2026-12-20, in 19 days/],
    [judged('new-one', listed('new-one', '2026-11-30')), /^error: .*was retired on 2026-11-30/],
    [judged('new-one', listed('another')), /^error: .*does not offer new-one \(OPENAI_REALTIME_MODEL\)/],
    [judged('gpt-realtime', { baseUrl: 'http://127.0.0.1:8000' }), /^ok: No end/],
  ])('%j', (findings, words) => {
    expect(findings).toHaveLength(1)
    expect(findings[0]).toMatch(words)
  })

  it('is never that of a default', () => {
    const { openai, digests } = readConfig({})
    for (const model of [openai.realtimeModel, digests.transcriptionModel, digests.summaryModel])
      expect(judged(model, { nowMs: Date.UTC(2030, 0, 1) })[0]).toMatch(/^ok: /)
  })

  it('of another make may be one that has callers spoken with, and does nothing else', () => {
    const chosen = new Map([['OPENAI_SUMMARY_MODEL', 'gpt-none']])
    const listed = [{ id: 'another', shutdownDate: undefined }]
    const finding = (baseUrl: string) => judgeModels({ chosen, baseUrl, listed, nowMs })[0]
    expect(finding(ownAddress)?.severity).toBe('error')
    expect(finding('http://127.0.0.1:8000')).toMatchObject({
      severity: 'warning',
      remedy: expect.stringMatching(/built in: SUMMARIZER=built-in\.$/),
    })
  })

  it('names what to set instead', () => {
    const chosen = new Map([['OPENAI_REALTIME_MODEL', 'gpt-realtime-mini']])
    const [finding] = judgeModels({ chosen, baseUrl: ownAddress, listed: undefined, nowMs })
    expect(finding?.remedy).toBe('Set OPENAI_REALTIME_MODEL to gpt-realtime-2.1-mini before.')
  })
})

describe("Twilio's keys", () => {
  const numbers = answer(200, { incoming_phone_numbers: [{ phone_number: '+15550100200' }] })
  const fine = {
    problems: [] as string[],
    set: true,
    by: 'auth token' as 'auth token' | 'API key',
    baseUrl: 'https://api.twilio.com',
    phoneNumber: undefined as string | undefined,
    account: answer(200, { status: 'active' }) as Parameters<typeof judgeTwilio>[0]['account'],
    numbers: undefined as Parameters<typeof judgeTwilio>[0]['numbers'],
    webhooks: {
      signed: true,
      hasToken: true,
      publicBaseUrl: 'https://parley.example.com',
      sipDomain: 'sip.example.com',
    },
  }
  const byKey = { by: 'API key' as const, account: undefined }
  it.each([
    [{}, 'ok: Twilio accepts the auth token; the account is active.'],
    [{ set: false }, 'hint: No keys of Twilio are set.'],
    [
      { problems: ['TWILIO_AUTH_TOKEN is not 32 hexadecimal digits.'] },
      'error: TWILIO_AUTH_TOKEN is not 32 hexadecimal digits.',
    ],
    [{ account: answer(200, { status: 'suspended' }) }, /^error: The account at Twilio is suspended/],
    [{ account: answer(200, undefined) }, /^warning: What answers is not Twilio's API/],
    [{ account: answer(401, { code: 20003 }) }, 'error: Twilio refuses the auth token (401, error 20003).'],
    [{ ...byKey, numbers: answer(403) }, 'error: Twilio refuses the API key (403).'],
    [{ ...byKey, numbers }, 'ok: Twilio accepts the API key.'],
    [{ account: answer(404, { code: 20404 }) }, /^error: .*no such account/],
    [{ account: answer(429) }, /^warning: .*\(429\)/],
    [{ account: answer(500) }, /^warning: .*answers 500/],
    [
      { account: { unreachable: 'nothing listens there' } },
      /^warning: .*could not be reached \(nothing listens there\)/,
    ],
  ])('%j', (more, words) => expect(told(judgeTwilio({ ...fine, ...more }))[0]).toMatch(words))

  it.each([
    [{}, undefined],
    [{ hasToken: false, publicBaseUrl: undefined, sipDomain: undefined }, undefined],
    [{ signed: false }, /^warning: Webhooks are believed whoever sends them/],
    [{ hasToken: false }, /^error: .*503: TWILIO_AUTH_TOKEN is missing/],
    [{ publicBaseUrl: undefined }, /^hint: .*503: PUBLIC_BASE_URL is missing/],
    [{ sipDomain: undefined }, /^error: .*SIP_DOMAIN is missing/],
  ])('let webhooks in, or not: %j', (more, words) => {
    const [, ...further] = told(judgeTwilio({ ...fine, webhooks: { ...fine.webhooks, ...more } }))
    expect(further).toEqual(words === undefined ? [] : [expect.stringMatching(words)])
  })

  it('own the number that is set', () => {
    const judged = (phoneNumber: string) => told(judgeTwilio({ ...fine, phoneNumber, numbers }))[1]
    expect(judged('+15550100200')).toBe('ok: TWILIO_PHONE_NUMBER is a number of this account.')
    expect(judged('+15550100299')).toBe('error: TWILIO_PHONE_NUMBER is no number of this account.')
  })
})
