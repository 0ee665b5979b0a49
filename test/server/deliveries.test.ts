import { expect, it } from 'vitest'
import { house, withToken } from './house.ts'

const row = {
  id: 'd1',
  business: 'dentist',
  call: 'c1',
  hook: 'crm',
  event: 'call.ended',
  at: new Date(0),
  attempts: 1,
}
const rest = { last_at: null, last_status: 204, last_why: null, delivered_at: new Date(0), body: '{}' }
const crm = { name: 'crm', url: 'https://crm.example.com/parley', secret: 'TOOL_CRM_SECRET' }

it('is repeated where there is a hook to hear it, and refused where nobody would be told', async () => {
  const { server, store, asked } = house()
  store.ask = (async () => ({ ...row, ...rest })) as typeof store.ask
  const repeat = async () =>
    (await server.inject({ method: 'POST', url: '/v1/deliveries/d1/repeat', headers: withToken })).statusCode
  const have = async (...hooks: readonly object[]) => {
    const payload = { name: 'Dentist', hooks }
    const { statusCode } = await server.inject({
      method: 'PUT',
      url: '/v1/businesses/dentist',
      headers: withToken,
      payload,
    })
    expect(statusCode).toBe(200)
  }
  expect(await repeat()).toBe(409)
  await have({ ...crm, enabled: false })
  expect([await repeat(), asked]).toEqual([409, []])
  await have(crm)
  expect([await repeat(), asked.length]).toEqual([202, 1])
})
