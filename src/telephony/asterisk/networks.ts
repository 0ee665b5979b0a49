import { BlockList } from 'node:net'

/** Whether an IPv4 address lies in one of these networks. */
export function covers(networks: readonly string[], address: string): boolean {
  const list = new BlockList()
  for (const network of networks) {
    const [base = '', bits = '32'] = network.split('/')
    list.addSubnet(base, Number(bits), 'ipv4')
  }
  return list.check(address, 'ipv4')
}
