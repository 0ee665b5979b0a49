import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/** The address of this machine on the way to everywhere, if there is such a way; nothing is sent to find it. */
export async function addressOfDefaultRoute(): Promise<string | undefined> {
  const socket = createSocket('udp4')
  try {
    socket.connect(9, '192.0.2.1')
    await once(socket, 'connect')
    return socket.address().address
  } catch {
    return undefined
  } finally {
    socket.close()
  }
}

/** Where a server is asked on its own machine: one that listens everywhere is reached on loopback. */
export function httpAddressHere({ host, port }: { readonly host: string; readonly port: number }): string {
  if (host === '0.0.0.0') return `http://127.0.0.1:${port}`
  if (host === '::') return `http://[::1]:${port}`
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
