import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { type Business, judgeChoice } from '../src/business.ts'
import { businessDefaults, readConfig } from '../src/config.ts'
import { carrierRouteFinder, knownBusinesses, outletsOf, routeFinder } from '../src/destinations.ts'

const folder = mkdtempSync(join(tmpdir(), 'parley-destinations-'))
afterAll(() => rmSync(folder, { recursive: true }))

const pbx = { FREEPBX_DOMAIN: '192.0.2.10' }
const trunk = { TWILIO_SIP_TRUNK_DOMAIN: 'a.pstn.example.com', TWILIO_TRUNK_NUMBER: '+15550100200' }

function load(environment: Record<string, string>) {
  return { environment, config: readConfig({ STATE_DIR: folder, ...environment }) }
}

function judge(destinations: readonly object[], environment: Record<string, string> = {}) {
  return judgeChoice({ name: 'Desk', destinations }, businessDefaults(load(environment)))
}

function business(destinations: readonly object[], environment: Record<string, string> = {}): Business {
  const judged = judge(destinations, environment)
  if ('problems' in judged) throw new Error(judged.problems.join())
  return judged.business
}

function route(destination: object, environment: Record<string, string>, caller = '+15550100300') {
  const { config } = load(environment)
  return routeFinder(config, environment)(
    business([{ name: 'Front desk', ...destination }], environment),
    'front-desk',
    caller,
  )
}

