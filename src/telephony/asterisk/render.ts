import { createHash } from 'node:crypto'
import type { TrunkAddresses } from './addresses.ts'
import { mediaPorts } from './media-ports.ts'
import { covers } from './networks.ts'
import type { AsteriskProgram } from './program.ts'
import { allAddresses, type ResolvedDestinations } from './resolve.ts'
import { type AsteriskSettings, checkSettings, watchAddress } from './settings.ts'
import { fillTemplates, readTemplate, type Values } from './template.ts'

const files = [
  'asterisk.conf',
  'modules.conf',
  'logger.conf',
  'http.conf',
  'ari.conf',
  'rtp.conf',
  'pjproject.conf',
  'pjsip.conf',
  'indications.conf',
  'musiconhold.conf',
  'extensions.conf',
]

/** Asterisk reports these as errors when they are missing, and needs nothing of them. */
const emptyFiles = [
  'acl.conf',
  'ccss.conf',
  'cdr.conf',
  'cel.conf',
  'features.conf',
  'stasis.conf',
  'udptl.conf',
  'websocket_client.conf',
]

const acl = 'pjsip_acl.conf'
const outlets = 'pjsip_destinations.conf'

export interface RenderInput {
  readonly settings: AsteriskSettings
  readonly program: Pick<AsteriskProgram, 'moduleDirectory' | 'dataDirectory'>
  readonly trunk: TrunkAddresses
  readonly destinations: ResolvedDestinations
}

/** The whole configuration of one Asterisk: file name to text. The same input gives the same text to the byte. */
export function renderConfiguration(input: RenderInput): Map<string, string> {
  const { settings } = input
  checkSettings(settings)
  const templates = new Map(files.map(file => [file, readTemplate(file)]))
  const rendered = fillTemplates(templates, valuesOf(input))
  rendered.set('pjsip_allowed.conf', renderAllowed(settings))
  rendered.set('pjsip_tls.conf', renderTls(settings))
  for (const [file, text] of renderDestinations(input)) rendered.set(file, text)
  for (const file of emptyFiles) rendered.set(file, '; Nothing to set.\n')
  return rendered
}

/** What of it changes with the destinations: read anew by a running Asterisk when it is told to. */
export function renderDestinations(input: Omit<RenderInput, 'program'>): Map<string, string> {
  return new Map([
    [acl, renderAcl(input)],
    [outlets, renderOutlets(input)],
  ])
}

/**
 * Tells whether a running Asterisk has this configuration, whatever its destinations: they are changed while it runs. Secrets
 * cannot be read from it.
 */
export function configurationMark(rendered: ReadonlyMap<string, string>, command: readonly string[]): string {
  const hash = createHash('sha256').update(command.join('\0'))
  for (const [file, text] of rendered) if (file !== acl && file !== outlets) hash.update(`\0${file}\0${text}`)
  return hash.digest('hex')
}

function valuesOf({ settings, program, trunk }: RenderInput): Values {
  return {
    directory: settings.directory,
    moduleDirectory: program.moduleDirectory,
    dataDirectory: program.dataDirectory,
    systemName: settings.systemName,
    logsTo: settings.logsTo,
    ariPort: settings.ari.port,
    ariUsername: settings.ari.username,
    ariPassword: settings.ari.password,
    app: settings.ari.app,
    ...betweenValues(settings),
    trunkSignalling: trunk.signalling,
    bindAddress: settings.bindAddress,
    tcpPort: settings.tcpPort,
    udpPort: settings.udpPort,
    externalAddress: settings.externalAddress ? [settings.externalAddress] : [],
    localNetworks: settings.externalAddress ? settings.localNetworks : [],
    ...mediaValues(settings),
    sipUser: settings.sipUser,
    maxCalls: settings.maxCalls,
    leaseSeconds: settings.leaseSeconds,
    voicemailSeconds: settings.voicemailSeconds,
    ...fallbackValues(settings),
  }
}

function fallbackValues({ fallbackDestination, fallbackCallerId }: AsteriskSettings) {
  return {
    afterAnswer: fallbackDestination ? 'destination' : 'voicemail',
    fallbackUser: fallbackDestination ? [fallbackDestination.user] : [],
    fallbackCallerId: fallbackDestination && fallbackCallerId ? [fallbackCallerId] : [],
  }
}

/** `checkSettings` has made sure that there are such ports. */
function betweenValues({ rtp }: AsteriskSettings) {
  const { start, end } = mediaPorts(rtp) ?? rtp
  return { mediaStart: start, mediaEnd: end }
}

function mediaValues(settings: AsteriskSettings) {
  const bound = settings.bindAddress !== '0.0.0.0'
  return {
    rtpStart: settings.rtp.start,
    rtpEnd: settings.rtp.end,
    silentCallerSeconds: settings.silentCallerSeconds,
    mediaAddress: bound ? [settings.bindAddress] : [],
    mediaAddressBound: bound ? ['yes'] : [],
  }
}

/** Whose calls are taken. */
export function trunkNetworks(settings: Pick<AsteriskSettings, 'allowedNetworks'>, trunk: TrunkAddresses): string[] {
  return [...new Set([...trunk.signalling, ...settings.allowedNetworks])]
}

/** Asterisk takes no section that names nobody. */
function renderAllowed({ allowedNetworks }: AsteriskSettings): string {
  return allowedNetworks.length === 0 ? "; Nobody's.\n" : fill('pjsip_allowed.conf', { allowedNetworks })
}

function renderTls(settings: AsteriskSettings): string {
  const { tls, bindAddress, externalAddress, localNetworks } = settings
  if (!tls) return '; No certificates are given.\n'
  return fill('pjsip_tls.conf', {
    bindAddress,
    tlsPort: tls.port,
    certificate: tls.certificate,
    key: tls.key,
    authorities: tls.authorities ? [tls.authorities] : [],
    verifies: tls.authorities ? 'yes' : 'no',
    externalAddress: externalAddress ? [externalAddress] : [],
    localNetworks: externalAddress ? localNetworks : [],
  })
}

function renderAcl({ settings, trunk, destinations }: Omit<RenderInput, 'program'>): string {
  return fill(acl, {
    trunkNetworks: trunkNetworks(settings, trunk),
    destinationAddresses: allAddresses(destinations),
    watchAddress,
  })
}

function renderOutlets({ settings, trunk, destinations }: Omit<RenderInput, 'program'>): string {
  const callers = trunkNetworks(settings, trunk)
  const sections = [...destinations].map(([name, { host, port, transport, login, addresses }]) => {
    const known = addresses.filter(address => !covers(callers, address))
    const values = { ...mediaValues(settings), name, host, port, transport, login: login ? [name] : [] }
    return [
      fill('pjsip_destination.conf', values),
      ...(login ? [fill('pjsip_login.conf', { name, username: login.username }, { password: login.password })] : []),
      // Asterisk takes no section that names nobody.
      ...(known.length > 0 ? [fill('pjsip_identify.conf', { name, addresses: known.toSorted() })] : []),
    ].join('')
  })
  return sections.length === 0 ? '; There are none.\n' : sections.sort().join('\n')
}

function fill(file: string, values: Values, secrets: Readonly<Record<string, string>> = {}): string {
  return fillTemplates(new Map([[file, readTemplate(file)]]), values, secrets).get(file) ?? ''
}
