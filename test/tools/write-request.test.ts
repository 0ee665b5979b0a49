import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { businessTools } from '../../src/business-tools.ts'
import { limits } from '../../src/limits.ts'
import { type Arguments, type Occasion, writeRequest } from '../../src/tools/write-request.ts'

const facts = { callerNumber: '+15550100300', calledUser: 'bianca', parameters: { callSid: 'CA1' } }
const occasion: Occasion = { callId: '1.7', facts, idempotencyKey: 'key-1' }
const properties = {
  number: { type: 'string' },
  note: { type: 'string' },
  tags: { type: 'array', items: { type: 'string' } },
}

function written(changes: object, args: Arguments, of = occasion, secrets: Record<string, string> = {}) {
  const tool = { name: 'find_order', description: 'Finds it.', url: 'https://shop.example.com/orders/{number}/state' }
  const [choice] = businessTools.parse([{ ...tool, parameters: { properties, required: ['number'] }, ...changes }])
  const request = writeRequest(choice!, args, of, secrets)
  if ('problem' in request) return request
  return { ...request, url: request.url.href }
}

describe('the request of a tool', () => {
  it('fetches: arguments stand in the address, or behind it', () => {
    const request = written({}, { number: 'A 7/8?', note: 'a&b', tags: ['x', 'y'] })
    expect(request).toMatchObject({
      method: 'GET',
      url: 'https://shop.example.com/orders/A%207%2F8%3F/state?note=a%26b&tags=x&tags=y',
      body: undefined,
    })
    expect('headers' in request && request.headers['idempotency-key']).toBeUndefined()
  })

  it('changes: the rest of the arguments is the body, and the key tells a repetition', () => {
    expect(written({ method: 'POST' }, { number: '7', note: 'grüezi' })).toMatchObject({
      method: 'POST',
      url: 'https://shop.example.com/orders/7/state',
      headers: { 'content-type': 'application/json', 'content-length': '18', 'idempotency-key': 'key-1' },
      body: '{"note":"grüezi"}',
    })
  })

  it('tells who calls, in what a header can carry', () => {
    const odd = { callerNumber: 'Jörg\r\nHost: x', calledUser: 'bianca', parameters: { patient: 'Müller\n€' } }
    expect(written({}, { number: '7' }, { ...occasion, facts: odd })).toMatchObject({
      headers: {
        'parley-call': '1.7',
        'parley-caller': 'J\\u00f6rg\\u000d\\u000aHost: x',
        'parley-called': 'bianca',
        'parley-parameters': '{"patient":"M\\u00fcller\\n\\u20ac"}',
      },
    })
    const long = { ...facts, parameters: { all: 'x'.repeat(limits.tools.contextChars) } }
    const request = written({}, { number: '7' }, { ...occasion, facts: long })
    expect('headers' in request && request.headers['parley-parameters']).toBeUndefined()
  })

  it('has its secrets from the environment', () => {
    const headers = { Authorization: 'Bearer ${TOOL_KEY}' }
    expect(written({ headers }, { number: '7' }, occasion, { TOOL_KEY: 'secret' })).toMatchObject({
      headers: { authorization: 'Bearer secret' },
    })
  })

  it('is never made for a place that stays empty, or that leads elsewhere', () => {
    for (const number of ['', '.', '..']) expect(written({}, { number })).toMatchObject({ problem: expect.any(String) })
    expect(written({ url: 'https://shop.example.com/x/.%2{number}/y' }, { number: 'e' })).toMatchObject({
      problem: expect.stringContaining('no address'),
    })
    const url = 'https://shop.example.com/x.{number}'
    expect(written({ url }, { number: './admin' })).toMatchObject({ url: 'https://shop.example.com/x..%2Fadmin' })
  })

  it('goes to the same place whatever a caller says', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ maxLength: 20 }), (number, note) => {
        const request = written({}, { number, note })
        if ('problem' in request) return
        const { origin, pathname, username, hash } = new URL(request.url)
        expect([origin, username, hash]).toEqual(['https://shop.example.com', '', ''])
        expect(pathname).toMatch(/^\/orders\/[^/]+\/state$/)
      }),
      { numRuns: 500, seed: 3 },
    )
  })
})
