import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readTrunkAddresses } from '../../../src/telephony/asterisk/addresses.ts'
import type { FirewallInput } from '../../../src/telephony/asterisk/firewall.ts'
import { resolveDestinations } from '../../../src/telephony/asterisk/resolve.ts'
import { renderTerraform } from '../../../src/telephony/asterisk/terraform.ts'

const trunk = readTrunkAddresses()
const settings: FirewallInput['settings'] = {
  ...{ tcpPort: 5071, udpPort: 5070, tls: { port: 5072 }, rtp: { start: 20_000, end: 20_100 } },
  allowedNetworks: ['127.0.0.1/32', '192.0.2.0/24'],
}
const desk = { user: '2000', host: '198.51.100.7', port: 5060, transport: 'udp' } as const
const names = ['sip.example.com', 'parley.example.com']

async function module(changes: Partial<FirewallInput['settings']> = {}, hosts = names, destinations = {}) {
  const resolved = await resolveDestinations({ destinations, fallbackDestination: undefined }, () => {})
  return renderTerraform({ settings: { ...settings, ...changes }, trunk, destinations: resolved, hosts })
}

/** What stands in a list, an element a line. */
function listIn(text: string, name: string): string[] {
  const [, inside = 'none'] = new RegExp(`^  ${name} = \\[\\n((?:    \\S+,\\n)*)  \\]$`, 'm').exec(text) ?? []
  return inside.split('\n').flatMap(line => /^ {4}"?([^",]+)"?,$/.exec(line)?.[1] ?? [])
}

/** Nothing where there is no Terraform on this machine; whose settings are of no account. */
function terraform(input: string, ...args: readonly string[]) {
  const environment = { ...process.env, TF_CLI_CONFIG_FILE: '/dev/null', CHECKPOINT_DISABLE: '1' }
  const { error, status, stdout } = spawnSync('terraform', args, { input, encoding: 'utf8', env: environment })
  return error ? undefined : { status, text: stdout }
}

describe('the module for Terraform', () => {
  it('takes signalling from the trunk, SIP_ALLOW and the destinations, and sound from where they send it', async () => {
    const text = await module({}, names, { desk })
    const others = ['192.0.2.0/24', '198.51.100.7/32']
    expect(listIn(text, 'signalling')).toEqual([...trunk.signalling, ...others])
    expect(listIn(text, 'media')).toEqual([...trunk.media, ...others])
    const bare = await module({ allowedNetworks: [] })
    expect([listIn(bare, 'signalling'), listIn(bare, 'media')]).toEqual([trunk.signalling, trunk.media])
    expect(listIn(bare, 'tcp_ports')).toEqual(['5071', '5072'])
  })

  it('has a name for each host that a zone can have', async () => {
    expect(listIn(await module(), 'names')).toEqual(names)
    expect(listIn(await module({}, ['203.0.113.7', 'localhost', ...names, ...names]), 'names')).toEqual(names)
    expect(listIn(await module({}, []), 'names')).toEqual([])
  })

  it('is filled in, has no secret in it, and names no address but in its lists', async () => {
    const text = await module()
    expect(text).not.toMatch(/\{\{|\}\}\w|password|secret|token/i)
    const outside = text.replace(/= \[\n(?: {4}.*,\n)*? {2}\]/g, '')
    expect([...outside.matchAll(/\d+\.\d+\.\d+\.\d+\/\d+/g)].map(([found]) => found)).toEqual([
      '0.0.0.0/0',
      '0.0.0.0/0',
    ])
  })

  it('is written as Terraform writes it, with long lists and with none', async () => {
    for (const text of [await module({}, names, { desk }), await module({ allowedNetworks: [] }, [])]) {
      expect(text).toMatch(/[^\n]\n$/)
      expect(text.split('\n').filter(line => /\t|\s$/.test(line))).toEqual([])
      const written = terraform(text, 'fmt', '-check', '-diff', '-')
      expect(written ?? { status: 0, text: '' }).toEqual({ status: 0, text: '' })
    }
  })

  it('opens these ports to these networks and to nobody else, as Terraform itself works it out', async () => {
    const text = await module({ allowedNetworks: [] })
    // What is Amazon's needs Amazon's part of Terraform.
    const own = text.replace(/^(terraform|resource|output) .*\{\n(?:.*\n)*?\}\n/gm, '')
    const folder = mkdtempSync(join(tmpdir(), 'parley-terraform-'))
    try {
      writeFileSync(join(folder, 'main.tf'), own)
      writeFileSync(join(folder, 'terraform.tfvars'), 'vpc_id = "vpc-1"\nssh_networks = ["198.51.100.0/24"]\n')
      const rules = terraform('jsonencode(local.rules)\n', `-chdir=${folder}`, 'console')
      const expected = [
        ...trunk.signalling.map(network => ({ from: 5071, network, protocol: 'tcp', to: 5071 })),
        ...trunk.signalling.map(network => ({ from: 5072, network, protocol: 'tcp', to: 5072 })),
        ...trunk.signalling.map(network => ({ from: 5070, network, protocol: 'udp', to: 5070 })),
        ...trunk.media.map(network => ({ from: 20_000, network, protocol: 'udp', to: 20_100 })),
        ...[80, 443].map(port => ({ from: port, network: '0.0.0.0/0', protocol: 'tcp', to: port })),
        { from: 22, network: '198.51.100.0/24', protocol: 'tcp', to: 22 },
      ]
      expect(rules ? JSON.parse(JSON.parse(rules.text)) : expected).toEqual(expected)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
