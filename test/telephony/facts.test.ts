import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { readFacts } from '../../src/telephony/facts.ts'

function facts(changes: { uri?: string; headers?: string; format?: string; encodedUri?: string }) {
  return readFacts({
    PARLEY_URI: changes.encodedUri ?? encodeURIComponent(changes.uri ?? 'sip:bianca@example.org'),
    PARLEY_HEADERS: changes.headers ?? '',
    PARLEY_FROM: '+15550001',
    PARLEY_USER: 'bianca',
    'CHANNEL(audionativeformat)': changes.format ?? '(ulaw)',
  })
}

describe('the law', () => {
  it.each([
    ['(ulaw)', 'ulaw'],
    ['(alaw)', 'alaw'],
    ['(alaw|ulaw)', 'alaw'],
    ['(opus|ulaw)', 'ulaw'],
    ['ulaw', 'ulaw'],
    ['(slin)', undefined],
    ['(nothing)', undefined],
    ['(g722|xulaw)', undefined],
    ['', undefined],
  ])('of %s is %s', (format, law) => {
    expect(facts({ format })?.law).toBe(law)
  })
})

describe('the parameters', () => {
  it.each([
    [
      'sip:bianca@host:5061;transport=tcp;callSid=CA1;patientId=a%20b',
      { transport: 'tcp', callSid: 'CA1', patientId: 'a b' },
    ],
    ['sip:bianca;isub=1@host;lr;a=b=c?subject=x;y=z', { lr: '', a: 'b=c' }],
    ['sip:host;a=1', { a: '1' }],
    ['sip:bianca@[2001:db8::1]:5061;a=1', { a: '1' }],
    ['sip:bianca@host;bad=%E0%A4%A;good=%41', { bad: '%E0%A4%A', good: 'A' }],
    ['sip:bianca@host;a=one%0d%0atwo%00', { a: 'onetwo' }],
    ['sip:bianca@host;;=x;', {}],
    ['sip:bianca@host;__proto__=x;constructor=y', JSON.parse('{"__proto__":"x","constructor":"y"}')],
    ['', {}],
  ])('of %s', (uri, parameters) => {
    const read = facts({ uri })?.parameters
    expect(JSON.stringify(read)).toBe(JSON.stringify(parameters))
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  })

  it('are bounded in number and in size', () => {
    const { parameterCount, parameterBytes } = limits.call
    const many = Array.from({ length: parameterCount + 5 }, (_, index) => `;p${index}=1`).join('')
    expect(Object.keys(facts({ uri: `sip:b@h${many}` })?.parameters ?? {}).length).toBe(parameterCount)
    const fits = 'é'.repeat(parameterBytes / 2 - 1)
    const read = facts({ uri: `sip:b@h;n1=${fits}é;n=${fits};m=2` })?.parameters
    expect(read).toEqual({ n: fits, m: '2' })
  })
})

describe('the headers', () => {
  it('have names in lower case and values as they were sent', () => {
    const headers = 'X-Twilio-CallSid=CAb1&x-note=a%26b%3Dc%20%E2%9C%93&X-Empty='
    expect(facts({ headers })?.headers).toEqual({ 'x-twilio-callsid': 'CAb1', 'x-note': 'a&b=c ✓', 'x-empty': '' })
    expect(facts({ headers: '' })?.headers).toEqual({})
  })
})

describe('whatever a stranger sends', () => {
  it('is read without a throw, within the bounds, and free of control characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.string(), (encodedUri, headers, format) => {
        const read = facts({ encodedUri, headers, format: `${format}(ulaw)` })
        const words = [read?.requestUri, ...Object.entries({ ...read?.parameters, ...read?.headers }).flat()]
        expect(words.join('')).not.toMatch(/\p{Cc}/u)
      }),
    )
  })
})
