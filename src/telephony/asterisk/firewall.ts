import type { TrunkAddresses } from './addresses.ts'
import { trunkNetworks } from './render.ts'
import { allAddresses, type ResolvedDestinations } from './resolve.ts'
import type { AsteriskSettings } from './settings.ts'
import { fillTemplates, readTemplate } from './template.ts'

export interface FirewallInput {
  readonly settings: Pick<AsteriskSettings, 'tcpPort' | 'udpPort' | 'rtp' | 'allowedNetworks'> & {
    readonly tls?: Pick<NonNullable<AsteriskSettings['tls']>, 'port'> | undefined
  }
  readonly trunk: TrunkAddresses
  readonly destinations: ResolvedDestinations
}

/** Rules for `nft -f`: who may reach the ports that callers reach. */
export function renderFirewall({ settings, trunk, destinations }: FirewallInput): string {
  const file = 'firewall.nft'
  const filled = fillTemplates(new Map([[file, readTemplate(file)]]), {
    tcpPort: [settings.tcpPort, ...(settings.tls ? [settings.tls.port] : [])].map(String),
    udpPort: settings.udpPort,
    rtpStart: settings.rtp.start,
    rtpEnd: settings.rtp.end,
    trunkNetworks: trunkNetworks(settings, trunk),
    mediaNetworks: trunk.media,
    allowedNetworks: settings.allowedNetworks,
    destinationAddresses: allAddresses(destinations),
  })
  return filled.get(file) ?? ''
}
