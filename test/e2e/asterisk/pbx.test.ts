import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Call, placeCall } from '../../../src/caller/call.ts'
import { systemClock } from '../../../src/clock.ts'
import { Wheel } from '../../../src/media/wheel.ts'
import { type Pbx, pbxHz, startPbx } from '../../support/pbx.ts'
import { seeded } from '../../support/random.ts'

const deps = { clock: systemClock, wheel: new Wheel(systemClock), random: seeded(2) }

let pbx: Pbx
beforeAll(async () => {
  pbx = await startPbx()
})
afterAll(() => pbx[Symbol.asyncDispose]())

/** As the trunk does: from the address that the PBX knows it by. */
function dial(user: string, transport: 'udp' | 'tcp' = 'udp'): Promise<Call> {
  const target = { address: pbx.settings.bindAddress, port: pbx.settings.udpPort }
  return placeCall(deps, { target, transport, user, localAddress: '127.0.0.1' })
}

test.concurrent.each([
  ['2001', 486],
  ['2002', 603],
  ['2007', 403],
  ['2999', 404],
  ['3000', 401],
])('%s is refused with %i', async (extension, status) => {
  expect(await (await dial(extension)).answered).toMatchObject({ kind: 'refused', status })
})

test.concurrent.each(['udp', 'tcp'] as const)(
  '2000 rings its telephone, and both hear each other over %s',
  async transport => {
    const call = await dial('2000', transport)
    call.hum(440)
    const phone = await pbx.phone.nextCall()
    expect(await call.answered).toMatchObject({ kind: 'answered' })
    await Promise.all([call.hearsTone(pbxHz.phone, { forMs: 200 }), phone.hearsTone(440, { forMs: 200 })])
    await phone.hangup()
    expect(await call.ended).toMatchObject({ by: 'callee', how: 'bye' })
  },
)

test.concurrent('2003 rings and never answers', async () => {
  const call = await dial('2003')
  await call.hangup()
  expect(await call.ended).toMatchObject({ how: 'cancelled' })
})

test.concurrent('2004 answers at once with a tone, 2005 after a sound of its own, 2015 is busy then', async () => {
  const tone = await dial('2004')
  await tone.hearsTone(pbxHz.tone, { forMs: 200 })
  const early = await dial('2005')
  await early.hearsTone(pbxHz.early, { forMs: 200 })
  await early.hearsTone(pbxHz.lateTone, { forMs: 200 })
  const busy = await dial('2015')
  await busy.hearsTone(pbxHz.early, { forMs: 200 })
  expect(await busy.answered).toMatchObject({ kind: 'refused', status: 486 })
  await Promise.all([tone.hangup(), early.hangup()])
})

test.concurrent('in the queue there is music until the agent answers', async () => {
  pbx.agent.whenCalled = call => call.ring()
  const call = await dial('2006')
  call.hum(440)
  await call.hearsTone(pbxHz.queue, { forMs: 200 })
  const agent = await pbx.agent.nextCall()
  agent.hum(pbxHz.agent)
  await agent.answer()
  await Promise.all([call.hearsTone(pbxHz.agent, { forMs: 200 }), agent.hearsTone(440, { forMs: 200 })])
  await call.hangup()
  await agent.ended
})

test.concurrent('2008 says which key was pressed', async () => {
  const call = await dial('2008')
  await call.answered
  await call.digits('3')
  await call.hearsTone(700, { forMs: 200 })
  await call.digits('5')
  await call.hearsTone(900, { forMs: 200 })
  await call.hangup()
})

test('nothing is left when all have hung up', async () => {
  await pbx.idle()
  expect([...pbx.phone.calls, ...pbx.agent.calls]).toEqual([])
})
