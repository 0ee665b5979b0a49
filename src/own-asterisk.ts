import { join } from 'node:path'
import { type Business, destinationKey, type Engine } from './business.ts'
import type { ContextSources } from './call/caller-context.ts'
import type { Handler } from './call/ports.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { GatewayError } from './errors.ts'
import type { Log } from './log.ts'
import { addressOfDefaultRoute } from './own-address.ts'
import type { StateDir } from './state-dir.ts'
import { acquireAsterisk } from './telephony/asterisk/acquire.ts'
import { readTrunkAddresses } from './telephony/asterisk/addresses.ts'
import { type Destination, parseDestination } from './telephony/asterisk/destination.ts'
import { AsteriskProcess } from './telephony/asterisk/process.ts'
import type { AsteriskSettings } from './telephony/asterisk/settings.ts'

/** What the gateway finds when it starts. */
export interface Surroundings {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  /** Who talks: one for each engine. */
  readonly handlers: Readonly<Record<Engine, Handler>>
  /** Makes ready what the engine of this business needs before it takes calls; rejects when that is missing. */
  readonly prepare: (business: Business) => Promise<void>
  /** Asks a business's own records who calls. */
  readonly lookUp: ContextSources['lookUp']
  /** A long step of the start, for the person who waits. */
  readonly progress: (text: string) => void
}

const VOICEMAIL_SECONDS = 120

/** Where an Asterisk lives, and how it is told from others. */
type Place = Pick<AsteriskSettings, 'systemName' | 'directory' | 'pidFile' | 'logsTo'>

/** What an Asterisk for this gateway is configured with, whoever starts it. */
export async function asteriskSettings(
  config: Config,
  { ari, maxCalls, business, ...place }: Place & Pick<AsteriskSettings, 'ari' | 'maxCalls'> & { business: Business },
): Promise<AsteriskSettings> {
  return {
    ...place,
    ari,
    maxCalls,
    sipUser: config.sip.user,
    bindAddress: '0.0.0.0',
    tcpPort: config.sip.tcpPort,
    udpPort: config.sip.udpPort,
    rtp: config.rtp,
    externalAddress: config.externalAddress,
    localNetworks: [...config.localNetworks, ...(await ownNetworks())],
    allowedNetworks: config.sip.allow,
    fallbackDestination: config.fallbackDestination,
    destinations: destinationsOf(business),
    leaseSeconds: config.timing.leaseMs / 1_000,
    silentCallerSeconds: config.timing.silentCallerMs / 1_000,
    voicemailSeconds: VOICEMAIL_SECONDS,
  }
}

/** The Asterisk that belongs to this gateway: obtained, configured by what the gateway was told, not started yet. */
export async function ownAsterisk(
  { config, environment, log, progress }: Omit<Surroundings, 'handlers' | 'prepare'>,
  state: StateDir,
  told: Pick<AsteriskSettings, 'ari' | 'maxCalls'> & { readonly business: Business },
): Promise<AsteriskProcess> {
  const settings = await asteriskSettings(config, {
    ...told,
    systemName: `parley-${state.mark}`,
    directory: join(state.path, 'pbx'),
    pidFile: join(state.path, 'asterisk.pid'),
    logsTo: 'messages.log',
  })
  const program = await acquireAsterisk({
    configured: config.asterisk,
    cacheDirectory: config.asteriskCache,
    environment,
    clock: systemClock,
    progress,
  })
  return new AsteriskProcess({
    program,
    settings,
    trunk: readTrunkAddresses(),
    clock: systemClock,
    random: Math.random,
    progress,
    onDied: reason => log.error(`${reason} It is started again.`),
    onStarted: ({ pid, adopted }) =>
      log.info({ pid }, adopted ? 'the running Asterisk was adopted' : 'Asterisk started'),
  })
}

/**
 * Asterisk puts the external address in the place of its own only where its own lies in a local network, and tells nobody when
 * it does not: whoever sets LOCAL_NETWORKS without this machine's would have calls without sound.
 */
async function ownNetworks(): Promise<string[]> {
  const own = await addressOfDefaultRoute()
  return own === undefined ? [] : [`${own}/32`]
}

/** By the names they are dialled by. */
export function destinationsOf(business: Business): Record<string, Destination> {
  return Object.fromEntries(
    business.destinations.map(({ name, address }) => [
      destinationKey(name),
      destination(`the destination "${name}"`, address),
    ]),
  )
}

function destination(whose: string, address: string): Destination {
  const parsed = parseDestination(address)
  if ('problem' in parsed) throw new GatewayError('CONFIG_INVALID', `${whose}: ${parsed.problem}.`)
  return parsed
}
