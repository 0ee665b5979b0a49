import { createHash } from 'node:crypto'
import { isIP } from 'node:net'

/** Somewhere that calls may be sent to. */
export interface Destination extends Outlet {
  readonly user: string
}

/** By what a host is spoken with: what several destinations may have in common. */
export interface Outlet {
  readonly host: string
  readonly port: number
  readonly transport: Transport
  /** For a host that asks for it. */
  readonly login?: Login
}

interface Login {
  readonly username: string
  readonly password: string
  /** The variable that holds it: tells it apart from others without telling it. */
  readonly variable: string
}

export type Transport = 'udp' | 'tcp' | 'tls'

/** Where addresses lead that name no host of their own, and what can be spoken. */
export interface Outlets {
  /** Of a bare extension. */
  readonly pbx?: Outlet | undefined
  /** Of a telephone number. */
  readonly trunk?: Outlet | undefined
  readonly tls: boolean
}

interface Problem {
  readonly problem: string
}

const form = /^sips?:([A-Za-z0-9+_.~*-]{1,64})@([A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?((?:;[a-z]+=[a-z]+)*)$/i
const extension = /^[A-Za-z0-9*][A-Za-z0-9_.*-]{0,31}$/
const number = /^\+[1-9][0-9]{6,14}$/
const transports: readonly Transport[] = ['udp', 'tcp', 'tls']
/** RFC 3261 section 19.1.2. */
const usualPorts: Readonly<Record<Transport, number>> = { udp: 5_060, tcp: 5_060, tls: 5_061 }

/** Of all that an address may be. What is wrong with it is told in words. */
export function readDestination(address: string, outlets: Outlets): Destination | Problem {
  const text = address.trim()
  if (isTelephoneNumber(text)) return readNumber(text, outlets)
  if (!/^sips?:/i.test(text) && extension.test(text)) {
    if (outlets.pbx) return { ...outlets.pbx, user: text }
    return {
      problem: `"${text}" is an extension, and FREEPBX_DOMAIN does not say of which PBX; or write it as ${example}`,
    }
  }
  const destination = parseDestination(text)
  if ('problem' in destination || destination.transport !== 'tls' || outlets.tls) return destination
  return { problem: `"${text}" wants TLS, for which SIP_TLS_CERTIFICATE and SIP_TLS_KEY must be set` }
}

/** What is meant for one, whether it is right or not. */
export function isTelephoneNumber(address: string): boolean {
  return address.trim().startsWith('+')
}

const example = 'sip:2000@10.0.0.5:5060;transport=tcp'

/** Reads `sip:2000@10.0.0.5:5060;transport=tcp`. What is wrong with it is told in words. */
export function parseDestination(text: string): Destination | Problem {
  const wrong = (why: string) => ({ problem: `"${text}" ${why}; write it as ${example}` })
  const [matched, user = '', host = '', portText, parameters = ''] = form.exec(text.trim()) ?? []
  if (!matched) return wrong('is no SIP address')
  if (isIP(host) !== 4 && !isHostName(host)) return wrong(`names no valid host (${host})`)
  const given = parameters.split(';').filter(Boolean)
  if (given.length > 1 || given.some(parameter => !/^transport=/i.test(parameter))) {
    return wrong('has parameters other than transport')
  }
  const secure = /^sips:/i.test(text)
  const named = given[0]?.slice('transport='.length).toLowerCase() ?? (secure ? 'tls' : 'udp')
  const transport = transports.find(each => each === named)
  if (transport === undefined) return wrong(`has a transport other than udp, tcp and tls (${named})`)
  if (secure && transport !== 'tls') return wrong(`asks for TLS (sips) and for ${transport}`)
  const port = Number(portText ?? usualPorts[transport])
  if (port < 1 || port > 65_535) return wrong(`has no valid port (${portText})`)
  return { user, host: host.toLowerCase(), port, transport }
}

/**
 * The name of the endpoint that it is dialled by, the same for all that have host, port, transport and login in common. The
 * password itself is not in it: the name stands in logs.
 */
export function endpointName({ host, port, transport, login }: Outlet): string {
  const common = JSON.stringify([host, port, transport, login?.username, login?.variable])
  return `d-${createHash('sha256').update(common).digest('hex').slice(0, 12)}`
}

/** As Asterisk dials it. */
export function dialString(destination: Destination): string {
  return `PJSIP/${destination.user}@${endpointName(destination)}`
}

/** What of a password Asterisk's configuration cannot hold, in words. */
export function problemWithPassword(password: string): string | undefined {
  if (/^[!-~]{1,128}$/.test(password) && !/[;\\"]/.test(password) && !password.startsWith('>')) return undefined
  return 'must be of 1 to 128 letters, digits and signs, without space, semicolon, backslash and quotation mark, and not begin with >'
}

function readNumber(text: string, { trunk }: Outlets): Destination | Problem {
  if (!number.test(text))
    return { problem: `"${text}" is no telephone number in international form, such as +15551234567` }
  if (trunk) return { ...trunk, user: text }
  return {
    problem: `"${text}" is a telephone number, and TWILIO_SIP_TRUNK_DOMAIN does not say by which trunk it is called`,
  }
}

function isHostName(host: string): boolean {
  const labels = host.split('.')
  const digitsOnly = /^\d+$/.test(labels.at(-1) ?? '')
  return !digitsOnly && labels.every(label => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label))
}
