import { BlockList, isIP } from 'node:net'

/** Tells whether a tool may connect to an address: anywhere in public, and in private where that was allowed. */
export type Reach = (address: string) => boolean

/** What is no public address of one machine: RFC 6890 and its registries; of IPv6 also what stands for an IPv4 address. */
const notPublic = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const

/** Networks as 192.0.2.0/24, or single addresses. */
export function reachOf(allowed: readonly string[]): Reach {
  const barred = new BlockList()
  for (const [address, bits] of notPublic) barred.addSubnet(address, bits, kindOf(address))
  const opened = new BlockList()
  for (const network of allowed) {
    const [address = '', bits = '32'] = network.split('/')
    opened.addSubnet(address, Number(bits), kindOf(address))
  }
  return address => {
    if (isIP(address) === 0) return false
    const kind = kindOf(address)
    return opened.check(address, kind) || !barred.check(address, kind)
  }
}

function kindOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
