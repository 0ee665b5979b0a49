import { describe, expect, it } from 'vitest'
import { readTrunkAddresses } from '../../../src/telephony/asterisk/addresses.ts'
import { type FirewallInput, renderFirewall } from '../../../src/telephony/asterisk/firewall.ts'
import { resolveDestinations } from '../../../src/telephony/asterisk/resolve.ts'

const trunk = readTrunkAddresses()
const settings: FirewallInput['settings'] = {
  tcpPort: 5071,
  udpPort: 5070,
  rtp: { start: 20_000, end: 20_100 },
  allowedNetworks: ['192.0.2.0/24'],
}
const desk = { user: '2000', host: '198.51.100.7', port: 5060, transport: 'udp' } as const

async function rules(changes: Partial<FirewallInput['settings']> = {}, destinations = {}): Promise<string[]> {
  const resolved = await resolveDestinations({ destinations, fallbackDestination: undefined }, () => {})
  const text = renderFirewall({ settings: { ...settings, ...changes }, trunk, destinations: resolved })
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line && !line.startsWith('#'))
}

function elements(lines: readonly string[], set: string): string[] {
  return lines.flatMap(line => new RegExp(`^add element inet parley ${set} \\{ (\\S+) \\}$`).exec(line)?.[1] ?? [])
}

describe('the firewall', () => {
  it('takes signalling from the trunk, SIP_ALLOW and the destinations, and sound from where they send it', async () => {
    const lines = await rules({}, { desk })
    expect(elements(lines, 'signalling')).toEqual([...trunk.signalling, '192.0.2.0/24', '198.51.100.7'])
    expect(elements(lines, 'media')).toEqual([...trunk.media, '192.0.2.0/24', '198.51.100.7'])
    const bare = await rules({ allowedNetworks: [] })
    expect(elements(bare, 'signalling')).toEqual(trunk.signalling)
    expect(elements(bare, 'media')).toEqual(trunk.media)
  })

  it("drops at Parley's ports and nowhere else", async () => {
    const deciding = (await rules()).filter(line => /\b(drop|reject|accept)\b/.test(line))
    expect(deciding).toEqual([
      'type filter hook input priority filter; policy accept;',
      'iif lo accept',
      'tcp dport 5071 ip saddr != @signalling counter drop',
      'udp dport 5070 ip saddr != @signalling counter drop',
      'udp dport 20000-20100 ip saddr != @media counter drop',
      'meta nfproto ipv6 tcp dport 5071 counter drop',
      'meta nfproto ipv6 udp dport { 5070, 20000-20100 } counter drop',
    ])
  })

  it('touches no table but its own, and takes the place of the one before', async () => {
    const lines = await rules()
    expect(lines.slice(0, 4)).toEqual(['table inet parley {', '}', 'delete table inet parley', 'table inet parley {'])
    expect(lines.filter(line => /\btable\b/.test(line) && !line.includes('table inet parley'))).toEqual([])
    expect(lines.join('\n')).not.toMatch(/flush|\{\{/)
  })

  it('leaves out a destination whose name nobody knows, and says so', async () => {
    const told: string[] = []
    const destinations = { desk: { ...desk, host: 'no-such-host.invalid' } }
    const resolved = await resolveDestinations({ destinations, fallbackDestination: desk }, text => told.push(text))
    expect(renderFirewall({ settings, trunk, destinations: resolved })).toContain('signalling { 198.51.100.7 }')
    expect(told).toEqual([expect.stringContaining('"no-such-host.invalid" has no address')])
  })
})
