import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { type OpenSocket, openOutside } from '../../src/plane/sockets.ts'

/** A system that always offers its lowest free port. */
function systemFrom(lowest: number) {
  const taken = new Set<number>()
  let listener: unknown
  const openSocket: OpenSocket = async each => {
    listener = each
    let port = lowest
    while (taken.has(port)) port += 1
    taken.add(port)
    return { local: { address: '127.0.0.1', port }, send: () => {}, close: () => void taken.delete(port) }
  }
  return { taken, openSocket, listener: () => listener }
}

const listener = { received: () => {}, failed: () => {} }

describe('a socket outside of a range', () => {
  it('is found though the system offers the same ports again, and nothing else is left open', async () => {
    const system = systemFrom(9_998)
    const before = await openOutside({ start: 10_000, end: 10_003 }, system.openSocket, listener)
    const last = await openOutside({ start: 10_000, end: 10_003 }, system.openSocket, listener)
    const behind = await openOutside({ start: 10_000, end: 10_003 }, system.openSocket, listener)
    expect([before, last, behind].map(socket => socket.local.port)).toEqual([9_998, 9_999, 10_004])
    expect([...system.taken]).toEqual([9_998, 9_999, 10_004])
    expect(system.listener()).toBe(listener)
  })

  it('is not looked for without end', async () => {
    const system = systemFrom(20_000)
    const all = { start: 20_000, end: 20_000 + limits.media.portTries }
    await expect(openOutside(all, system.openSocket, listener)).rejects.toThrow(/lies within 20000-20064/)
    expect(system.taken.size).toBe(0)
  })
})