describe('a destination', () => {
  it.each([
    [{ address: '2000' }, {}, /^destinations\.0\.address: "2000" is an extension, and FREEPBX_DOMAIN does not say/],
    [{ address: '+15551234567' }, pbx, /address: .* TWILIO_SIP_TRUNK_DOMAIN does not say/],
    [
      { address: '+15551234567' },
      { TWILIO_SIP_TRUNK_DOMAIN: 'a.example.com' },
      /callerId: the trunk has no number: set TWILIO_TRUNK/,
    ],
    [{ address: '2000', callerId: 'trunk' }, pbx, /callerId: the trunk has no number/],
    [{ address: 'sip:2000@192.0.2.1;transport=tls' }, {}, /address: .* wants TLS/],
    [{ address: '2000', username: 'p' }, pbx, /needs a username and a password together/],
    [{ address: '2000', via: 'carrier', mode: 'attended' }, pbx, /by the carrier is blind, and knows no username/],
    [{ address: '2000', via: 'carrier' }, {}, /address: .* FREEPBX_DOMAIN does not say/],
    [
      { address: '2000', username: 'p', password: 'secret' },
      pbx,
      /password: must name a variable .*\$\{SIP_PBX_PASSWORD\}/,
    ],
    [{ address: '2000', username: 'p', password: '${SIP_USER}' }, pbx, /password: must name a variable/],
    [
      { address: '2000', username: 'p', password: '${SIP_A_PASSWORD}' },
      pbx,
      /password: names SIP_A_PASSWORD, which the environment/,
    ],
    [
      { address: '2000', username: 'p', password: '${SIP_A_PASSWORD}' },
      { ...pbx, SIP_A_PASSWORD: 'a;b' },
      /password: SIP_A_PASSWORD must be of 1 to 128/,
    ],
  ])('%j with %j is refused in words, and without the secret', (destination, environment, words) => {
    const judged = judge([{ name: 'desk', ...destination }], environment)
    expect('problems' in judged && judged.problems).toEqual([expect.stringMatching(words)])
    expect(JSON.stringify(judged)).not.toContain('a;b')
  })

  it('that the carrier dials needs no trunk and no endpoint, and is found by its name or its address alone', () => {
    const environment = { ...pbx, FREEPBX_SIP_PORT: '5070', TRANSFER_TIMEOUT: '25' }
    const via = 'carrier'
    const desk = business(
      [
        { name: 'Front desk', address: '2000', via },
        { name: 'Owner', address: '+15551234567', via, ringSeconds: 40 },
        { name: 'Safe', address: 'sip:7@192.0.2.12;transport=tls', via, callerId: '+15550100222' },
      ],
      environment,
    )
    const { config } = load(environment)
    const find = carrierRouteFinder(config)
    const caller = '+15550100300'
    expect(find(desk, 'front DESK', caller)).toEqual({
      ...{ to: { sip: 'sip:2000@192.0.2.10:5070;transport=udp' }, callerId: caller },
      ...{ ringSeconds: 25, destination: 'Front desk' },
    })
    expect(find(desk, '2000', caller)?.destination).toBe('Front desk')
    expect(find(desk, 'Owner', caller)).toMatchObject({ to: { number: '+15551234567' }, callerId: '', ringSeconds: 40 })
    const trunk = carrierRouteFinder(load({ ...environment, TWILIO_TRUNK_NUMBER: '+15550100200' }).config)
    expect(trunk(desk, 'Owner', caller)?.callerId).toBe('+15550100200')
    expect(find(desk, 'safe', caller)).toMatchObject({
      to: { sip: 'sip:7@192.0.2.12:5061;transport=tls' },
      callerId: '+15550100222',
    })
    for (const other of ['', '2001', '+19005550100', 'sip:x@evil.example.com', '__proto__']) {
      expect(find(desk, other, caller)).toBeUndefined()
    }
    expect(outletsOf([desk], config, environment)).toEqual({})
    expect(routeFinder(config, environment)(desk, 'front-desk', caller)).toBeUndefined()
  })

  it('is reached by its name alone, however that is written, and nothing else is', () => {
    const { config } = load(pbx)
    const find = routeFinder(config, pbx)
    const desk = business([{ name: 'Front desk', address: '2000' }], pbx)
    expect(find(desk, 'Front Desk', '')?.target.dial).toMatch(/^PJSIP\/2000@d-[0-9a-f]{12}$/)
    for (const other of ['billing', '2000', 'sip:2000@192.0.2.10', 'PJSIP/2000', '', 'fallback', '__proto__']) {
      expect(find(desk, other, '')).toBeUndefined()
    }
  })

  it('sees the caller calling, or the trunk, or a number of its own', () => {
    const number = (destination: object, environment: Record<string, string>) =>
      route(destination, { ...pbx, ...trunk, ...environment })?.callerId
    expect(number({ address: '2000' }, {})).toEqual({ number: '+15550100300' })
    expect(number({ address: '2000', callerId: 'trunk' }, {})).toEqual({ number: '+15550100200' })
    expect(number({ address: '2000', callerId: '+15550100999' }, {})).toEqual({ number: '+15550100999' })
    expect(number({ address: '2000' }, { TRANSFER_CALLER_ID_FORMAT: 'trunk' })).toEqual({ number: '+15550100200' })
    const custom = { TRANSFER_CALLER_ID_FORMAT: 'custom', TRANSFER_CALLER_ID: '+15550100777' }
    expect(number({ address: '2000' }, custom)).toEqual({ number: '+15550100777' })
    expect(number({ address: '2000', callerId: 'original' }, custom)).toEqual({ number: '+15550100300' })
    expect(route({ address: '2000' }, pbx, '')?.callerId).toEqual({ number: '' })
  })

  it('that is a telephone number sees a number of the trunk, unless it says otherwise', () => {
    const number = (destination: object, environment: Record<string, string> = {}) =>
      route({ address: '+15551234567', ...destination }, { ...trunk, ...environment })?.callerId.number
    expect(number({})).toBe('+15550100200')
    expect(number({}, { TRANSFER_CALLER_ID_FORMAT: 'custom', TRANSFER_CALLER_ID: '+15550100777' })).toBe('+15550100777')
    expect(number({ callerId: 'original' })).toBe('+15550100300')
    const withheld = route({ address: '+15551234567', callerId: 'original' }, trunk, '')
    expect(withheld?.callerId.number).toBe('+15550100200')
    const inbound = { TWILIO_SIP_TRUNK_DOMAIN: 'a.example.com', TWILIO_INBOUND_NUMBER: '+15550100201' }
    expect(route({ address: '+15551234567' }, inbound)?.callerId.number).toBe('+15550100201')
  })
})

