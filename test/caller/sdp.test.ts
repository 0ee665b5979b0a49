import fc from 'fast-check'
import { expect, describe as group, it } from 'vitest'
import { type AudioDescription, describe, parseDescription, withStaticTypes } from '../../src/caller/sdp.ts'

const offer: AudioDescription = {
  address: '192.0.2.1',
  port: 4_000,
  laws: withStaticTypes(['alaw', 'ulaw']),
  digitsPayloadType: 101,
  direction: 'sendrecv',
  ptimeMs: 20,
}
const text = describe(offer, { id: 7, version: 2 })
const changed = (from: string | RegExp, to: string) => parseDescription(text.replace(from, to))

group('a description', () => {
  it('is written as RFC 4566 asks', () => {
    expect(text.split('\r\n')).toEqual([
      'v=0',
      'o=- 7 2 IN IP4 192.0.2.1',
      's=call',
      'c=IN IP4 192.0.2.1',
      't=0 0',
      'm=audio 4000 RTP/AVP 8 0 101',
      'a=rtpmap:8 PCMA/8000',
      'a=rtpmap:0 PCMU/8000',
      'a=rtpmap:101 telephone-event/8000',
      'a=fmtp:101 0-16',
      'a=ptime:20',
      'a=sendrecv',
      '',
    ])
  })

  it('is read back as it was', () => {
    expect(parseDescription(text)).toEqual(offer)
    const other: AudioDescription = {
      address: '2001:db8::1',
      port: 9,
      laws: [{ law: 'ulaw', payloadType: 96 }],
      digitsPayloadType: undefined,
      direction: 'inactive',
      ptimeMs: 40,
    }
    expect(parseDescription(describe(other, { id: 1, version: 1 }))).toEqual(other)
  })

  it('takes what Asterisk and others write: bare line feeds, no maps for static types, unknown lines and types', () => {
    const answer = [
      'v=0',
      'o=- 1 1 IN IP4 192.0.2.1',
      's=-',
      'c=IN IP4 192.0.2.9',
      't=0 0',
      'a=sendonly',
      'm=video 0 RTP/AVP 31',
      'c=IN IP4 192.0.2.8',
      'm=audio 4000 RTP/AVP 9 0 97 13',
      'a=rtpmap:97 Telephone-Event/8000',
      'a=maxptime:150',
      'm=audio 5000 RTP/AVP 8',
      'a=inactive',
    ].join('\n')
    expect(parseDescription(answer)).toEqual({
      address: '192.0.2.9',
      port: 4_000,
      laws: [{ law: 'ulaw', payloadType: 0 }],
      digitsPayloadType: 97,
      direction: 'sendonly',
      ptimeMs: 20,
    })
  })

  it('prefers what the stream itself says', () => {
    const own = changed(/m=audio.*\r\n/, 'a=inactive\r\n$&c=IN IP4 192.0.2.7/127\r\na=recvonly\r\n')
    expect(own).toMatchObject({ address: '192.0.2.7', direction: 'recvonly' })
  })

  it('knows that a type of the same number may mean something else', () => {
    expect(changed('a=rtpmap:0 PCMU', 'a=rtpmap:0 opus')?.laws).toEqual([{ law: 'alaw', payloadType: 8 }])
    expect(changed('PCMU/8000', 'PCMU/16000')?.laws).toEqual([{ law: 'alaw', payloadType: 8 }])
    expect(changed('PCMU/8000', 'pcmu/8000/1')?.laws).toHaveLength(2)
  })

  it.each([
    ['nothing', text, ''],
    ['no version first', 'v=0\r\n', ''],
    ['no audio', 'm=audio', 'm=text'],
    ['a port that is none', '4000', '70000'],
    ['no port', ' 4000', ''],
    ['another profile', 'RTP/AVP', 'RTP/SAVP'],
    ['no address', /c=.*\r\n/, ''],
    ['a name for an address', /c=.*\r\n/, 'c=IN IP4 example.invalid\r\n'],
  ])('is refused with %s', (_, from, to) => {
    expect(changed(from, to)).toBeUndefined()
  })

  it('never throws, whatever it holds', () => {
    const anything = fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes).toString('latin1'))
    fc.assert(fc.property(anything, text => void parseDescription(`v=0\r\nm=audio ${text}`)))
    fc.assert(
      fc.property(fc.nat(text.length), fc.string({ maxLength: 5 }), fc.nat(5), (at, put, cut) => {
        parseDescription(text.slice(0, at) + put + text.slice(at + cut))
      }),
    )
  })
})
