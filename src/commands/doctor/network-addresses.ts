import { covers } from '../../telephony/asterisk/networks.ts'

export type AddressKind = 'loopback' | 'private' | 'unroutable' | 'example' | 'public'

/** RFC 6890 has them all; an example of RFC 5737 is what people copy from a page. */
const ranges: Readonly<Record<Exclude<AddressKind, 'public'>, readonly string[]>> = {
  loopback: ['127.0.0.0/8'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10'],
  unroutable: ['0.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3'],
  example: ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'],
}

export function kindOf(address: string): AddressKind {
  const kinds = Object.keys(ranges) as (keyof typeof ranges)[]
  return kinds.find(kind => covers(ranges[kind], address)) ?? 'public'
}
