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

/** Of whose call a request is: what is made for a call has the name of the caller's channel in its own. */
function callIn(request: string): string | undefined {
  return /parley-[0-9a-z]+-\d+\.\d+/.exec(request)?.[0]
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
  const own = requests.filter(request => callIn(request) !== undefined)
  calls.add(callIn(own[0]!)!)
  return own
}

/** All that were ever made. */
const calls = new Set<string>()

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

/** Settles when the caller has left. */
async function leaveAt(step: number, { how, transport, law }: Leaving): Promise<void> {
  let own: string | undefined
  let seen = 0
  const call = await house.dial({ transport, laws: [law] })
  await new Promise<void>(resolve => {
    const stop = house.wire.onRequest(request => {
      const of = callIn(request)
      if (of === undefined) return
      // Of those who have left before there may be some still.
      if (!calls.has(of)) own ??= of
      calls.add(of)
      if (of !== own || ++seen < step) return
      stop()
      if (how === 'hangs up') void call.hangup().then(() => resolve())
      else {
        call.vanish()
        resolve()
      }
    })
  })
}

async function nothingIsLeft(when: string): Promise<void> {
  await house.isEmpty()
  expect(await linesInUse(), when).toBe(0)
}

it('leaves no channel, bridge, socket or port when the caller leaves at any step of the set-up', async () => {
  const count = (await requestsOfOneCall()).length
  expect(count).toBeGreaterThanOrEqual(5)
  const sockets = openSockets(house.pid)
  const leavings = Array.from({ length: count }, (_, i) => i + 1).flatMap(step =>
    (soak ? everyWay : [everyWay[(3 * step) % everyWay.length]!]).map(way => ({ step, way })),
  )
  for (const { step, way } of leavings.filter(({ way }) => way.how === 'hangs up')) {
    await leaveAt(step, way)
    await nothingIsLeft(`after step ${step}`)
  }
  // That they are gone is known by their silence: it is waited for once.
  for (const { step, way } of leavings.filter(({ way }) => way.how === 'vanishes')) await leaveAt(step, way)
  await nothingIsLeft('after those who vanished')
  const call = await house.dial()
  await greeted(call)
  await call.hangup()
  await house.isEmpty()
  // Keep-alive connections to Asterisk may be a few more or less.
  expect(openSockets(house.pid) - sockets).toBeLessThanOrEqual(4)
}, 600_000)
