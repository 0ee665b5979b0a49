import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock, within } from '../../../src/clock.ts'
import { greetingHz, House } from '../gateway/house.ts'

/** More than Asterisk takes. */
const CONNECTIONS = 1_100

let house: House
beforeAll(async () => {
  house = await House.open()
})
afterAll(() => house[Symbol.asyncDispose]())

/** What does not connect at once is tried anew: few connections may wait to be taken. */
async function holdConnections(): Promise<Socket[]> {
  const held: Socket[] = []
  const holdSome = async () => {
    while (held.length < CONNECTIONS) {
      const socket = connect({ port: house.sipPort, host: '127.0.0.1', localAddress: '127.0.0.2' })
      socket.on('error', () => {})
      const late = () => new Error('not at once')
      const opened = within(systemClock, 50, once(socket, 'connect'), late)
      await opened.then(
        () => held.push(socket),
        () => socket.destroy(),
      )
    }
  }
  await Promise.all([holdSome(), holdSome(), holdSome()])
  return held
}

async function metric(name: string): Promise<string | undefined> {
  const { body } = await house.get<string>('/metrics')
  return new RegExp(`^${name} (.*)$`, 'm').exec(body)?.[1]
}

it('is not ready while strangers hold all the connections that Asterisk takes, says why, and is ready again after', async () => {
  const held = await holdConnections()
  await house.until(async () => (await house.get('/readyz')).status === 503)
  const { reasons } = (await house.get<{ reasons: string[] }>('/readyz')).body
  expect(reasons).toEqual([expect.stringMatching(/^SIP is not answered: .*npm run firewall/)])
  expect([await metric('parley_sip_answered'), await metric('parley_ready')]).toEqual(['0', '0'])
  for (const socket of held) socket.destroy()
  await house.until(async () => (await house.get('/readyz')).status === 200)
  expect(await metric('parley_sip_answered')).toBe('1')
  const call = await house.dial()
  await call.hearsTone(greetingHz, { forMs: 200 })
  await call.hangup()
})
