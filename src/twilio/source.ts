import { BlockList, isIP } from 'node:net'

/** Who sends a request: nothing for a proxy of ours that does not say for whom, for it is never shut out. */
export type SourceOf = (peer: string, forwardedFor: string | undefined) => string | undefined

/** Whatever stands before the last address that a trusted proxy has added may be made up. */
export function sourceFinder(trustedProxies: readonly string[]): SourceOf {
  const trusted = new BlockList()
  for (const network of trustedProxies) {
    const [address = '', bits = '32'] = network.split('/')
    trusted.addSubnet(address, Number(bits), 'ipv4')
  }
  const isProxy = (address: string) => isIP(address) === 4 && trusted.check(address, 'ipv4')
  return (peer, forwardedFor) => {
    const way = [...(forwardedFor ?? '').split(',').map(each => plain(each.trim())), plain(peer)]
    const last = way.findLast(address => !isProxy(address))
    if (last === undefined || last === '') return undefined
    // What is no address was made up: the proxy that has passed it on is the last that is known.
    return isIP(last) === 0 ? undefined : networkOf(last)
  }
}

/** Whoever has one IPv6 address has all those that begin like it (RFC 6177): they are one source. */
function networkOf(address: string): string {
  if (isIP(address) === 4) return address
  const [before = [], after = []] = address.split('::').map(part => part.split(':').filter(Boolean))
  // An IPv4 address at the end stands for two.
  const written = before.length + after.length + (address.includes('.') ? 1 : 0)
  const all = [...before, ...Array.from({ length: Math.max(0, 8 - written) }, () => '0'), ...after]
  const first = all.slice(0, 4).map(each => Number.parseInt(each, 16).toString(16))
  return `${first.join(':')}::/64`
}

/** An IPv4 address as IPv6 has it is the same, and so is one with a port. */
function plain(address: string): string {
  const four = /^(?:::ffff:)?([0-9]{1,3}(?:\.[0-9]{1,3}){3})(?::[0-9]+)?$/i.exec(address)
  return four?.[1] ?? address.replace(/^\[(.*)\](?::[0-9]+)?$/, '$1')
}
