import { networkInterfaces } from 'node:os'
import { addressOfDefaultRoute } from '../../own-address.ts'
import { readTrunkAddresses, type TrunkAddresses } from '../../telephony/asterisk/addresses.ts'
import { covers } from '../../telephony/asterisk/networks.ts'
import { type Finding, findingsOf } from './finding.ts'
import { kindOf } from './network-addresses.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning, error } = findingsOf('network')
/** A network of more addresses than this is no list of callers. */
const WIDEST_ALLOWED_BITS = 8

interface Network {
  readonly externalAddress: string | undefined
  readonly localNetworks: readonly string[]
  readonly allowedNetworks: readonly string[]
  readonly httpHost: string
  /** Of this machine, IPv4. */
  readonly addresses: readonly string[]
  /** The one of them that its default route has. */
  readonly routed: string | undefined
  readonly trunk: TrunkAddresses
}

export async function lookAtNetwork({ config }: Scene): Promise<Network> {
  const addresses = Object.values(networkInterfaces())
    .flatMap(each => each ?? [])
    .filter(({ family }) => family === 'IPv4')
    .map(({ address }) => address)
  return {
    externalAddress: config.externalAddress,
    localNetworks: config.localNetworks,
    allowedNetworks: config.sip.allow,
    httpHost: config.http.host,
    addresses,
    routed: await addressOfDefaultRoute(),
    trunk: readTrunkAddresses(),
  }
}

export function judgeNetwork(seen: Network): Finding[] {
  const address = seen.externalAddress === undefined ? judgeNoExternal(seen) : judgeExternal(seen.externalAddress, seen)
  return [address, ...judgeSeveral(seen), ...judgeLocalNetworks(seen), ...judgeAllowed(seen), ...judgeHttp(seen)]
}

function judgeNoExternal({ addresses }: Network): Finding {
  const open = addresses.find(address => kindOf(address) === 'public')
  if (open) return ok(`This machine has the public address ${open}; EXTERNAL_ADDRESS is not needed.`)
  return warning(
    'This machine has no public address and EXTERNAL_ADDRESS is not set: calls from this network work, a call from Twilio would have no sound.',
    'Set EXTERNAL_ADDRESS to the public address of your router or cloud machine, and forward the SIP and RTP ports to it.',
  )
}

function judgeExternal(address: string, { addresses }: Network): Finding {
  const kind = kindOf(address)
  const remedy = 'Set EXTERNAL_ADDRESS to the address that Twilio reaches you by, or leave it out.'
  if (kind === 'example') {
    return error(
      `EXTERNAL_ADDRESS ${address} is an example from documentation, such as the README, and nobody's address.`,
      'Put your own in its place: the address that Twilio reaches you by.',
    )
  }
  if (kind === 'loopback' || kind === 'unroutable') {
    return error(`EXTERNAL_ADDRESS ${address} can be reached by nobody outside of this machine.`, remedy)
  }
  if (kind === 'private') {
    return warning(`EXTERNAL_ADDRESS ${address} is private: Twilio cannot send sound there.`, remedy)
  }
  if (addresses.includes(address))
    return ok(`EXTERNAL_ADDRESS ${address} is an address of this machine: no NAT between.`)
  return ok(`EXTERNAL_ADDRESS ${address} is public; a NAT stands between and must forward the SIP and RTP ports.`)
}

/** Over TCP Asterisk puts the external address in the place of one address alone, and tells any other as it is. */
function judgeSeveral({ externalAddress, addresses, routed }: Network): Finding[] {
  if (externalAddress === undefined || addresses.includes(externalAddress)) return []
  if (routed === undefined) {
    return [
      warning(
        'This machine has no default route: no call from outside can be answered, and EXTERNAL_ADDRESS is told to nobody.',
        'Give the machine a default route, then start Parley again.',
      ),
    ]
  }
  const others = addresses.filter(address => address !== routed && kindOf(address) !== 'loopback')
  if (others.length === 0) return []
  return [
    hint(
      `This machine has several addresses. A call over TCP that comes in at ${others.join(' or ')} is told that address in place of EXTERNAL_ADDRESS, and has no sound.`,
      `Let the NAT forward the SIP and RTP ports to ${routed}, which the default route has.`,
    ),
  ]
}

function judgeLocalNetworks({ externalAddress, localNetworks, addresses, trunk }: Network): Finding[] {
  if (externalAddress === undefined) return []
  const findings: Finding[] = []
  const far = [...trunk.media, ...trunk.signalling].filter(each => covers(localNetworks, each.split('/')[0] ?? ''))
  if (far.length > 0) {
    findings.push(
      error(
        `LOCAL_NETWORKS covers Twilio's ${far.join(', ')}: Twilio would be told a private address, and its callers would hear nothing.`,
        'Let LOCAL_NETWORKS list only the networks on this side of the NAT.',
      ),
    )
  }
  const near = addresses.filter(address => kindOf(address) !== 'public' && address !== externalAddress)
  const left = near.filter(address => !covers(localNetworks, address))
  if (left.length > 0) {
    findings.push(
      warning(
        `LOCAL_NETWORKS leaves out ${left.join(', ')} of this machine: callers there are told EXTERNAL_ADDRESS, and most routers carry no sound back in.`,
        'Add that network to LOCAL_NETWORKS.',
      ),
    )
  }
  return findings
}

function judgeAllowed({ allowedNetworks }: Network): Finding[] {
  return allowedNetworks
    .filter(network => Number(network.split('/')[1] ?? 32) < WIDEST_ALLOWED_BITS)
    .map(network =>
      warning(
        `SIP_ALLOW lets ${network} in as the trunk: strangers can place calls here.`,
        'List only the addresses of your own callers; Twilio is let in without it.',
      ),
    )
}

function judgeHttp({ httpHost }: Network): Finding[] {
  if (httpHost === 'localhost' || httpHost === '::1' || httpHost.startsWith('127.')) return []
  return [
    warning(
      `The API listens on ${httpHost}, without TLS.`,
      'Leave HTTP_HOST at 127.0.0.1 and put a proxy with TLS before it.',
    ),
  ]
}
