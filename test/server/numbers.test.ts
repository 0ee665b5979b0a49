import { describe, expect, it } from 'vitest'
import { type CarrierNumber, type CarrierNumbers, NumberRefused } from '../../src/desk/carrier-numbers.ts'
import { CarrierError } from '../../src/twilio/errors.ts'
import { house, withToken } from './house.ts'

const kept: CarrierNumber = {
  ...{ number: '+15550100200', sid: `PN${'0'.repeat(32)}`, business: 'dentist', voice: true, sms: false },
  problems: ['its voiceUrl is not that of this Parley'],
}

function withNumbers(numbers: Partial<CarrierNumbers>) {
  const { server } = house({ numbers: numbers as CarrierNumbers })
  return (method: 'GET' | 'POST' | 'PUT' | 'DELETE', url: string, body?: object) =>
    server.inject({ method, url, headers: withToken, ...(body && { body }) })
}

describe('the numbers of the carrier', () => {
  it('are told with their health', async () => {
    const ask = withNumbers({ list: async () => [kept] })
    expect((await ask('GET', '/v1/numbers')).json()).toEqual({ numbers: [kept] })
  })

  it('are searched for by what is asked, and only by what can be', async () => {
    const asked: object[] = []
    const ask = withNumbers({
      async search(wanted) {
        asked.push(wanted)
        return [{ number: '+15550100301', place: 'Springfield', voice: true, sms: true, needsAddress: false }]
      },
    })
    const answer = await ask('GET', '/v1/numbers/available?country=US&areaCode=555&sms=true')
    expect(answer.json()).toMatchObject({ numbers: [{ number: '+15550100301' }] })
    expect(asked).toEqual([{ country: 'US', kind: 'local', areaCode: 555, sms: true }])
    for (const query of ['', '?country=us', '?country=US&kind=other', '?country=US&contains=%00'])
      expect([query, (await ask('GET', `/v1/numbers/available${query}`)).statusCode]).toEqual([query, 400])
  })

  it('are bought, fixed and given to businesses', async () => {
    const done: unknown[] = []
    const say = (what: string) => async (value: unknown, also?: unknown) => {
      done.push([what, value, ...(also === undefined ? [] : [also])])
      return kept
    }
    const ask = withNumbers({ buy: say('buy'), fix: say('fix'), assign: say('assign') })
    const path = `/v1/numbers/${encodeURIComponent('+15550100200')}`
    expect((await ask('POST', '/v1/numbers', { number: '+15550100200', business: 'dentist' })).statusCode).toBe(201)
    expect((await ask('POST', `${path}/fix`)).json()).toEqual(kept)
    expect((await ask('PUT', path, { business: 'plumber' })).statusCode).toBe(200)
    expect(done).toEqual([
      ['buy', { number: '+15550100200', business: 'dentist' }],
      ['fix', '+15550100200'],
      ['assign', '+15550100200', 'plumber'],
    ])
  })

  it('are released only when the number is said once more', async () => {
    const gone: string[] = []
    const ask = withNumbers({ release: async number => void gone.push(number) })
    const path = `/v1/numbers/${encodeURIComponent('+15550100200')}`
    for (const body of [undefined, {}, { number: '+15550100201' }])
      expect((await ask('DELETE', path, body)).statusCode).toBe(400)
    expect(gone).toEqual([])
    expect((await ask('DELETE', path, { number: '+15550100200' })).json()).toEqual({
      ...{ number: '+15550100200', released: true },
    })
    expect(gone).toEqual(['+15550100200'])
  })

  it('that cannot be had are told in words', async () => {
    for (const [error, status] of [
      [new NumberRefused('unknown', 'The account has no such number.'), 404],
      [new NumberRefused('conflict', 'The number belongs to the business plumber already.'), 409],
      [new CarrierError('CARRIER_REFUSED', 'Twilio refuses a number.', { number: 21_422 }), 502],
      [new CarrierError('CARRIER_AWAY', 'Twilio did not answer in time.', { unsure: true }), 503],
    ] as const) {
      const ask = withNumbers({ buy: () => Promise.reject(error) })
      const answer = await ask('POST', '/v1/numbers', { number: '+15550100200', business: 'dentist' })
      expect([answer.statusCode, answer.json().detail]).toEqual([status, error.message])
    }
  })
})
