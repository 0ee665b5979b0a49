import { join } from 'node:path'
import type { Speaker } from './agent/ports.ts'
import type { Business, Engine } from './business.ts'
import type { ContextSources } from './call/caller-context.ts'
import type { AnnounceTransfer, Handler } from './call/ports.ts'
import { systemClock } from './clock.ts'
import type { Config } from './config.ts'
import { onDisk } from './debian/disk.ts'
import type { SendHook } from './desk/hooks.ts'
import type { Notifier } from './desk/notifier.ts'
import { outletsOf } from './destinations.ts'
import type { Log } from './log.ts'
import { addressOfDefaultRoute } from './own-address.ts'
import type { Digesters } from './own-digests.ts'
import type { Scope } from './scope.ts'
import type { StateDir } from './state-dir.ts'
import type { AriSettings } from './telephony/ari-client.ts'
import { acquireAsterisk } from './telephony/asterisk/acquire.ts'
import { readTrunkAddresses } from './telephony/asterisk/addresses.ts'
import { isTelephoneNumber } from './telephony/asterisk/destination.ts'
import { replaceFiles } from './telephony/asterisk/layout.ts'
import { LiveDestinations } from './telephony/asterisk/live-destinations.ts'
import { AsteriskProcess } from './telephony/asterisk/process.ts'
import { endpointsInUse, reloadDestinations } from './telephony/asterisk/reload.ts'
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
  /** Who speaks where no engine holds a conversation: the business's own, if there is one, and the one that needs nobody. */
  readonly speakers: (business: Business) => { readonly own: Speaker | undefined; readonly builtIn: Speaker }
  /** Asks a business's own records who calls. */
  readonly lookUp: ContextSources['lookUp']
  /** Tells a business's own systems of transfers. */
  readonly announce: AnnounceTransfer
  /** Tells them what their people must hear of. */
  readonly webhook: Notifier
  /** Make something of words when a call is over. */
  readonly digesters: Digesters
  /** Tells integrators what happened. */
  readonly sendHook: SendHook
  /** A long step of the start, for the person who waits. */
  readonly progress: (text: string) => void
}

const VOICEMAIL_SECONDS = 120

/** Where an Asterisk lives, and how it is told from others. */
type Place = Pick<AsteriskSettings, 'systemName' | 'directory' | 'pidFile' | 'logsTo'>

/** What it is told beyond the settings. */
type Told = Pick<AsteriskSettings, 'ari' | 'maxCalls' | 'destinations'>

/** What an Asterisk for this gateway is configured with, whoever starts it. */
export async function asteriskSettings(
  config: Config,
  { ari, maxCalls, destinations, ...place }: Place & Told,
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
    fallbackCallerId: fallbackCallerId(config),
    destinations,
    tls: config.sip.tls,
    leaseSeconds: config.timing.leaseMs / 1_000,
    silentCallerSeconds: config.timing.silentCallerMs / 1_000,
    voicemailSeconds: VOICEMAIL_SECONDS,
  }
}