describe('endpoints', () => {
  it('are as few as the addresses of all businesses have hosts, ports, transports and passwords', () => {
    const environment = {
      ...pbx,
      ...trunk,
      SIP_A_PASSWORD: 'one',
      FREEPBX_SIP_PORT: '5070',
      FREEPBX_SIP_TRANSPORT: 'tcp',
    }
    const one = business(
      [
        { name: 'a', address: '2000' },
        { name: 'b', address: '2001' },
      ],
      environment,
    )
    const other = business(
      [
        { name: 'a', address: 'sip:2002@192.0.2.10:5070;transport=tcp' },
        { name: 'b', address: '2000', username: 'p', password: '${SIP_A_PASSWORD}' },
        { name: 'c', address: '+15551234567' },
      ],
      environment,
    )
    const outlets = Object.values(outletsOf([one, other], load(environment).config, environment))
    expect(outlets).toEqual([
      { host: '192.0.2.10', port: 5070, transport: 'tcp' },
      {
        host: '192.0.2.10',
        port: 5070,
        transport: 'tcp',
        login: { username: 'p', password: 'one', variable: 'SIP_A_PASSWORD' },
      },
      { host: 'a.pstn.example.com', port: 5060, transport: 'tcp' },
    ])
  })

  it('of the PBX of the environment have its password', () => {
    const environment = { ...pbx, FREEPBX_SIP_USERNAME: 'parley', FREEPBX_SIP_PASSWORD: 's' }
    const outlets = outletsOf(
      [business([{ name: 'a', address: '2000' }], environment)],
      load(environment).config,
      environment,
    )
    expect(Object.values(outlets)).toEqual([
      {
        host: '192.0.2.10',
        port: 5060,
        transport: 'udp',
        login: { username: 'parley', password: 's', variable: 'FREEPBX_SIP_PASSWORD' },
      },
    ])
  })

  it('are known of the businesses that the gateway has last known, too, whichever can be used', () => {
    const at = '2026-01-01T00:00:00.000Z'
    const stored = (id: string, address: string, active = true) => ({
      id,
      active,
      choice: { name: id, destinations: [{ name: 'desk', address }] },
      version: 1,
      createdAt: at,
      changedAt: at,
      fileHash: null,
    })
    const businesses = [stored('one', '2000'), stored('two', 'nowhere at all'), stored('three', '2001', false)]
    writeFileSync(join(folder, 'businesses.json'), JSON.stringify({ own: null, businesses }))
    const troubles: string[] = []
    const known = knownBusinesses(load(pbx), text => troubles.push(text))
    expect(known.map(({ id }) => id)).toEqual(['parley', 'one'])
    expect(troubles).toEqual([expect.stringContaining('the business two is left out')])
  })
})

describe('settings of transfers', () => {
  it.each([
    [{ SIP_TLS_CERTIFICATE: '/c.pem' }, 'SIP_TLS_CERTIFICATE and SIP_TLS_KEY must be set together'],
    [{ SIP_TLS_CERTIFICATE: 'c.pem', SIP_TLS_KEY: '/k.pem' }, 'SIP_TLS_CERTIFICATE must be an absolute path'],
    [{ TRANSFER_CALLER_ID_FORMAT: 'custom' }, 'needs TRANSFER_CALLER_ID'],
    [{ TRANSFER_CALLER_ID_FORMAT: 'trunk' }, 'needs TWILIO_TRUNK_NUMBER or TWILIO_INBOUND_NUMBER'],
    [{ TRANSFER_TIMEOUT: '4' }, 'TRANSFER_TIMEOUT must be a whole number from 5 to 120'],
    [{ FREEPBX_DOMAIN: 'not a host' }, 'FREEPBX_DOMAIN must be the name or address of a host'],
    [{ ...pbx, FREEPBX_SIP_USERNAME: 'x' }, 'FREEPBX_SIP_USERNAME and FREEPBX_SIP_PASSWORD must be set together'],
    [{ ...pbx, FREEPBX_SIP_USERNAME: 'x', FREEPBX_SIP_PASSWORD: 'a b' }, 'FREEPBX_SIP_PASSWORD must be of 1 to 128'],
    [{ ...pbx, FREEPBX_SIP_USERNAME: 'a;b', FREEPBX_SIP_PASSWORD: 's' }, 'FREEPBX_SIP_USERNAME may hold only letters'],
    [{ FREEPBX_SIP_PORT: '5070' }, 'FREEPBX_SIP_PORT says how to reach the PBX of FREEPBX_DOMAIN: set that, too.'],
    [{ ...pbx, FREEPBX_SIP_TRANSPORT: 'tls' }, 'FREEPBX_DOMAIN is to be reached by TLS, for which SIP_TLS_CERTIFICATE'],
    [{ TWILIO_SIP_TRUNK_DOMAIN: 'a.example;transport=tls' }, 'TWILIO_SIP_TRUNK_DOMAIN is to be reached by TLS'],
    [{ FALLBACK_DESTINATION: '2000' }, 'FALLBACK_DESTINATION: "2000" is an extension, and FREEPBX_DOMAIN'],
  ])('%j is refused in words', (environment, words) => {
    expect(() => load(environment as Record<string, string>)).toThrow(words)
  })

  it('know the fallback by any form of address', () => {
    const fallback = (address: string) =>
      load({ ...pbx, ...trunk, FALLBACK_DESTINATION: address }).config.fallbackDestination
    expect(fallback('2000')).toEqual({ host: '192.0.2.10', port: 5060, transport: 'udp', user: '2000' })
    expect(fallback('+15551234567')).toMatchObject({ host: 'a.pstn.example.com', user: '+15551234567' })
  })

  it('take a trunk that is reached otherwise', () => {
    const domain = 'a.example.com:5070;transport=udp'
    expect(load({ TWILIO_SIP_TRUNK_DOMAIN: domain }).config.outlets.trunk).toEqual({
      host: 'a.example.com',
      port: 5070,
      transport: 'udp',
    })
  })
})
