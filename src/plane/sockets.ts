import { limits } from '../limits.ts'
import type { Address } from './line.ts'

/** A UDP socket as a line needs it. */
export interface PlaneSocket {
  readonly local: Address
  send(datagram: Uint8Array, to: Address): void
  close(): void
}

export interface SocketListener {
  received(datagram: Uint8Array, address: string, port: number): void
  failed(message: string): void
}

export type OpenSocket = (listener: SocketListener) => Promise<PlaneSocket>

export interface PortRange {
  readonly start: number
  readonly end: number
}

/**
 * A socket on a port that the system has free and that lies outside of a range. Sockets inside of it are kept until
 * another is found, or the system might offer the same port again.
 */
export async function openOutside(
  forbidden: PortRange,
  openSocket: OpenSocket,
  listener: SocketListener,
): Promise<PlaneSocket> {
  const passedOver: PlaneSocket[] = []
  try {
    for (let tries = 0; tries < limits.media.portTries; tries++) {
      const socket = await openSocket(listener)
      const { port } = socket.local
      if (port < forbidden.start || port > forbidden.end) return socket
      passedOver.push(socket)
    }
  } finally {
    for (const socket of passedOver) socket.close()
  }
  throw new Error(`every port that the system offers lies within ${forbidden.start}-${forbidden.end}`)
}
