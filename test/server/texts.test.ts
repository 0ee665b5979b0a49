import { describe, expect, it } from 'vitest'
import type { TextTaken, TextWish } from '../../src/desk/text-sender.ts'
import { house, withToken } from './house.ts'

const wanted = { business: 'dentist', to: '+15550100177', text: 'Until tomorrow' }

function sending(taken: TextTaken = { kind: 'taken', status: 'wanted' }) {
  const asked: TextWish[] = []
  const texts = {
    async send(wish: TextWish) {
      asked.push(wish)
      return taken
    },
  }
  const { server } = house({ texts })
  const ask = async (body: object, headers: Record<string, string> = { 'idempotency-key': 'reminder-7' }) => {
    const request = { method: 'POST', url: '/v1/texts', headers: { ...withToken, ...headers }, payload: body } as const
    const answer = await server.inject(request)
    return { status: answer.statusCode, body: answer.json() }
  }
  return { asked, ask }
}

describe('POST /v1/texts', () => {
  it('asks for one message for each key of a business, whoever asks again', async () => {
    const { asked, ask } = sending()
    const first = await ask(wanted)
    expect(first).toEqual({ status: 202, body: { id: expect.stringMatching(/^text-[0-9a-f]{32}$/), status: 'wanted' } })
    expect((await ask(wanted)).body).toEqual(first.body)
    expect((await ask(wanted, { 'idempotency-key': 'reminder-8' })).body.id).not.toBe(first.body.id)
    expect(asked[0]).toMatchObject({ ...{ id: first.body.id, channel: 'sms', to: wanted.to, text: wanted.text } })
    expect(asked[0]!.business.id).toBe('dentist')
  })

  it.each([
    ['without a key', wanted, {}, 400],
    ['to what is no number', { ...wanted, to: '0555 100' }, undefined, 400],
    ['of nothing', { ...wanted, text: '' }, undefined, 400],
    ['that is too long', { ...wanted, text: 'x'.repeat(1_601) }, undefined, 400],
    ['of a business that is none', { ...wanted, business: 'plumber' }, undefined, 404],
  ])('refuses one %s, and nobody hears of it', async (_, body, headers, status) => {
    const { asked, ask } = sending()
    expect((await ask(body, headers)).status).toBe(status)
    expect(asked).toEqual([])
  })

  it.each([
    [{ kind: 'conflict' }, 409, 'Another message'],
    [{ kind: 'refused', why: 'stopped', words: 'They want no more.' }, 409, 'They want no more.'],
    [{ kind: 'refused', why: 'full', words: 'Too many.' }, 503, 'Too many.'],
  ] as const)('says why nothing is sent: %j', async (taken, status, words) => {
    const answer = await sending(taken).ask(wanted)
    expect([answer.status, answer.body.detail]).toEqual([status, expect.stringContaining(words)])
  })

  it('says so where there is no account to send by', async () => {
    const { server } = house()
    const headers = { ...withToken, 'idempotency-key': 'reminder-7' }
    const answer = await server.inject({ method: 'POST', url: '/v1/texts', headers, payload: wanted })
    expect([answer.statusCode, answer.json().detail]).toEqual([503, expect.stringContaining('no account')])
  })
})

it('tells of voicemails and messages by the cursors of their own lists alone', async () => {
  const { server } = house()
  const cursor = Buffer.from(JSON.stringify([0, 'text-1'])).toString('base64url')
  const of = async (list: string) =>
    (await server.inject({ url: `/v1/${list}?cursor=${cursor}`, headers: withToken })).statusCode
  expect([await of('voicemails'), await of('texts')]).toEqual([400, 200])
})
