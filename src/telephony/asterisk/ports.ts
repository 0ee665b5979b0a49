import { createSocket } from 'node:dgram'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { GatewayError } from '../../errors.ts'
import type { AsteriskSettings } from './settings.ts'

interface Wanted {
  readonly setting: string
  readonly protocol: 'tcp' | 'udp'
  readonly address: string
  readonly port: number
}

/** Asterisk itself goes on without a transport that it could not open, so what is taken is found before. */
export async function requirePortsFree(settings: AsteriskSettings): Promise<void> {
  const { bindAddress, tcpPort, udpPort, ari } = settings
  const wanted: Wanted[] = [
    { setting: 'SIP_TCP_PORT', protocol: 'tcp', address: bindAddress, port: tcpPort },
    { setting: 'SIP_UDP_PORT', protocol: 'udp', address: bindAddress, port: udpPort },
    { setting: 'ARI_PORT', protocol: 'tcp', address: '127.0.0.1', port: ari.port },
  ]
  const problems: string[] = []
  for (const each of wanted) {
    const problem = await tryPort(each)
    if (problem) problems.push(problem)
  }
  if (problems.length > 0) throw new GatewayError('PORT_TAKEN', `Asterisk cannot start: ${problems.join(' ')}`)
}

async function tryPort(wanted: Wanted): Promise<string | undefined> {
  const { setting, protocol, address, port } = wanted
  const code = await (protocol === 'tcp' ? listenTcp(address, port) : bindUdp(address, port))
  if (code === undefined) return undefined
  const what = `${protocol.toUpperCase()} port ${port} on ${address} (${setting})`
  if (code === 'EADDRNOTAVAIL') return `${address} is no address of this machine, so ${what} cannot be opened.`
  if (code === 'EACCES') return `this user may not open ${what}; choose one above 1023.`
  const holder = holderOf(protocol, port)
  return `${what} is taken${holder ? ` by ${holder}` : ''}; end that program or set ${setting} to another port.`
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

/** Who holds a port, as far as this user may see: the socket's inode leads from the kernel's table to a process. */
function holderOf(protocol: 'tcp' | 'udp', port: number): string | undefined {
  const inode = inodeOf(protocol, port)
  if (!inode) return undefined
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const descriptors = readdirSync(`/proc/${pid}/fd`)
      if (!descriptors.some(each => linkOf(`/proc/${pid}/fd/${each}`) === `socket:[${inode}]`)) continue
      return `process ${pid} (${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()})`
    } catch {
      // Another user's process, or one that has just ended.
    }
  }
  return undefined
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

/** See proc_net(5): column 2 is the local address in hexadecimal, column 4 the state, column 10 the inode. */
function inodeOf(protocol: 'tcp' | 'udp', port: number): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const listening = protocol === 'tcp' ? '0A' : '07'
  for (const table of [`/proc/net/${protocol}`, `/proc/net/${protocol}6`].filter(existsSync)) {
    for (const line of readFileSync(table, 'utf8').split('\n')) {
      const columns = line.trim().split(/\s+/)
      if (columns[1]?.endsWith(suffix) && columns[3] === listening) return columns[9]
    }
  }
  return undefined
}
