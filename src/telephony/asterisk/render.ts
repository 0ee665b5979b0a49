import { createHash } from 'node:crypto'
import type { TrunkAddresses } from './addresses.ts'
import { mediaPorts } from './media-ports.ts'
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

export interface RenderInput {
  readonly settings: AsteriskSettings
  readonly program: Pick<AsteriskProgram, 'moduleDirectory' | 'dataDirectory'>
  readonly trunk: TrunkAddresses
  readonly destinations: ResolvedDestinations
}

/** The whole configuration of one Asterisk: file name to text. The same input gives the same text to the byte. */
export function renderConfiguration(input: RenderInput): Map<string, string> {
  checkSettings(input.settings)
  const templates = new Map(files.map(file => [file, readTemplate(file)]))
  const rendered = fillTemplates(templates, valuesOf(input))
  rendered.set('pjsip_allowed.conf', renderAllowed(input.settings))
  rendered.set('pjsip_destinations.conf', renderDestinations(input))
  for (const file of emptyFiles) rendered.set(file, '; Nothing to set.\n')
  return rendered
}

/** Tells whether a running Asterisk has this configuration. Secrets cannot be read from it. */
export function configurationMark(rendered: ReadonlyMap<string, string>, command: readonly string[]): string {
  const hash = createHash('sha256').update(command.join('\0'))
  for (const [file, text] of rendered) hash.update(`\0${file}\0${text}`)
  return hash.digest('hex')
}

function valuesOf({ settings, program, trunk, destinations }: RenderInput): Values {
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
    trunkNetworks: trunkNetworks(settings, trunk),
    trunkSignalling: trunk.signalling,
    destinationAddresses: allAddresses(destinations),
    watchAddress,
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
    afterAnswer: destinations.has('fallback') ? 'destination' : 'voicemail',
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
  const file = 'pjsip_allowed.conf'
  if (allowedNetworks.length === 0) return "; Nobody's.\n"
  return fillTemplates(new Map([[file, readTemplate(file)]]), { allowedNetworks }).get(file) ?? ''
}

function renderDestinations({ settings, destinations }: RenderInput): string {
  const template = readTemplate('pjsip_destination.conf')
  const sections = [...destinations].map(([name, destination]) => {
    const values = { ...mediaValues(settings), ...destination, name, addresses: [...destination.addresses].sort() }
    return fillTemplates(new Map([[name, template]]), values).get(name)
  })
  return sections.sort().join('\n')
}
