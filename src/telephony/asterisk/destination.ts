import { isIP } from 'node:net'

/** Somewhere that calls may be sent to. */
export interface Destination {
  readonly user: string
  readonly host: string
  readonly port: number
  readonly transport: 'tcp' | 'udp'
}

const form = /^sips?:([A-Za-z0-9+_.~*-]{1,64})@([A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?((?:;[a-z]+=[a-z]+)*)$/i

/** Reads `sip:2000@10.0.0.5:5060;transport=tcp`. What is wrong with it is told in words. */
export function parseDestination(text: string): Destination | { readonly problem: string } {
  const wrong = (why: string) => ({ problem: `"${text}" ${why}; write it as sip:2000@10.0.0.5:5060;transport=tcp` })
  const [matched, user = '', host = '', portText = '5060', parameters = ''] = form.exec(text.trim()) ?? []
  if (!matched) return wrong('is no SIP address')
  if (/^sips:/i.test(matched)) return wrong('asks for TLS, which is not spoken to destinations')
  const port = Number(portText)
  if (port < 1 || port > 65_535) return wrong(`has no valid port (${portText})`)
  if (isIP(host) !== 4 && !isHostName(host)) return wrong(`names no valid host (${host})`)
  const given = parameters.split(';').filter(Boolean)
  if (given.length > 1 || given.some(parameter => !/^transport=/i.test(parameter))) {
    return wrong('has parameters other than transport')
  }
  const transport = given[0]?.slice('transport='.length).toLowerCase() ?? 'udp'
  if (transport !== 'tcp' && transport !== 'udp') return wrong(`has a transport other than tcp and udp (${transport})`)
  return { user, host: host.toLowerCase(), port, transport }
}

function isHostName(host: string): boolean {
  const labels = host.split('.')
  const digitsOnly = /^\d+$/.test(labels.at(-1) ?? '')
  return !digitsOnly && labels.every(label => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label))
}
