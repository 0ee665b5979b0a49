import { afterAll, beforeAll, expect, it } from 'vitest'
import { Connection } from '../../../src/caller/connection.ts'
import { greeted, House } from './house.ts'

const INVITES = 300

let house: House
beforeAll(async () => {
  house = await House.open({ rtpPorts: 24 })
})
afterAll(() => house[Symbol.asyncDispose]())

it('outlives more INVITEs at once than it has ports, with the call that is up and the next one', async () => {
  const pid = await house.asteriskPid()
  const before = await house.dial()
  await greeted(before)

  const trunk = new Connection({ target: { address: '127.0.0.1', port: house.sipPort }, transport: 'tcp' })
  const flood = await Promise.all(Array.from({ length: INVITES }, () => house.dial({ connection: trunk })))
  const answers = await Promise.all(flood.map(call => call.answered))
  const outcomes = new Set(answers.map(answer => (answer.kind === 'refused' ? answer.status : answer.kind)))
  expect(outcomes).toEqual(new Set(['answered', 503, 488]))
  await before.hearsSilence(300, { sinceMs: before.heardMs })
  expect(await house.asteriskPid()).toBe(pid)

  await Promise.all(flood.map(call => call.hangup()))
  trunk.close()
  await house.until(async () => (await house.get('/readyz')).status === 200)
  const next = await house.dial()
  await greeted(next)
  await Promise.all([before.hangup(), next.hangup()])
  await house.isEmpty()
})
