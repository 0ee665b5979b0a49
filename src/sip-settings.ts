import { type ProblemsOfDestination, passwordVariable, sipPasswordName, sipUsername } from './business-destinations.ts'
import type { Environment } from './environment.ts'
import type { Reader } from './setting-reader.ts'
import {
  type Destination,
  isTelephoneNumber,
  type Outlet,
  type Outlets,
  parseDestination,
  problemWithPassword,
  readDestination,
  type Transport,
} from './telephony/asterisk/destination.ts'

export type SipSettings = ReturnType<typeof sipSettings>

/** Who may call, and where calls are sent to. */
export function sipSettings(read: Reader, asterisk: string) {
  const tls = tlsSettings(read)
  const transfers = transferSettings(read)
  const outlets: Outlets = { pbx: pbxOutlet(read), trunk: trunkOutlet(read), tls: tls !== undefined }
  for (const [name, outlet] of Object.entries({
    FREEPBX_DOMAIN: outlets.pbx,
    TWILIO_SIP_TRUNK_DOMAIN: outlets.trunk,
  })) {
    if (outlet?.transport !== 'tls' || tls !== undefined) continue
    read.problem(`${name} is to be reached by TLS, for which SIP_TLS_CERTIFICATE and SIP_TLS_KEY must be set.`)
  }
  return {
    sip: {
      user: read.pattern(
        'SIP_USER',
        'bianca',
        /^(?![aehiostT]$)[A-Za-z0-9.][A-Za-z0-9_.-]{0,63}$/,
        'letters, digits, dot, dash and underscore, and is no single letter of a, e, h, i, o, s, t, T',
      ),
      tcpPort: read.port('SIP_TCP_PORT', 5_061),
      udpPort: read.port('SIP_UDP_PORT', 5_060),
      tls,
      allow: read.networks('SIP_ALLOW', asterisk === 'external' ? [] : ['127.0.0.1/32']),
    },
    outlets,
    transfers,
    fallbackDestination: fallback(read, outlets),
  }
}

function tlsSettings(read: Reader) {
  const port = read.port('SIP_TLS_PORT', 5_062)
  const certificate = read.path('SIP_TLS_CERTIFICATE')
  const key = read.path('SIP_TLS_KEY')
  const authorities = read.path('SIP_TLS_CA')
  if ((certificate === undefined) !== (key === undefined)) {
    read.problem('SIP_TLS_CERTIFICATE and SIP_TLS_KEY must be set together, or neither.')
  }
  return certificate === undefined || key === undefined ? undefined : { port, certificate, key, authorities }
}

function transferSettings(read: Reader) {
  const trunkNumber = read.e164('TWILIO_TRUNK_NUMBER')
  const inboundNumber = read.e164('TWILIO_INBOUND_NUMBER')
  const customNumber = read.e164('TRANSFER_CALLER_ID')
  const callerId = read.choice('TRANSFER_CALLER_ID_FORMAT', ['original', 'trunk', 'custom'] as const, 'original')
  const trunk = trunkNumber ?? inboundNumber
  if (callerId === 'custom' && customNumber === undefined) {
    read.problem('TRANSFER_CALLER_ID_FORMAT=custom needs TRANSFER_CALLER_ID, a telephone number.')
  }
  if (callerId === 'trunk' && trunk === undefined) {
    read.problem('TRANSFER_CALLER_ID_FORMAT=trunk needs TWILIO_TRUNK_NUMBER or TWILIO_INBOUND_NUMBER.')
  }
  return { ringMs: 1_000 * read.integer('TRANSFER_TIMEOUT', 30, 5, 120), callerId, customNumber, trunkNumber: trunk }
}

const ofPbx = ['FREEPBX_SIP_PORT', 'FREEPBX_SIP_TRANSPORT', 'FREEPBX_SIP_USERNAME', 'FREEPBX_SIP_PASSWORD'] as const

