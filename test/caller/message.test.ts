import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { headerOf, parseMessage, type SipMessage, sequenceOf, serialize, valuesOf } from '../../src/caller/message.ts'
import { MessageStream } from '../../src/caller/message-stream.ts'
import { limits } from '../../src/limits.ts'

const crlf = (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))

const INVITE = `INVITE sip:bianca@192.0.2.1:5061;transport=tcp;callSid=CA1 SIP/2.0
Via: SIP/2.0/TCP 192.0.2.9:40000;branch=z9hG4bKabc;rport
From: <sip:+15550100199@192.0.2.9>;tag=one
To: <sip:bianca@192.0.2.1>
Call-ID: abc
CSeq: 1 INVITE
Content-Length: 4

body`

/** Of a message that has all it needs; each test changes one thing. */
const changed = (from: string | RegExp, to: string) => parseMessage(crlf(INVITE.replace(from, to)))

describe('parseMessage', () => {
  it('reads a request', () => {
    const message = parseMessage(crlf(INVITE))!
    expect(message).toMatchObject({
      kind: 'request',
      method: 'INVITE',
      uri: 'sip:bianca@192.0.2.1:5061;transport=tcp;callSid=CA1',
      body: 'body',
    })
    expect(sequenceOf(message)).toEqual({ number: 1, method: 'INVITE' })
    expect(headerOf(message, 'call-id')).toBe('abc')
  })

  it('reads a response, also one without words', () => {
    expect(changed(/^INVITE .*/, 'SIP/2.0 486 Busy Here')).toMatchObject({ status: 486, reason: 'Busy Here' })
    expect(changed(/^INVITE .*/, 'SIP/2.0 200 ')).toMatchObject({ status: 200, reason: '' })
    expect(changed(/^INVITE .*/, 'sip/2.0 503 Où?')).toMatchObject({ status: 503, reason: 'Où?' })
  })

  // Torture in the spirit of RFC 4475: all of this is valid.
  it('spells out compact names, joins folded lines and is not picky about space', () => {
    const message = parseMessage(
      crlf(`INVITE sip:a%20b@[2001:db8::9]:5070;x=%3B SIP/2.0
v:SIP/2.0/UDP [2001:db8::1];branch=z9hG4bK1
VIA  :   SIP/2.0/TCP h2;branch=z9hG4bK2 ,
 SIP/2.0/TLS h3
f: "A \\"quoted, <tricky>\\" name" <sip:a@h>;tag=1
t:
  <sip:b@h>
\ti: not used: this line folds into To
I: call
cSEQ:  0009
   INVITE
X-Empty:
m: "a,b" <sip:x@h;p=1,2>, <sip:y@h>
L: 0

`),
    )!
    expect(valuesOf(message, 'via')).toEqual([
      'SIP/2.0/UDP [2001:db8::1];branch=z9hG4bK1',
      'SIP/2.0/TCP h2;branch=z9hG4bK2',
      'SIP/2.0/TLS h3',
    ])
    expect(valuesOf(message, 'Contact')).toEqual(['"a,b" <sip:x@h;p=1,2>', '<sip:y@h>'])
    expect(headerOf(message, 'To')).toBe('<sip:b@h> i: not used: this line folds into To')
    expect(headerOf(message, 'Call-ID')).toBe('call')
    expect(headerOf(message, 'x-empty')).toBe('')
    expect(sequenceOf(message)).toEqual({ number: 9, method: 'INVITE' })
  })

  it('takes an unknown method made of every character a token may have', () => {
    const method = "!interesting-Method0123456789_*+`.%indeed'~"
    expect(parseMessage(crlf(INVITE.replaceAll('INVITE', method)))).toMatchObject({ method })
  })

  it('takes the rest of the datagram as the body where no length is given, and leaves what is over', () => {
    expect(changed('Content-Length: 4\n', '')).toMatchObject({ body: 'body' })
    expect(changed('Content-Length: 4', 'Content-Length: 2')).toMatchObject({ body: 'bo' })
    expect(changed('Content-Length: 4', 'Content-Length: 4\nl: 4')).toMatchObject({ body: 'body' })
  })

  it.each([
    ['a length beyond the datagram', 'Content-Length: 4', 'Content-Length: 5'],
    ['a negative length', 'Content-Length: 4', 'Content-Length: -4'],
    ['a length that is no number', 'Content-Length: 4', 'Content-Length: 4e0'],
    ['an enormous length', 'Content-Length: 4', 'Content-Length: 99999999999999999999'],
    ['two different lengths', 'Content-Length: 4', 'Content-Length: 4\nContent-Length: 3'],
    ['another version', 'SIP/2.0\n', 'SIP/7.0\n'],
    ['no version', ' SIP/2.0\n', '\n'],
    ['two spaces in the first line', 'INVITE sip', 'INVITE  sip'],
    ['a space inside the address', 'bianca@', 'bianca @'],
    ['a tab inside the address', 'bianca@', 'bian\tca@'],
    ['a method that is no token', /INVITE/g, 'INV(TE'],
    ['a method that CSeq contradicts', '1 INVITE', '1 BYE'],
    ['a sequence number out of range', '1 INVITE', '2147483648 INVITE'],
    ['a sequence number that is none', '1 INVITE', 'one INVITE'],
    ['no Via', /Via.*\n/, ''],
    ['no From', /From.*\n/, ''],
    ['no To', /To.*\n/, ''],
    ['no Call-ID', /Call-ID.*\n/, ''],
    ['no CSeq', /CSeq.*\n/, ''],
    ['an empty Call-ID', 'Call-ID: abc', 'Call-ID:'],
    ['a line without a colon', 'Call-ID: abc', 'Call-ID: abc\nnonsense'],
    ['a header name with a space in it', 'Call-ID: abc', 'Call-ID: abc\nX Y: 1'],
    ['a lone carriage return inside a header', 'Call-ID: abc', 'Call-ID: abc\rX: y'],
    ['a status of 99', /^INVITE .*/, 'SIP/2.0 099 Low'],
    ['a status of 700', /^INVITE .*/, 'SIP/2.0 700 High'],
    ['no empty line at the end', /\n\nbody/, ''],
  ])('refuses %s', (_, from, to) => {
    expect(changed(from, to)).toBeUndefined()
  })

  it('refuses more headers than the bound', () => {
    const more = (count: number) => changed('CSeq', `${'X: y\n'.repeat(count)}CSeq`)
    expect(more(limits.caller.sipHeaders - 6)).toBeDefined()
    expect(more(limits.caller.sipHeaders - 5)).toBeUndefined()
  })

  it('never throws, whatever comes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => void parseMessage(Buffer.from(bytes))))
    fc.assert(
      fc.property(fc.nat(INVITE.length), fc.uint8Array({ maxLength: 6 }), fc.nat(6), (at, put, cut) => {
        const valid = crlf(INVITE)
        parseMessage(Buffer.concat([valid.subarray(0, at), put, valid.subarray(at + cut)]))
      }),
    )
  })
})

