import { expect, it } from 'vitest'
import { FakeCall, house, withToken } from './house.ts'

const caller = { business: 'dentist', number: '+15550100177' }

/** Where something is kept of them. */
function knowing() {
  const here = house()
  const { ask } = here.store
  let isFirst = true
  here.store.ask = (async query => {
    if (!isFirst) return ask(query)
    isFirst = false
    return true
  }) as typeof ask
  return here
}

function ask({ server }: ReturnType<typeof house>, payload: object) {
  return server.inject({ method: 'POST', url: '/v1/callers/forget', headers: withToken, payload })
}

it('has a caller forgotten by a job that does not know who it is, and tells where else they are known', async () => {
  const here = knowing()
  const answer = await ask(here, caller)
  expect(answer.statusCode).toBe(202)
  const { id, business, elsewhere } = answer.json()
  expect([business, elsewhere]).toEqual(['dentist', { hooks: [], notices: [], carrier: false, provider: false }])
  expect(here.asked).toEqual([{ kind: 'forget', key: id, business: 'dentist', subject: { forgetting: id } }])
  expect(here.logged.join()).not.toContain(caller.number)
})

it('refuses who is on the telephone, numbers that nobody is known by, and businesses that there are not', async () => {
  const here = house()
  for (const [payload, status] of [
    [{ ...caller, number: 'anonymous' }, 400],
    [{ ...caller, number: '+266696687' }, 400],
    [{ ...caller, business: 'nobody' }, 404],
    [{ ...caller, also: 1 }, 400],
  ] as const)
    expect((await ask(here, payload)).statusCode).toBe(status)
  const call = new FakeCall('c1')
  here.exchange.live.push(call)
  expect((await ask(here, { ...caller, number: call.view.callerNumber })).statusCode).toBe(409)
  expect(here.asked).toEqual([])
})

it('tells that nothing is kept of a number, as it is written there: whoever asks would believe that they are forgotten', async () => {
  const here = house()
  const answer = await ask(here, { ...caller, number: '0015550100177' })
  expect([answer.statusCode, answer.json().detail]).toEqual([404, expect.stringContaining('another spelling')])
  expect(here.asked).toEqual([])
})
