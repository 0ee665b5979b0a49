import { isIP } from 'node:net'
import { GatewayError } from '../../errors.ts'
import type { Destination, Outlet } from './destination.ts'
import { mediaPorts, type PortRange } from './media-ports.ts'

/** All that the configuration of one Asterisk depends on. Several may run side by side on one machine. */
export interface AsteriskSettings {
  /** Told apart from others on the machine by this: begins the id of every channel and bridge. */
  readonly systemName: string
  /** Configuration, database, recordings, logs and the control socket of this instance. */
  readonly directory: string
  readonly pidFile: string
  /** A file in its folder, rotated by the gateway that runs it; or its output, for whoever else does. */
  readonly logsTo: 'messages.log' | 'console'
  readonly sipUser: string
  readonly bindAddress: string
  readonly tcpPort: number
  readonly udpPort: number
  /** What callers and destinations are heard and spoken to on. */
  readonly rtp: PortRange
  /** The address that the far end sees, when a NAT stands between. */
  readonly externalAddress?: string | undefined
  /** Networks on this side of the NAT. */
  readonly localNetworks: readonly string[]
  /** Let in as the trunk, beyond Twilio's own ranges. */
  readonly allowedNetworks: readonly string[]
  readonly ari: { readonly port: number; readonly username: string; readonly password: string; readonly app: string }
  readonly fallbackDestination?: Destination | undefined
  /** Whom it sees calling, where that is not the caller. */
  readonly fallbackCallerId?: string | undefined
  /** Those at the start, by the name that they are dialled with: PJSIP/<user>@<name>. */
  readonly destinations: Readonly<Record<string, Outlet>>
  /** SIP over TLS, where certificates are given. */
  readonly tls?: TlsSettings | undefined
  /** The second wall behind the gateway's own admission. */
  readonly maxCalls: number
  readonly leaseSeconds: number
  /** A caller that sends no audio for so long is gone. */
  readonly silentCallerSeconds: number
  readonly voicemailSeconds: number
}

interface TlsSettings {
  readonly port: number
  /** Paths of PEM files that Asterisk reads. */
  readonly certificate: string
  readonly key: string
  /** Whose signature the certificate of a destination must have; left out: whatever it shows is taken. */
  readonly authorities?: string | undefined
}

/** Where the gateway looks from whether SIP is answered: an address of every machine that nobody calls from. */
export const watchAddress = '127.80.65.82'

/** Names with a meaning of their own in a dialplan: hangup, timeout, start and so on. */
const reservedExtensions = ['a', 'e', 'h', 'i', 'o', 's', 't', 'T']

/** Everything that is wrong, in words. What cannot be told from the settings alone is Asterisk's to refuse. */
export function checkSettings(settings: AsteriskSettings): void {
  const problems = [...nameProblems(settings), ...portProblems(settings), ...networkProblems(settings)]
  if (settings.ari.password.length < 8) problems.push('the ARI password is empty or shorter than 8 characters')
  for (const name of ['maxCalls', 'leaseSeconds', 'silentCallerSeconds', 'voicemailSeconds'] as const) {
    if (!Number.isInteger(settings[name]) || settings[name] < 1) problems.push(`${name} must be a whole number above 0`)
  }
  if (problems.length === 0) return
  throw new GatewayError(
    'CONFIG_INVALID',
    `Asterisk cannot be configured:\n${problems.map(each => `  - ${each}`).join('\n')}`,
  )
}

function nameProblems({ sipUser, systemName, ari, destinations }: AsteriskSettings): string[] {
  const problems: string[] = []
  if (!/^[A-Za-z0-9.][A-Za-z0-9_.-]{0,63}$/.test(sipUser) || reservedExtensions.includes(sipUser)) {
    problems.push(`SIP_USER "${sipUser}" cannot be an extension: letters, digits, dot, dash, no leading underscore`)
  }
  if (!/^[a-z0-9-]{1,40}$/.test(systemName))
    problems.push(`the system name "${systemName}" is not lower-case letters, digits and dashes`)
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(ari.username))
    problems.push('ARI_USERNAME may hold letters, digits, dash and underscore')
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(ari.app)) problems.push('ARI_APP may hold letters, digits, dash and underscore')
  for (const name of Object.keys(destinations)) {
    if (!/^[a-z][a-z0-9-]{0,30}$/.test(name) || name === 'fallback' || name === 'trunk') {
      problems.push(`a destination cannot be named "${name}"`)
    }
  }
  return problems
}

function portProblems(settings: AsteriskSettings): string[] {
  const { tcpPort, udpPort, tls, rtp, ari } = settings
  const problems: string[] = []
  for (const [name, port] of Object.entries({
    SIP_TCP_PORT: tcpPort,
    SIP_UDP_PORT: udpPort,
    ...(tls && { SIP_TLS_PORT: tls.port }),
    ARI_PORT: ari.port,
    RTP_PORT_START: rtp.start,
    RTP_PORT_END: rtp.end,
  })) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) problems.push(`${name} ${port} is no port`)
  }
  if (tcpPort === ari.port) problems.push(`SIP_TCP_PORT and ARI_PORT are both ${tcpPort}`)
  if (tls && (tls.port === tcpPort || tls.port === ari.port))
    problems.push(`SIP_TLS_PORT ${tls.port} is used for something else`)
  if (rtp.end - rtp.start < 3) problems.push('the RTP ports from RTP_PORT_START to RTP_PORT_END carry not one call')
  const media = mediaPorts(rtp)
  if (!media)
    problems.push('the RTP ports leave no room above or below them for the ports between Asterisk and the gateway')
  for (const { start, end } of [rtp, ...(media ? [media] : [])]) {
    if (udpPort >= start && udpPort <= end) problems.push(`SIP_UDP_PORT ${udpPort} lies among the RTP ports`)
  }
  return problems
}

function networkProblems(settings: AsteriskSettings): string[] {
  const problems: string[] = []
  if (isIP(settings.bindAddress) !== 4)
    problems.push(`the address to listen on, "${settings.bindAddress}", is not IPv4`)
  if (settings.externalAddress !== undefined && isIP(settings.externalAddress) !== 4) {
    problems.push(`EXTERNAL_ADDRESS "${settings.externalAddress}" is not an IPv4 address`)
  }
  for (const network of [...settings.localNetworks, ...settings.allowedNetworks]) {
    if (!isNetwork(network)) problems.push(`"${network}" is no IPv4 network such as 203.0.113.0/24`)
  }
  return problems
}

export function isNetwork(text: string): boolean {
  const [address = '', bits = '32', ...rest] = text.split('/')
  return isIP(address) === 4 && rest.length === 0 && /^([0-9]|[12][0-9]|3[0-2])$/.test(bits)
}