/** The Asterisk that belongs to this gateway: obtained, configured by what the gateway was told, not started yet. */
async function ownAsterisk(
  { config, environment, log, progress }: Omit<Surroundings, 'handlers' | 'prepare'>,
  state: StateDir,
  told: Told,
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

type ToldForGood = Pick<Told, 'maxCalls'> & {
  readonly ari: AriSettings & Told['ari']
  /** Whose destinations are reached: those that there are just now. */
  readonly directory: { readonly active: readonly Business[] }
}

/**
 * The Asterisk of a gateway, ours or not, and its destinations. Ours is stopped with the scope, or left to those who talk
 * there without us.
 */
export function asteriskOf(
  surroundings: Omit<Surroundings, 'handlers' | 'prepare'>,
  state: StateDir,
  scope: Scope,
  told: ToldForGood,
) {
  const { config, environment, log } = surroundings
  const wanted = () => outletsOf(told.directory.active, config, environment)
  let own: AsteriskProcess | undefined
  let live: LiveDestinations | undefined
  let hurried = false
  let withoutMusic = false
  const lookAtMusic = () => {
    const before = withoutMusic
    const wanted = told.directory.active.some(({ transfers }) => transfers.waiting === 'music')
    withoutMusic = own?.hasMusic === false && wanted
    if (withoutMusic && !before) log.warn(noMusic)
  }
  scope.onClose(async () => {
    const left = !hurried && (await own?.leaveToCallers())
    if (!left || hurried) await own?.stop()
  })
  return {
    /** Whoever still talks when the scope closes is not waited for. */
    hurry(): void {
      hurried = true
    },
    /** Settles when calls would be taken, if it is ours. */
    async start(): Promise<void> {
      if (config.asterisk !== 'external') {
        own = await ownAsterisk(surroundings, state, { ...told, destinations: wanted() })
        scope.signal.throwIfAborted()
        await own.start()
        lookAtMusic()
      }
      live = await liveDestinations(surroundings, scope.child('destinations'), own, { ...told, wanted })
    },
    /** Whether those who wait would hear music; of an Asterisk that is not ours that is not known. */
    get hasMusic(): boolean {
      return own?.hasMusic !== false
    },
    destinationsChanged(): void {
      lookAtMusic()
      if (live) void live.look()
      else if (isForeign(config) && Object.keys(wanted()).length > 0) log.warn(foreign)
    },
    connected(): void {
      void live?.again()
    },
  }
}

function isForeign({ asterisk, asteriskFolder }: Config): boolean {
  return asterisk === 'external' && asteriskFolder === undefined
}

const noMusic =
  "A business wants music for callers who wait, and Asterisk has none (Debian's asterisk-moh-opsound-gsm): it rings for them instead."

const foreign =
  'Destinations of businesses do not reach this Asterisk by themselves: set ASTERISK_FOLDER, or render its configuration anew.'

/**
 * Changes the destinations of an Asterisk that runs: of our own, or of one that reads its configuration where it was rendered
 * for it. Nothing for any other.
 */
async function liveDestinations(
  { config, log }: Pick<Surroundings, 'config' | 'log'>,
  scope: Scope,
  own: AsteriskProcess | undefined,
  told: Pick<Told, 'maxCalls'> & {
    readonly ari: AriSettings & Told['ari']
    readonly wanted: () => Told['destinations']
  },
): Promise<LiveDestinations | undefined> {
  const folder = config.asteriskFolder
  if (own === undefined && folder === undefined) return undefined
  const settings =
    own?.settings ?? (await asteriskSettings(config, { ...told, destinations: {}, ...placeIn(folder ?? '') }))
  return new LiveDestinations({
    settings,
    trunk: readTrunkAddresses(),
    clock: systemClock,
    scope,
    wanted: told.wanted,
    write: files =>
      own ? own.rewrite(files) : onDisk(settings.directory, () => replaceFiles(settings.directory, files, 'group')),
    reload: names => reloadDestinations(told.ari, names),
    inUse: () => endpointsInUse(told.ari),
    told: text => log.info(text),
    trouble: text => log.error(text),
  })
}

/** Of an Asterisk that Parley does not start. */
export function placeIn(folder: string): Place {
  return { systemName: 'parley', directory: folder, pidFile: join(folder, 'asterisk.pid'), logsTo: 'console' }
}

/**
 * Asterisk puts the external address in the place of its own only where its own lies in a local network, and tells nobody when
 * it does not: whoever sets LOCAL_NETWORKS without this machine's would have calls without sound.
 */
async function ownNetworks(): Promise<string[]> {
  const own = await addressOfDefaultRoute()
  return own === undefined ? [] : [`${own}/32`]
}

/** A trunk lets its own numbers call, and few others. */
function fallbackCallerId({ fallbackDestination, outlets, transfers }: Config): string | undefined {
  const number = fallbackDestination !== undefined && isTelephoneNumber(fallbackDestination.user)
  return number && fallbackDestination.host === outlets.trunk?.host ? transfers.trunkNumber : undefined
}
