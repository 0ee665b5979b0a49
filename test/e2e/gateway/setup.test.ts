import { readdirSync, readlinkSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { greetingHz, House } from './house.ts'

let house: House
beforeAll(async () => {
  house = await House.open({ throughWire: true })
})
afterAll(() => house[Symbol.asyncDispose]())

/** UDP sockets and timers of the gateway would show as descriptors; its lines are counted by itself. */
function openSockets(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter(fd => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:')
    } catch {
      return false
    }
  }).length
}

async function linesInUse(): Promise<number> {
  const { body } = await house.get<string>('/metrics')
  return Number(/^parley_media_lines (\d+)/m.exec(body)?.[1])
}

/** The requests to Asterisk that one whole call makes until its greeting is heard. */
async function requestsOfOneCall(): Promise<string[]> {
  const requests: string[] = []
  const stop = house.wire.onRequest(request => requests.push(request))
  const call = await house.dial()
  await call.hearsTone(greetingHz, { forMs: 100 })
  stop()
  await call.hangup()
  await house.isEmpty()
  return requests.filter(request => !request.includes('/ping'))
}

it('leaves no channel, bridge, socket or port when the caller hangs up at any step of the set-up', async () => {
  const steps = (await requestsOfOneCall()).length
  expect(steps).toBeGreaterThanOrEqual(5)
  const sockets = openSockets(house.pid)
  for (let step = 1; step <= steps; step++) {
    let seen = 0
    const call = await house.dial()
    await new Promise<void>(resolve => {
      const stop = house.wire.onRequest(request => {
        if (request.includes('/ping') || ++seen < step) return
        stop()
        void call.hangup().then(() => resolve())
      })
    })
    await house.isEmpty()
    expect(await linesInUse(), `after step ${step}`).toBe(0)
  }
  const call = await house.dial()
  await call.hearsTone(greetingHz, { forMs: 600 })
  await call.hangup()
  await house.isEmpty()
  // Keep-alive connections to Asterisk may be one more or less.
  expect(openSockets(house.pid) - sockets).toBeLessThanOrEqual(2)
})
