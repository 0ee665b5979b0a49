import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { GatewayError } from '../../errors.ts'
import { type Holder, holderOf, type Protocol } from './holders.ts'
import type { AsteriskSettings } from './settings.ts'

export interface Wanted {
  readonly setting: string
  readonly protocol: Protocol
  readonly address: string
  readonly port: number
}

/** Why a port cannot be opened, in the system's word, and who has it when it is taken. */
export interface Refused {
  readonly code: string
  readonly holder: Holder | undefined
}

/** Asterisk itself goes on without a transport that it could not open, so what is taken is found before. */
export async function requirePortsFree(settings: AsteriskSettings): Promise<void> {
  const problems: string[] = []
  for (const each of portsToOpen(settings)) {
    const refused = await tryPort(each)
    if (refused) problems.push(refusalInWords(each, refused))
  }
  if (problems.length > 0) throw new GatewayError('PORT_TAKEN', `Asterisk cannot start: ${problems.join(' ')}`)
}

type PortSettings = Pick<AsteriskSettings, 'bindAddress' | 'tcpPort' | 'udpPort' | 'tls'> & {
  readonly ari: { readonly port: number }
}

export function portsToOpen({ bindAddress, tcpPort, udpPort, tls, ari }: PortSettings): Wanted[] {
  return [
    { setting: 'SIP_TCP_PORT', protocol: 'tcp', address: bindAddress, port: tcpPort },
    { setting: 'SIP_UDP_PORT', protocol: 'udp', address: bindAddress, port: udpPort },
    ...(tls ? [{ setting: 'SIP_TLS_PORT', protocol: 'tcp', address: bindAddress, port: tls.port } as const] : []),
    { setting: 'ARI_PORT', protocol: 'tcp', address: '127.0.0.1', port: ari.port },
  ]
}

/** Opens it and lets it go again: undefined when it is free. */
export async function tryPort({ protocol, address, port }: Wanted): Promise<Refused | undefined> {
  const code = await (protocol === 'tcp' ? listenTcp(address, port) : bindUdp(address, port))
  return code === undefined ? undefined : { code, holder: code === 'EADDRINUSE' ? holderOf(protocol, port) : undefined }
}

export function refusalInWords({ setting, protocol, address, port }: Wanted, { code, holder }: Refused): string {
  const what = `${protocol.toUpperCase()} port ${port} on ${address} (${setting})`
  if (code === 'EADDRNOTAVAIL') return `${address} is no address of this machine, so ${what} cannot be opened.`
  if (code === 'EACCES') return `this user may not open ${what}; choose one above 1023.`
  const by = holder ? ` by process ${holder.pid} (${holder.name})` : ''
  return `${what} is taken${by}; end that program or set ${setting} to another port.`
}

function listenTcp(address: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

function bindUdp(address: string, port: number): Promise<string | undefined> {
  return new Promise(resolve => {
    const socket = createSocket('udp4')
    socket.once('error', (error: NodeJS.ErrnoException) => {
      socket.close()
      resolve(error.code ?? 'unknown')
    })
    socket.bind({ address, port, exclusive: true }, () => socket.close(() => resolve(undefined)))
  })
}
