import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readFacts } from '../../src/telephony/facts.ts'
import { sipAddress } from '../../src/twilio/sip-address.ts'

const way = { user: 'bianca', host: 'sip.example.com', port: 5_061 }

/** As Asterisk would tell of it: the address without what stands behind `?`, which becomes headers. */
function arrived(uri: string, keeps: { parameters: boolean } = { parameters: true }) {
  const [address = '', headers = ''] = uri.split('?')
  const sent = headers
    .split('&')
    .filter(Boolean)
    .map(pair => pair.split('='))
  return readFacts({
    PARLEY_URI: encodeURIComponent(keeps.parameters ? address : address.split(';').slice(0, 2).join(';')),
    PARLEY_HEADERS: sent
      .map(([name = '', value = '']) => `${name}=${encodeURIComponent(decodeURIComponent(value))}`)
      .join('&'),
    PARLEY_FROM: '+15550100177',
    PARLEY_USER: 'bianca',
    'CHANNEL(audionativeformat)': '(ulaw)',
  })
}

const names = fc
  .string({ unit: fc.constantFrom(...'abcdefgXYZ019-'), minLength: 1, maxLength: 39 })
  .map(name => `n${name}`)
const carriedByAny = fc
  .uniqueArray(fc.tuple(names, fc.string({ unit: 'binary', maxLength: 200 })), {
    maxLength: 25,
    selector: ([name]) => name.toLowerCase(),
  })
  .map(pairs => [['callSid', 'CA1'], ...pairs] as [string, string][])

describe('the address that is dialled', () => {
  it('carries what it is given as parameters and as headers', () => {
    const carried = [
      ['callSid', 'CA1'],
      ['called', '+15550100200'],
      ['patientId', '4 7;1?x=&"<'],
    ] as const
    expect(sipAddress({ ...way, carried })).toEqual({
      uri:
        'sip:bianca@sip.example.com:5061;transport=tcp;callSid=CA1;called=%2B15550100200;patientId=4%207%3B1%3Fx%3D%26%22%3C' +
        '?X-callSid=CA1&X-called=%2B15550100200&X-patientId=4%207%3B1%3Fx%3D%26%22%3C',
      leftOut: [],
    })
  })

  it('is within the limits of Twilio whatever it carries, and what matters most is left out last', () => {
    fc.assert(
      fc.property(carriedByAny, carried => {
        const { uri, leftOut } = sipAddress({ ...way, carried })
        const [address = '', headers = ''] = uri.split('?')
        expect(address.length).toBeLessThan(255)
        expect(headers.length).toBeLessThan(1_024)
        expect(address).toContain(';callSid=CA1')
        expect(headers).toContain('X-callSid=CA1')
        expect(uri).toMatch(/^sip:bianca@sip\.example\.com:5061;transport=tcp[A-Za-z0-9%._=;-]*\?[A-Za-z0-9%._=&-]*$/)
        for (const name of leftOut) expect(uri).not.toContain(`X-${name}=`)
      }),
    )
  })

  it.each([true, false])('tells the agent the same whether its parameters are kept or not: %s', parameters => {
    fc.assert(
      fc.property(carriedByAny, carried => {
        const { uri, leftOut } = sipAddress({ ...way, carried })
        const told = arrived(uri, { parameters })!
        expect(told.parameters['callSid']).toBe('CA1')
        const known = Object.fromEntries(
          Object.entries({ ...told.headers, ...told.parameters }).map(([name, text]) => [
            name.toLowerCase().replace(/^x-/, ''),
            text,
          ]),
        )
        for (const [name, value] of carried) {
          if (leftOut.includes(name) || !(parameters || uri.includes(`X-${name}=`))) continue
          expect(known[name.toLowerCase()]).toBe(value.toWellFormed().replace(/\p{Cc}/gu, ''))
        }
      }),
    )
  })
})
