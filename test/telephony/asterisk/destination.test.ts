import { expect, test } from 'vitest'
import {
  type Destination,
  dialString,
  endpointName,
  type Outlets,
  parseDestination,
  problemWithPassword,
  readDestination,
} from '../../../src/telephony/asterisk/destination.ts'

test.each([
  ['sip:2000@10.0.0.5:5060;transport=tcp', { user: '2000', host: '10.0.0.5', port: 5060, transport: 'tcp' }],
  ['sip:2000@10.0.0.5', { user: '2000', host: '10.0.0.5', port: 5060, transport: 'udp' }],
  [
    'SIP:+15551230000@PBX.Example.com:15060',
    { user: '+15551230000', host: 'pbx.example.com', port: 15060, transport: 'udp' },
  ],
  [' sip:front-desk@pbx;Transport=UDP ', { user: 'front-desk', host: 'pbx', port: 5060, transport: 'udp' }],
  ['sip:2000@10.0.0.5;transport=tls', { user: '2000', host: '10.0.0.5', port: 5061, transport: 'tls' }],
  ['sips:2000@10.0.0.5:5070', { user: '2000', host: '10.0.0.5', port: 5070, transport: 'tls' }],
])('%s', (text, expected) => {
  expect(parseDestination(text)).toEqual(expected)
})

test.each([
  ['2000', 'is no SIP address'],
  ['sip:10.0.0.5', 'is no SIP address'],
  ['sip:a b@10.0.0.5', 'is no SIP address'],
  ['sip:2000@10.0.0.5\nmatch = 0.0.0.0/0', 'is no SIP address'],
  ['sip:2000@10.0.0.5;x=${A}', 'is no SIP address'],
  ['sip:2000]@10.0.0.5', 'is no SIP address'],
  ['sips:2000@10.0.0.5;transport=tcp', 'asks for TLS (sips) and for tcp'],
  ['sip:2000@10.0.0.5:0', 'no valid port'],
  ['sip:2000@10.0.0.5:70000', 'no valid port'],
  ['sip:2000@10.0.0.500', 'names no valid host'],
  ['sip:2000@-x.example', 'names no valid host'],
  ['sip:2000@10.0.0.5;transport=sctp', 'a transport other than'],
  ['sip:2000@10.0.0.5;user=phone', 'parameters other than'],
  ['sip:2000@10.0.0.5;transport=tcp;transport=udp', 'parameters other than'],
])('%j is refused in words', (text, words) => {
  expect(parseDestination(text)).toEqual({ problem: expect.stringContaining(words) })
})

const login = { username: 'parley', password: 'secret', variable: 'FREEPBX_SIP_PASSWORD' }
const pbx = { host: '192.0.2.10', port: 5060, transport: 'udp', login } as const
const trunk = { host: 'a.pstn.example.com', port: 5060, transport: 'tcp' } as const
const outlets: Outlets = { pbx, trunk, tls: false }

test('an extension is one of the PBX, a number goes by the trunk, an address goes its own way', () => {
  expect(readDestination('2000', outlets)).toEqual({ ...pbx, user: '2000' })
  expect(readDestination('*97', outlets)).toEqual({ ...pbx, user: '*97' })
  expect(readDestination(' +15551234567 ', outlets)).toEqual({ ...trunk, user: '+15551234567' })
  expect(readDestination('sip:2000@192.0.2.11', outlets)).toEqual(parseDestination('sip:2000@192.0.2.11'))
})

test.each([
  ['2000', { tls: false }, 'FREEPBX_DOMAIN does not say'],
  ['+15551234567', { tls: false }, 'TWILIO_SIP_TRUNK_DOMAIN does not say'],
  ['+1555', outlets, 'is no telephone number in international form'],
  ['+1 555 1234567', outlets, 'is no telephone number in international form'],
  [
    'sip:2000@192.0.2.11;transport=tls',
    outlets,
    'wants TLS, for which SIP_TLS_CERTIFICATE and SIP_TLS_KEY must be set',
  ],
  ['reception desk', outlets, 'is no SIP address'],
  ['PJSIP/2000', outlets, 'is no SIP address'],
  ['Local/s@fallback', outlets, 'is no SIP address'],
])('%s cannot be dialled where %j is all that is known', (address, known, words) => {
  expect(readDestination(address, known as Outlets)).toEqual({ problem: expect.stringContaining(words) })
})

test('what has host, port, transport and login in common is one endpoint, by a name without secrets', () => {
  const name = endpointName(pbx)
  expect(name).toMatch(/^d-[0-9a-f]{12}$/)
  expect(endpointName({ ...pbx, login: { ...login, password: 'another' } })).toBe(name)
  const others = [
    { ...pbx, host: '192.0.2.11' },
    { ...pbx, port: 5061 },
    { ...pbx, transport: 'tcp' as const },
    { ...pbx, login: { ...login, username: 'x' } },
    { ...pbx, login: { ...login, variable: 'SIP_OTHER_PASSWORD' } },
    { host: pbx.host, port: pbx.port, transport: pbx.transport },
  ]
  expect(new Set([name, ...others.map(endpointName)]).size).toBe(7)
  expect(dialString({ ...pbx, user: '2000' } satisfies Destination)).toBe(`PJSIP/2000@${name}`)
})

test('passwords that the configuration cannot hold are known', () => {
  for (const right of ['s3cret', 'a-b_c!d#e$f%g&h', '{[(<=>)]}', "it's"])
    expect(problemWithPassword(right)).toBeUndefined()
  for (const wrong of [
    '',
    'with space',
    'semi;colon',
    'back\\slash',
    'quo"te',
    '>first',
    'ünïcode',
    'x\ny',
    'x'.repeat(129),
  ]) {
    expect(problemWithPassword(wrong)).toMatch(/^must be of/)
  }
})
