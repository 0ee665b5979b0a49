import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { limits } from '../../src/limits.ts'
import { house, withToken } from './house.ts'

const yaml = 'application/yaml'
const dentist = { name: 'Dentist', numbers: ['+15550100200'], hours: { monday: [{ from: '09:00', to: '17:00' }] } }

type Asked = { body?: unknown; headers?: Record<string, string> }

function api() {
  const parts = house()
  const ask = (method: 'GET' | 'POST' | 'PUT', url: string, { body, headers }: Asked = {}) =>
    parts.server.inject({
      method,
      url: `/v1/businesses${url}`,
      headers: { ...withToken, ...headers },
      ...(body === undefined ? {} : { body: body as object }),
    })
  return { ...parts, ask }
}

describe('/v1/businesses', () => {
  it('lists them, the oldest first', async () => {
    const { ask, clock } = api()
    await clock.settle()
    clock.advance(1_000)
    expect((await ask('POST', '', { body: { ...dentist, name: 'Annex' } })).statusCode).toBe(201)
    const { businesses } = (await ask('GET', '')).json()
    expect(businesses).toMatchObject([
      { id: 'dentist', name: 'Dentist', active: true, version: 1, numbers: [] },
      { id: 'annex', name: 'Annex', active: true, version: 1, numbers: ['+15550100200'] },
    ])
  })

  it('shows a business to its own token, and to no other', async () => {
    const { ask, store, server } = api()
    await ask('POST', '', { body: { name: 'Annex' } })
    const at = new Date()
    const row = { id: 't', business: 'annex', name: 't', created_at: at, last_used_at: at, revoked_at: null }
    store.ask = (async () => row) as never
    const headers = { authorization: `Bearer parley_${'x'.repeat(43)}` }
    const look = (url: string) => server.inject({ url: `/v1/businesses${url}`, headers })
    expect((await look('')).json().businesses).toMatchObject([{ id: 'annex' }])
    expect((await look('/annex')).json()).toMatchObject({ name: 'Annex' })
    const [other, nobody] = [await look('/dentist'), await look('/nobody')]
    expect([other.statusCode, nobody.statusCode]).toEqual([404, 404])
    expect(other.json()).toEqual(nobody.json())
  })

  it('gives out what was put in, with nothing filled in, and as it was written', async () => {
    const { ask } = api()
    const put = await ask('PUT', '/dentist', { body: dentist })
    expect([put.statusCode, put.headers['etag']]).toEqual([200, '"2"'])
    const got = await ask('GET', '/dentist')
    expect(got.body).toBe(JSON.stringify({ id: 'dentist', active: true, ...dentist }))
    expect(got.headers['etag']).toBe('"2"')
    // What is given out can be put back as it is.
    expect((await ask('PUT', '/dentist', { body: got.json() })).statusCode).toBe(200)
  })

  it('takes and gives the form of the file', async () => {
    const { ask } = api()
    const body = '# a comment\nname: Dentist\nnumbers: ["+15550100200"]\ninstructions: |\n  Be brief.\n  Be kind.\n'
    const headers = { accept: yaml, 'content-type': yaml }
    const put = await ask('PUT', '/dentist', { body, headers })
    expect([put.statusCode, put.headers['content-type']]).toEqual([200, 'application/yaml'])
    expect(put.body).toBe(
      'id: dentist\nactive: true\nname: Dentist\nnumbers:\n  - "+15550100200"\ninstructions: |\n  Be brief.\n  Be kind.\n',
    )
    expect((await ask('GET', '/dentist')).json()).toEqual(parse(put.body))
    expect((await ask('POST', '', { body: put.body.replaceAll('dentist', 'annex'), headers })).statusCode).toBe(409)
    const wrong = await ask('PUT', '/dentist', { body: 'name: [', headers })
    expect(wrong.statusCode).toBe(400)
    expect(wrong.json().detail).toMatch(/not valid YAML/)
  })

  it('names every problem by its path, as the start does of the file', async () => {
    const { ask } = api()
    const body = { name: '', numbers: ['555'], colour: 'red', tools: [{ name: 'x', description: 'x', url: 'x' }] }
    const answer = await ask('PUT', '/dentist', { body })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(answer.json().problems.map((problem: string) => problem.split(':')[0])).toEqual(
      expect.arrayContaining(['name', 'numbers.0', 'tools.0.url', 'the file']),
    )
    for (const nothing of ['[]', '"text"', 'null', '{']) {
      const headers = { 'content-type': 'application/json' }
      expect((await ask('PUT', '/dentist', { body: nothing, headers })).statusCode).toBe(400)
    }
  })

  it('takes no secret, only its name', async () => {
    const { ask } = api()
    const tool = { name: 'look', description: 'Looks.', url: 'https://shop.example.com/x' }
    const withKey = (value: string) => ({ name: 'D', tools: [{ ...tool, headers: { Authorization: value } }] })
    const refused = await ask('PUT', '/dentist', { body: withKey('Bearer very-secret') })
    expect(refused.statusCode).toBe(400)
    expect(refused.body).not.toContain('very-secret')
    const named = await ask('PUT', '/dentist', { body: withKey('Bearer ${TOOL_SHOP_KEY}') })
    expect(named.json().tools[0].headers).toEqual({ Authorization: 'Bearer ${TOOL_SHOP_KEY}' })
  })

  it('refuses a change that was made to an older version', async () => {
    const { ask } = api()
    const change = (version: string, name: string) =>
      ask('PUT', '/dentist', { body: { name }, headers: { 'if-match': version } })
    expect((await change('"1"', 'First')).statusCode).toBe(200)
    const late = await change('"1"', 'Late')
    expect(late.json()).toMatchObject({ status: 412, version: 2 })
    expect((await change('W/"2"', 'Weak')).statusCode).toBe(412)
    expect((await change('"1", "2"', 'One of them')).statusCode).toBe(200)
    expect((await change('*', 'Any')).statusCode).toBe(200)
    expect((await ask('GET', '/dentist')).json().name).toBe('Any')
  })

  it('refuses an unknown id, one that is there, and a number that is another’s, each in words', async () => {
    const { ask } = api()
    expect((await ask('PUT', '/nobody', { body: dentist })).statusCode).toBe(404)
    expect((await ask('GET', '/nobody')).statusCode).toBe(404)
    const made = await ask('POST', '', { body: { id: 'annex', ...dentist } })
    expect([made.statusCode, made.headers['location']]).toEqual([201, '/v1/businesses/annex'])
    expect((await ask('POST', '', { body: { id: 'annex', name: 'Again' } })).json().detail).toMatch(/with this id/)
    const taken = await ask('PUT', '/dentist', { body: dentist })
    expect(taken.json()).toMatchObject({ status: 409, number: '+15550100200', business: 'annex' })
  })

  it('says that the database is away, and goes on telling what it knows', async () => {
    const { ask, records } = api()
    await ask('GET', '')
    records.away = true
    expect((await ask('PUT', '/dentist', { body: dentist })).json()).toMatchObject({ status: 503, code: 'STORE_AWAY' })
    expect((await ask('GET', '/dentist')).json()).toEqual({ id: 'dentist', active: true, name: 'Dentist' })
  })

  it('takes a business that is larger than other bodies may be, up to a bound', async () => {
    const { ask } = api()
    const services = (name: string) => Array.from({ length: 100 }, () => ({ name: name.repeat(200), minutes: 30 }))
    const large = { name: 'D', services: services('é'), instructions: 'é'.repeat(20_000) }
    expect(JSON.stringify(large).length).toBeLessThan(limits.http.bodyBytes)
    expect(Buffer.byteLength(JSON.stringify(large))).toBeGreaterThan(limits.http.bodyBytes)
    expect((await ask('PUT', '/dentist', { body: large })).statusCode).toBe(200)
    const tooLarge = { name: 'x'.repeat(limits.http.businessBytes) }
    expect((await ask('PUT', '/dentist', { body: tooLarge })).statusCode).toBe(413)
  })
})
