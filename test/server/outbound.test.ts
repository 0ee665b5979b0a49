import { describe, expect, it } from 'vitest'
import { house, withToken } from './house.ts'

const asked = { business: 'dentist', to: '+15550100177' }

async function parts() {
  const made = house()
  await made.directory.create({
    name: 'Florist',
    numbers: ['+15550100200'],
    outbound: { enabled: true, to: ['+1555'] },
  })
  await made.directory.create({ name: 'Nameless', outbound: { enabled: true, to: ['+1555'] } })
  await made.directory.create({ name: 'Retired', active: false, outbound: { enabled: true, to: ['+1555'] } })
  const ask = (body: object, headers: object = { 'idempotency-key': 'k' }) =>
    made.server.inject({ method: 'POST', url: '/v1/calls', headers: { ...withToken, ...headers }, payload: body })
  return { ...made, ask }
}

describe('a call out that cannot be', () => {
  it('needs a key that it is known by', async () => {
    const { ask, dialler } = await parts()
    for (const headers of [{}, { 'idempotency-key': '' }, { 'idempotency-key': 'x'.repeat(201) }]) {
      const answer = await ask({ ...asked, business: 'florist' }, headers)
      expect([answer.statusCode, answer.json().problems]).toEqual([400, [expect.stringContaining('idempotency-key')]])
    }
    expect(dialler.woken).toBe(0)
  })

  it('is refused in words that tell what to do', async () => {
    const { ask, dialler } = await parts()
    for (const [body, status, words] of [
      [asked, 409, 'outbound.enabled'],
      [{ ...asked, business: 'nameless' }, 409, 'outbound.callerId'],
      [{ ...asked, business: 'retired' }, 409, 'not active'],
      [{ ...asked, business: 'nobody' }, 404, 'no such business'],
      [{ ...asked, business: 'florist', context: { secret: 'x' } }, 400, 'told of other things'],
      [{ ...asked, business: 'florist', to: '911' }, 400, 'not to be had'],
      [{ ...asked, business: 'florist', to: '+19005550100' }, 409, 'only that begin with +1555: see its outbound.to'],
      [{ ...asked, business: 'florist', also: 1 }, 400, 'not to be had'],
    ] as const) {
      const answer = await ask(body)
      expect([body, answer.statusCode, answer.json().detail]).toEqual([body, status, expect.stringContaining(words)])
    }
    dialler.unable = 'Set PUBLIC_BASE_URL: Twilio asks there what is to become of a call.'
    const answer = await ask({ ...asked, business: 'florist' })
    expect([answer.statusCode, answer.json().detail]).toEqual([503, dialler.unable])
  })
})
