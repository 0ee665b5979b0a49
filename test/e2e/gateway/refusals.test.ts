import { connect } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { greeted, House } from './house.ts'

let house: House
beforeAll(async () => {
  house = await House.open({ environment: { MAX_CALLS: '3' } })
})
afterAll(() => house[Symbol.asyncDispose]())

it('refuses the call beyond its limit with 503, and everybody who talks goes on', async () => {
  const calls = await Promise.all([house.dial(), house.dial(), house.dial()])
  for (const call of calls) expect((await call.answered).kind).toBe('answered')
  const refused = await house.dial()
  expect(await refused.answered).toMatchObject({ kind: 'refused', status: 503 })
  expect((await house.get('/readyz')).status).toBe(503)
  await Promise.all(calls.map(greeted))
  await Promise.all(calls.map(call => call.hangup()))
  await house.isEmpty()
  const next = await house.dial()
  expect((await next.answered).kind).toBe('answered')
  await greeted(next)
  await next.hangup()
})

it('refuses a stranger before anything else, and answers the trunk as before', async () => {
  const stranger = await house.dial({ localAddress: '127.0.0.2' })
  expect(await stranger.answered).toMatchObject({ kind: 'refused', status: 403 })
  const wrongNumber = await house.dial({ user: 'nobody' })
  expect(await wrongNumber.answered).toMatchObject({ kind: 'refused', status: 404 })
  const good = await house.dial()
  await greeted(good)
  await good.hangup()
  expect((await house.events()).filter(event => event.fact.name === 'offered')).toHaveLength(5)
})

it('survives garbage on its SIP port', async () => {
  const pid = await house.asteriskPid()
  for (const garbage of [
    Buffer.alloc(70_000, 'A'),
    Buffer.from('INVITE sip:\r\n\r\n'),
    Buffer.from([0, 255, 13, 10, 13, 10]),
  ]) {
    await new Promise<void>(resolve => {
      const socket = connect(house.sipPort, '127.0.0.1', () => socket.end(garbage))
      socket.on('error', () => resolve())
      socket.on('close', () => resolve())
      socket.resume()
    })
  }
  const good = await house.dial()
  await greeted(good)
  await good.hangup()
  expect(await house.asteriskPid()).toBe(pid)
})
