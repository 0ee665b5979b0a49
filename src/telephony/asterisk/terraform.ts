import { isIP } from 'node:net'
import type { FirewallInput } from './firewall.ts'
import { trunkNetworks } from './render.ts'
import { allAddresses } from './resolve.ts'
import { fillTemplates, readTemplate } from './template.ts'

/** A module for Terraform: the same rules as the firewall's, before the machine, with its address and its names. */
export function renderTerraform({
  settings,
  trunk,
  destinations,
  hosts,
}: FirewallInput & { readonly hosts: readonly (string | undefined)[] }): string {
  const file = 'firewall.tf'
  const others = allAddresses(destinations)
  const filled = fillTemplates(new Map([[file, readTemplate(file)]]), {
    names: [...new Set(hosts)].filter(host => host !== undefined && isName(host)).map(String),
    tcpPort: [settings.tcpPort, ...(settings.tls ? [settings.tls.port] : [])].map(String),
    udpPort: settings.udpPort,
    rtpStart: settings.rtp.start,
    rtpEnd: settings.rtp.end,
    signallingNetworks: outside([...trunkNetworks(settings, trunk), ...others]),
    mediaNetworks: outside([...trunk.media, ...settings.allowedNetworks, ...others]),
  })
  return filled.get(file) ?? ''
}

/** As a cloud takes them: each once, each with its length. What is on the machine itself never comes from without. */
function outside(networks: readonly string[]): string[] {
  const written = networks.map(each => (each.includes('/') ? each : `${each}/32`))
  return [...new Set(written)].filter(each => !each.startsWith('127.'))
}

/** That a zone can have: `localhost` is none. */
function isName(host: string): boolean {
  return isIP(host) === 0 && host.includes('.')
}