/** The PBX that bare extensions are dialled at. */
function pbxOutlet(read: Reader): Outlet | undefined {
  const port = read.has('FREEPBX_SIP_PORT') ? read.port('FREEPBX_SIP_PORT', 5_060) : undefined
  read.optional('FREEPBX_SIP_PORT', '5060')
  const transport = read.choice('FREEPBX_SIP_TRANSPORT', ['udp', 'tcp', 'tls'] as const, 'udp')
  const username = read.optional('FREEPBX_SIP_USERNAME')
  const password = read.secret('FREEPBX_SIP_PASSWORD')?.reveal()
  if ((username === undefined) !== (password === undefined)) {
    read.problem('FREEPBX_SIP_USERNAME and FREEPBX_SIP_PASSWORD must be set together, or neither.')
  }
  if (username !== undefined && !sipUsername.form.test(username)) {
    read.problem(`FREEPBX_SIP_USERNAME ${sipUsername.words}.`)
  }
  const wrong = password === undefined ? undefined : problemWithPassword(password)
  if (wrong !== undefined) read.problem(`FREEPBX_SIP_PASSWORD ${wrong}.`)
  for (const name of ofPbx) {
    if (read.has(name) && !read.has('FREEPBX_DOMAIN'))
      read.problem(`${name} says how to reach the PBX of FREEPBX_DOMAIN: set that, too.`)
  }
  const outlet = outletOf(read, 'FREEPBX_DOMAIN', transport)
  if (!outlet || username === undefined || password === undefined)
    return outlet && { ...outlet, port: port ?? outlet.port }
  return { ...outlet, port: port ?? outlet.port, login: { username, password, variable: 'FREEPBX_SIP_PASSWORD' } }
}

/** The trunk that telephone numbers are called by. Over TCP, because what a call says of its caller may outgrow a packet. */
function trunkOutlet(read: Reader): Outlet | undefined {
  return outletOf(read, 'TWILIO_SIP_TRUNK_DOMAIN', 'tcp')
}

/** A host; `pbx.example.com:5070;transport=udp` says more of it. */
function outletOf(read: Reader, name: string, transport: Transport): Outlet | undefined {
  const text = read.optional(name)
  if (text === undefined) return undefined
  const found = parseDestination(`sip:x@${text}${text.includes(';') ? '' : `;transport=${transport}`}`)
  if (!('problem' in found)) return { host: found.host, port: found.port, transport: found.transport }
  read.problem(`${name} must be the name or address of a host, such as pbx.example.com; it is "${text}".`)
  return undefined
}

function fallback(read: Reader, outlets: Outlets): Destination | undefined {
  const text = read.optional('FALLBACK_DESTINATION')
  if (text === undefined) return undefined
  const destination = readDestination(text, outlets)
  if (!('problem' in destination)) return destination
  read.problem(`FALLBACK_DESTINATION: ${destination.problem}.`)
  return undefined
}

/** What the carrier dials itself needs no trunk and no certificate of ours. */
export function byCarrier(outlets: Outlets): Outlets {
  return { ...outlets, trunk: { host: 'carrier', port: 5_060, transport: 'tcp' }, tls: true }
}

/** What keeps a destination of a business from being dialled with these settings. */
export function problemsOfDestination(
  { outlets, transfers }: Pick<SipSettings, 'outlets' | 'transfers'>,
  environment: Environment,
): ProblemsOfDestination {
  return ({ address, callerId, via, password }) => {
    const ways = via === 'carrier' ? byCarrier(outlets) : outlets
    const found = typeof address === 'string' && address !== '' ? readDestination(address, ways) : undefined
    const number = typeof address === 'string' && isTelephoneNumber(address)
    const asTrunk = number && via !== 'carrier' && callerId === undefined && transfers.callerId !== 'custom'
    const wantsTrunk = callerId === 'trunk' || asTrunk
    const asWhom = wantsTrunk && transfers.trunkNumber === undefined && !(found && 'problem' in found)
    const variable = typeof password === 'string' ? passwordVariable(password) : undefined
    const wrong = sipPasswordName.test(variable ?? '') ? problemWithVariable(variable ?? '', environment) : undefined
    return [
      ...(found && 'problem' in found ? [`address: ${found.problem}`] : []),
      ...(asWhom ? ['callerId: the trunk has no number: set TWILIO_TRUNK_NUMBER or TWILIO_INBOUND_NUMBER'] : []),
      ...(wrong === undefined ? [] : [`password: ${wrong}`]),
    ]
  }
}

function problemWithVariable(name: string, environment: Environment): string | undefined {
  const value = environment[name]?.trim()
  if (!value) return `names ${name}, which the environment does not have`
  const wrong = problemWithPassword(value)
  return wrong === undefined ? undefined : `${name} ${wrong}`
}
