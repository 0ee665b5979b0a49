import { expect, it } from 'vitest'
import { pbxAccess, pbxHz, startPbx } from '../../support/pbx.ts'
import { rawCall } from '../asterisk/raw-call.ts'
import { greeted, greetingHz, House } from './house.ts'

const callerHz = 520

it('a destination of a business that is made while calls go on is reached at once, with the password that nobody is told', async () => {
  await using pbx = await startPbx()
  await using house = await House.open({
    environment: {
      FREEPBX_DOMAIN: pbx.settings.bindAddress,
      FREEPBX_SIP_PORT: String(pbx.settings.udpPort),
      FREEPBX_SIP_USERNAME: pbxAccess.username,
      FREEPBX_SIP_PASSWORD: pbxAccess.password,
    },
  })
  const fromPbx = async () => (await rawCall({ port: house.sipPort, from: pbx.settings.bindAddress })).status
  expect(await fromPbx()).toBe(403)
  const other = await greeted(await house.dial())
  const second = {
    name: 'Second',
    greeting: `[tone ${greetingHz} 600ms]`,
    destinations: [{ name: 'reception', address: '3000' }],
  }
  expect((await house.post('/v1/businesses', second)).status).toBe(201)
  await house.until(async () => (await fromPbx()) === 404)

  const call = await greeted(await house.dial({ parameters: { business: 'second' } }))
  const calls = (await house.get<{ calls: { id: string; business: string }[] }>('/v1/calls?state=live')).body.calls
  const id = calls.find(({ business }) => business === 'second')?.id
  expect((await house.post(`/v1/calls/${id}/transfer`, { destination: 'reception' })).status).toBe(202)
  const phone = await pbx.phone.nextCall()
  call.hum(callerHz)
  await Promise.all([call.hearsTone(pbxHz.phone, { forMs: 200 }), phone.hearsTone(callerHz, { forMs: 200 })])
  await phone.hangup()
  await Promise.all([call.ended, other.hangup()])
  const told = JSON.stringify([await house.get('/v1/businesses'), await house.get(`/v1/calls/${id}`), house.log])
  expect(told).not.toContain(pbxAccess.password)
  await Promise.all([house.isEmpty(), pbx.idle()])
})
