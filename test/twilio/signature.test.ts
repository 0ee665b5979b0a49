import { createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Fields, isSigned } from '../../src/twilio/signature.ts'

const authToken = '12345'
const url = 'https://mycompany.com/myapp.php?foo=1&bar=2'

/** By the words of https://www.twilio.com/docs/usage/webhooks/webhooks-security, not by Twilio's own code. */
function signatureOf(token: string, address: string, fields: Fields = {}): string {
  const written = Object.keys(fields)
    .sort()
    .flatMap(name => [...new Set([fields[name]!].flat())].sort().map(value => `${name}${value}`))
  return createHmac('sha1', token)
    .update(`${address}${written.join('')}`, 'utf8')
    .digest('base64')
}

function form(fields: Fields) {
  return { kind: 'form', fields } as const
}

describe("the examples of Twilio's documentation", () => {
  const fields = { CallSid: 'CA1234567890ABCDE', Digits: '1234', To: '+18005551212' }
  const earlier = { ...fields, From: '+14158675309', Caller: '+14158675309' }
  const present = { ...fields, From: '+12349013030', Caller: '+12349013030' }
  const digest = '0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620'

  it.each([
    ['0/KCTR6DLpKmkAf8muzZqo1nDgQ=', present],
    ['RSOYDt4T1cUTdK1PDd93/VVr8B8=', earlier],
  ])('takes the form signed with %s, and none of its neighbours', (signature, body) => {
    expect(isSigned(authToken, { url, signature, body: form(body) })).toBe(true)
    expect(isSigned('12346', { url, signature, body: form(body) })).toBe(false)
    expect(isSigned(authToken, { url: `${url}&more=1`, signature, body: form(body) })).toBe(false)
    expect(isSigned(authToken, { url, signature, body: form({ ...body, Digits: '1235' }) })).toBe(false)
    expect(isSigned(authToken, { url, signature, body: form({ ...body, More: '' }) })).toBe(false)
  })

  it('takes JSON by its digest in the address', () => {
    const signed = { url: `${url}&bodySHA256=${digest}`, signature: 'a9nBmqA0ju/hNViExpshrM61xv4=' }
    const text = '{"property": "value", "boolean": true}'
    expect(isSigned(authToken, { ...signed, body: { kind: 'json', text } })).toBe(true)
    expect(isSigned(authToken, { ...signed, body: { kind: 'json', text: `${text} ` } })).toBe(false)
  })
})

describe('a signature', () => {
  it('is that of every parameter, however it is written', () => {
    const names = fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }).filter(name => name !== '__proto__')
    const texts = fc.string({ unit: 'grapheme', maxLength: 20 })
    const bodies = fc.dictionary(names, fc.oneof(texts, fc.array(texts, { minLength: 2, maxLength: 4 })), {
      maxKeys: 6,
    })
    fc.assert(
      fc.property(bodies, fc.string({ minLength: 1, maxLength: 40 }), (fields, token) => {
        const signature = signatureOf(token, url, fields)
        expect(isSigned(token, { url, signature, body: form(fields) })).toBe(true)
        expect(isSigned(`${token}x`, { url, signature, body: form(fields) })).toBe(false)
        const forged = form({ ...fields, forged: 'yes' })
        expect(isSigned(token, { url, signature, body: forged })).toBe(false)
      }),
    )
  })

  it('is taken for the address with the port of its kind and without', () => {
    for (const signed of ['https://a.example/v1?x=1', 'https://a.example:443/v1?x=1']) {
      const signature = signatureOf(authToken, signed)
      expect(isSigned(authToken, { url: 'https://a.example/v1?x=1', signature, body: { kind: 'none' } })).toBe(true)
    }
  })

  it('of JSON without a digest in the address is none: it would hold for any body', () => {
    const body = { kind: 'json', text: '' } as const
    for (const address of [url, `${url}&bodySHA256=`]) {
      expect(isSigned(authToken, { url: address, signature: signatureOf(authToken, address), body })).toBe(false)
    }
    const empty = `${url}&bodySHA256=${createHash('sha256').update('').digest('hex')}`
    expect(isSigned(authToken, { url: empty, signature: signatureOf(authToken, empty), body })).toBe(true)
  })

  it('is none whatever stands in its place, and nothing throws', () => {
    const none = { kind: 'none' } as const
    expect(isSigned('', { url, signature: signatureOf('', url), body: none })).toBe(false)
    expect(isSigned(authToken, { url, signature: undefined, body: none })).toBe(false)
    expect(
      isSigned(authToken, { url: 'no address', signature: signatureOf(authToken, 'no address'), body: none }),
    ).toBe(false)
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (signature, address) => {
        expect(isSigned(authToken, { url: address, signature, body: none })).toBe(false)
      }),
    )
  })
})
