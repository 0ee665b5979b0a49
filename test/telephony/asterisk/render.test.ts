import { expect, test } from 'vitest'
import { readTrunkAddresses } from '../../../src/telephony/asterisk/addresses.ts'
import { configurationMark, type RenderInput, renderConfiguration } from '../../../src/telephony/asterisk/render.ts'
import { type AsteriskSettings, watchAddress } from '../../../src/telephony/asterisk/settings.ts'

const settings: AsteriskSettings = {
  systemName: 'parley-test',
  directory: '/var/lib/parley/asterisk',
  pidFile: '/var/lib/parley/asterisk.pid',
  logsTo: 'messages.log',
  sipUser: 'bianca',
  bindAddress: '0.0.0.0',
  tcpPort: 5061,
  udpPort: 5060,
  rtp: { start: 10_000, end: 10_100 },
  localNetworks: ['10.0.0.0/8'],
  allowedNetworks: ['127.0.0.1/32'],
  ari: { port: 8088, username: 'parley', password: 'not-guessable', app: 'parley' },
  destinations: {},
  maxCalls: 22,
  leaseSeconds: 15,
  silentCallerSeconds: 30,
  voicemailSeconds: 120,
}
const program = { moduleDirectory: '/usr/lib/asterisk/modules', dataDirectory: '/usr/share/asterisk' }
const desk = {
  host: 'pbx.example',
  port: 5070,
  transport: 'tcp',
  addresses: ['192.0.2.9', '192.0.2.5'],
} as const

function render(changes: Partial<AsteriskSettings> = {}, destinations: RenderInput['destinations'] = new Map()) {
  return renderConfiguration({
    settings: { ...settings, ...changes },
    program,
    trunk: readTrunkAddresses(),
    destinations,
  })
}

/** The lines of a file that mean something. */
function lines(rendered: ReadonlyMap<string, string>, file: string): string[] {
  return (rendered.get(file) ?? '').split('\n').filter(line => line && !line.startsWith(';'))
}