const word = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/)
const anyMessage: fc.Arbitrary<SipMessage> = fc
  .record({
    isRequest: fc.boolean(),
    id: word,
    headers: fc.array(fc.tuple(word, fc.stringMatching(/^[!-~]{1,20}( [!-~]{1,20})?$/)), { maxLength: 4 }),
    body: fc
      .array(fc.constantFrom('a', ' ', '\0', '\r\n', '\r\n\r\n', 'é', '€', '😀'), { maxLength: 30 })
      .map(parts => parts.join('')),
  })
  .map(({ isRequest, id, headers, body }) => ({
    ...(isRequest
      ? { kind: 'request', method: 'INFO', uri: `sip:${id}@h` }
      : { kind: 'response', status: 200, reason: id }),
    headers: [
      ['Via', `SIP/2.0/TCP h;branch=z9hG4bK${id}`],
      ['From', '<sip:a@h>;tag=1'],
      ['To', '<sip:b@h>'],
      ['Call-ID', id],
      ['CSeq', '7 INFO'],
      ...headers.map(([name, value]) => [`X-${name}`, value] as const),
    ],
    body,
  }))

const withoutLength = (message: SipMessage): SipMessage => ({
  ...message,
  headers: message.headers.filter(([name]) => name !== 'Content-Length'),
})

describe('serialize', () => {
  it('is read back as it was', () => {
    fc.assert(
      fc.property(anyMessage, message => {
        expect(withoutLength(parseMessage(serialize(message))!)).toEqual(message)
      }),
    )
  })

  it('counts the bytes of the body, not its characters', () => {
    const message = parseMessage(crlf(INVITE))!
    expect(serialize({ ...message, body: 'é€' }).toString()).toMatch(/\r\nContent-Length: 5\r\n\r\né€$/)
  })
})

describe('MessageStream', () => {
  it('finds the same messages in any pieces, with empty lines between them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyMessage, fc.nat(2)), { minLength: 1, maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 40 }),
        (messages, sizes) => {
          const parts = messages.map(([message, empty]) => [Buffer.from('\r\n'.repeat(empty)), serialize(message)])
          let rest = Buffer.concat(parts.flat())
          const stream = new MessageStream()
          const found: SipMessage[] = []
          for (let turn = 0; rest.length > 0; turn++) {
            const size = sizes[turn % sizes.length]!
            found.push(...stream.push(rest.subarray(0, size)))
            rest = rest.subarray(size)
          }
          expect(stream.broken).toBe(false)
          expect(found.map(withoutLength)).toEqual(messages.map(([message]) => message))
        },
      ),
    )
  })

  it('is broken for good by what is not SIP, by a missing length and by too much', () => {
    const broken = (text: string) => {
      const stream = new MessageStream()
      stream.push(crlf(text))
      return stream.broken
    }
    expect(broken(INVITE)).toBe(false)
    expect(broken('GET / HTTP/1.1\nHost: x\n\n')).toBe(true)
    expect(broken(INVITE.replace('Content-Length: 4\n', ''))).toBe(true)
    expect(broken(INVITE.replace('Content-Length: 4', `Content-Length: ${limits.caller.sipBytes}`))).toBe(true)
    expect(broken('x'.repeat(limits.caller.sipBytes))).toBe(false)
    expect(broken('x'.repeat(limits.caller.sipBytes + 1))).toBe(true)
  })

  it('gives what came before the break, and nothing after', () => {
    const stream = new MessageStream()
    expect(stream.push(Buffer.concat([crlf(INVITE), crlf('nonsense\n\n'), crlf(INVITE)]))).toHaveLength(1)
    expect(stream.push(crlf(INVITE))).toEqual([])
  })

  it('never throws, and breaks alike however garbage is cut', () => {
    const noise = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes))
    fc.assert(
      fc.property(noise, fc.nat(200), (bytes, at) => {
        const garbage = Buffer.concat([bytes, crlf('\n\n')])
        const whole = new MessageStream()
        const cut = new MessageStream()
        const atOnce = whole.push(garbage)
        const inTwo = [...cut.push(garbage.subarray(0, at)), ...cut.push(garbage.subarray(at))]
        expect(inTwo).toEqual(atOnce)
        expect(cut.broken).toBe(whole.broken)
      }),
    )
  })
})
