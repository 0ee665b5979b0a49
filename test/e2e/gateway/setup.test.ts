import { readdirSync, readlinkSync } from 'node:fs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { greeted, greetingHz, House } from './house.ts'

let house: House
beforeAll(async () => {
  house = await House.open({ throughWire: true, environment: { RTP_TIMEOUT_SECONDS: '2' } })
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

interface Leaving {
  readonly how: 'hangs up' | 'vanishes'
  readonly transport: 'tcp' | 'udp'
  readonly law: 'ulaw' | 'alaw'
}

const everyWay: readonly Leaving[] = (['hangs up', 'vanishes'] as const).flatMap(how =>
  (['tcp', 'udp'] as const).flatMap(transport => (['ulaw', 'alaw'] as const).map(law => ({ how, transport, law }))),
)
/** All of them by `npm run test:soak`; otherwise one for each step, so that each step and each way has its turn. */
const soak = process.env['PARLEY_SOAK'] === '1'

async function leaveAt(step: number, { how, transport, law }: Leaving): Promise<void> {
  let seen = 0
  const call = await house.dial({ transport, laws: [law] })
  await new Promise<void>(resolve => {
    const stop = house.wire.onRequest(request => {
      if (request.includes('/ping') || ++seen < step) return
      stop()
      if (how === 'hangs up') void call.hangup().then(() => resolve())
      else {
        call.vanish()
        resolve()
      }
    })
  })
  await house.isEmpty()
  expect(await linesInUse(), `after step ${step}, ${how}`).toBe(0)
}

it('leaves no channel, bridge, socket or port when the caller leaves at any step of the set-up', async () => {
  const steps = (await requestsOfOneCall()).length
  expect(steps).toBeGreaterThanOrEqual(5)
  const sockets = openSockets(house.pid)
  for (let step = 1; step <= steps; step++) {
    const ways = soak ? everyWay : [everyWay[(3 * step) % everyWay.length]!]
    for (const way of ways) await leaveAt(step, way)
  }
  const call = await house.dial()
  await greeted(call)
  await call.hangup()
  await house.isEmpty()
  // Keep-alive connections to Asterisk may be a few more or less.
  expect(openSockets(house.pid) - sockets).toBeLessThanOrEqual(4)
}, 600_000)