/** The lines from a section's head to the next head. */
function section(all: readonly string[], head: string, type: string): string[] {
  const sections = all.join('\n').split(/\n(?=\[)/)
  const is = (each: string) => [`[${head}]`, `[${head}](!)`].some(first => each.startsWith(`${first}\ntype = ${type}`))
  return (sections.find(is) ?? '').split('\n')
}

test('every template is filled, and the variables of the dialplan survive', () => {
  const rendered = render()
  for (const file of rendered.keys()) expect(lines(rendered, file).join('\n')).not.toMatch(/\{\{|undefined/)
  const dialplan = lines(rendered, 'extensions.conf')
  expect(dialplan).toContain('exten => bianca,1,Set(GROUP()=inbound)')
  expect(dialplan).toContain(' same => n,Set(PARLEY_USER=${EXTEN})')
  expect(dialplan).toContain(
    ' same => n,Stasis(parley,inbound,${PARLEY_URI},${PARLEY_HEADERS},${PARLEY_FROM},${PARLEY_USER})',
  )
})

test("only the trunk's networks, SIP_ALLOW and the destinations' addresses pass, and each is who it is", () => {
  const rendered = render({}, new Map([['desk', desk]]))
  const trunk = readTrunkAddresses().signalling
  expect(section(lines(rendered, 'pjsip_acl.conf'), 'acl', 'acl').slice(2)).toEqual([
    'deny = 0.0.0.0/0',
    'deny = ::/0',
    ...[...trunk, '127.0.0.1/32'].map(network => `permit = ${network}`),
    'permit = 192.0.2.5',
    'permit = 192.0.2.9',
    `permit = ${watchAddress}`,
  ])
  expect(section(lines(rendered, 'pjsip.conf'), 'trunk', 'identify').filter(line => line.startsWith('match'))).toEqual(
    trunk.map(network => `match = ${network}`),
  )
  expect(section(lines(rendered, 'pjsip_allowed.conf'), 'sip_allow', 'identify').slice(2)).toEqual([
    'endpoint = sip_allow',
    'match = 127.0.0.1/32',
  ])
  expect(lines(render({ allowedNetworks: [] }), 'pjsip_allowed.conf')).toEqual([])
})

test('sound goes to where the trunk says, and back to where it comes from for telephones behind a NAT', () => {
  const text = lines(render(), 'pjsip.conf').join('\n')
  expect(text).toContain('[trunk](caller)\nrtp_symmetric = no')
  expect(text).toContain('[sip_allow](caller)\nrtp_symmetric = yes')
})

test('a destination has its own endpoint, in a context without extensions', () => {
  const rendered = render({}, new Map([['desk', desk]]))
  const destination = lines(rendered, 'pjsip_destinations.conf')
  expect(section(destination, 'desk', 'endpoint')).toContain('context = from-destination')
  expect(section(destination, 'desk', 'aor')).toContain('contact = sip:pbx.example:5070\\;transport=tcp')
  expect(section(destination, 'desk', 'identify').slice(2)).toEqual([
    'endpoint = desk',
    'match = 192.0.2.5',
    'match = 192.0.2.9',
  ])
  const dialplan = (rendered.get('extensions.conf') ?? '').split('[from-destination]')[1] ?? 'missing'
  expect(dialplan.trim()).toBe('')
  expect(lines(rendered, 'pjsip_destinations.conf').join()).not.toContain('auth')
})

test('a destination that asks for a password is given it, whatever signs it holds', () => {
  const login = { username: 'parley', password: '{s3cret}<$%&>#!', variable: 'SIP_PBX_PASSWORD' }
  const destination = lines(render({}, new Map([['desk', { ...desk, login }]])), 'pjsip_destinations.conf')
  expect(section(destination, 'desk', 'endpoint')).toContain('outbound_auth = desk')
  expect(section(destination, 'desk', 'auth').slice(2)).toEqual([
    'auth_type = userpass',
    'username = parley',
    'password = {s3cret}<$%&>#!',
  ])
  const wrong = { ...login, password: 'a;b' }
  expect(() => render({}, new Map([['desk', { ...desk, login: wrong }]]))).toThrow(/"password" holds characters/)
})

test("whoever calls from the trunk's addresses stays the trunk, also where a destination has the same", () => {
  const addresses = ['54.172.60.1', '127.0.0.1', '192.0.2.5']
  const rendered = render({}, new Map([['desk', { ...desk, addresses }]]))
  const matches = (destinations: string[]) =>
    section(destinations, 'desk', 'identify').filter(line => line.startsWith('match'))
  expect(matches(lines(rendered, 'pjsip_destinations.conf'))).toEqual(['match = 192.0.2.5'])
  const none = render({}, new Map([['desk', { ...desk, addresses: ['54.172.60.1'] }]]))
  expect(matches(lines(none, 'pjsip_destinations.conf'))).toEqual([])
})

test('TLS is spoken where certificates are given', () => {
  expect(lines(render(), 'pjsip_tls.conf')).toEqual([])
  const tls = { port: 5062, certificate: '/etc/parley/cert.pem', key: '/etc/parley/key.pem' }
  const transport = (more = {}) => lines(render({ tls: { ...tls, ...more } }), 'pjsip_tls.conf').slice(2)
  expect(transport()).toEqual([
    'protocol = tls',
    'bind = 0.0.0.0:5062',
    'method = tlsv1_2',
    'cert_file = /etc/parley/cert.pem',
    'priv_key_file = /etc/parley/key.pem',
    'verify_server = no',
  ])
  expect(transport({ authorities: '/etc/parley/ca.pem' }).slice(-2)).toEqual([
    'ca_list_file = /etc/parley/ca.pem',
    'verify_server = yes',
  ])
})

test('callers have ports of their own, so that none of them can take one from the way to the gateway', () => {
  const rendered = render({}, new Map([['desk', desk]]))
  expect(lines(rendered, 'rtp.conf').slice(0, 3)).toEqual(['[general]', 'rtpstart = 10101', 'rtpend = 10201'])
  for (const [file, name] of [
    ['pjsip.conf', 'caller'],
    ['pjsip_destinations.conf', 'desk'],
  ] as const) {
    const endpoint = section(lines(rendered, file), name, 'endpoint')
    expect(endpoint.filter(line => line.startsWith('rtp_port'))).toEqual([
      'rtp_port_start = 10000',
      'rtp_port_end = 10100',
    ])
  }
})

test('the fallback dials only when there is somewhere to dial, and as whom it must', () => {
  const dialplan = (changes: Partial<AsteriskSettings>) =>
    lines(render(changes), 'extensions.conf').filter(line =>
      /Goto\((voicemail|destination)\)|@fallback|CALLERID\(num\)=/.test(line),
    )
  expect(dialplan({})).toEqual([' same => n,Goto(voicemail)'])
  const fallbackDestination = { user: '2000', host: 'pbx.example', port: 5070, transport: 'tcp' } as const
  const dial = ' same => n,Dial(PJSIP/2000@fallback,25,r)'
  expect(dialplan({ fallbackDestination })).toEqual([' same => n,Goto(destination)', dial])
  expect(dialplan({ fallbackDestination, fallbackCallerId: '+15550100200' })).toEqual([
    ' same => n,Goto(destination)',
    ' same => n,Set(CALLERID(num)=+15550100200)',
    dial,
  ])
})

test('addresses behind a NAT are set only when there is one', () => {
  const pattern = /^(external_|local_net|media_address|bind_rtp)/
  expect(lines(render(), 'pjsip.conf').filter(line => pattern.test(line))).toEqual([])
  const behind = lines(render({ externalAddress: '203.0.113.7', bindAddress: '10.0.0.2' }), 'pjsip.conf')
  expect(behind.filter(line => pattern.test(line))).toEqual([
    ...Array.from({ length: 2 }, () => [
      'external_signaling_address = 203.0.113.7',
      'external_media_address = 203.0.113.7',
      'local_net = 10.0.0.0/8',
    ]).flat(),
    'media_address = 10.0.0.2',
    'bind_rtp_to_media_address = yes',
  ])
})

test('the mark tells configurations apart and holds no secret', () => {
  const mark = (changes: Partial<AsteriskSettings>) => configurationMark(render(changes), ['asterisk'])
  expect(mark({})).toBe(mark({}))
  expect(mark({ leaseSeconds: 14 })).not.toBe(mark({}))
  expect(mark({ ari: { ...settings.ari, password: 'another-one' } })).not.toBe(mark({}))
  expect(configurationMark(render(), ['other'])).not.toBe(mark({}))
  expect(configurationMark(render({}, new Map([['desk', desk]])), ['asterisk'])).toBe(mark({}))
  expect(mark({})).toMatch(/^[0-9a-f]{64}$/)
})

test.each([
  [{ ari: { ...settings.ari, password: '' } }, 'ARI password is empty'],
  [{ ari: { ...settings.ari, username: 'a]b' } }, 'ARI_USERNAME'],
  [{ ari: { ...settings.ari, app: 'a,b' } }, 'ARI_APP'],
  [{ sipUser: '_X.' }, 'SIP_USER'],
  [{ sipUser: 'h' }, 'SIP_USER'],
  [{ sipUser: '' }, 'SIP_USER'],
  [{ tcpPort: 8088 }, 'SIP_TCP_PORT and ARI_PORT are both 8088'],
  [{ tls: { port: 5061, certificate: '/c', key: '/k' } }, 'SIP_TLS_PORT 5061 is used for something else'],
  [{ udpPort: 10_050 }, 'lies among the RTP ports'],
  [{ udpPort: 10_150 }, 'lies among the RTP ports'],
  [{ rtp: { start: 10_000, end: 10_001 } }, 'carry not one call'],
  [{ rtp: { start: 2_000, end: 65_000 } }, 'leave no room above or below'],
  [{ ari: { ...settings.ari, port: 70_000 } }, 'ARI_PORT 70000 is no port'],
  [{ allowedNetworks: ['127.0.0.1/33'] }, '"127.0.0.1/33" is no IPv4 network'],
  [{ localNetworks: ['home'] }, '"home" is no IPv4 network'],
  [{ externalAddress: 'example.com' }, 'EXTERNAL_ADDRESS'],
  [{ bindAddress: '::' }, 'is not IPv4'],
  [{ leaseSeconds: 0 }, 'leaseSeconds'],
  [{ systemName: 'A B' }, 'system name'],
  [{ destinations: { trunk: desk } }, 'a destination cannot be named "trunk"'],
  [{ directory: '/tmp/a;b' }, 'holds characters'],
])('wrong settings are refused in words: %j', (changes, words) => {
  expect(() => render(changes as Partial<AsteriskSettings>)).toThrow(words)
})

test('all problems are told at once, and no secret', () => {
  try {
    render({ sipUser: 'h', maxCalls: 0, ari: { ...settings.ari, password: 'short' } })
    expect.unreachable()
  } catch (error) {
    expect(String(error)).toMatch(/SIP_USER[\s\S]*ARI password[\s\S]*maxCalls/)
    expect(String(error)).not.toContain('short"')
  }
})
