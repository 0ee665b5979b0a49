import { expect, test } from 'vitest'
import { parseDestination } from '../../../src/telephony/asterisk/destination.ts'

test.each([
  ['sip:2000@10.0.0.5:5060;transport=tcp', { user: '2000', host: '10.0.0.5', port: 5060, transport: 'tcp' }],
  ['sip:2000@10.0.0.5', { user: '2000', host: '10.0.0.5', port: 5060, transport: 'udp' }],
  [
    'SIP:+15551230000@PBX.Example.com:15060',
    { user: '+15551230000', host: 'pbx.example.com', port: 15060, transport: 'udp' },
  ],
  [' sip:front-desk@pbx;Transport=UDP ', { user: 'front-desk', host: 'pbx', port: 5060, transport: 'udp' }],
])('%s', (text, expected) => {
  expect(parseDestination(text)).toEqual(expected)
})

test.each([
  ['2000', 'is no SIP address'],
  ['sip:10.0.0.5', 'is no SIP address'],
  ['sip:a b@10.0.0.5', 'is no SIP address'],
  ['sip:2000@10.0.0.5\nmatch = 0.0.0.0/0', 'is no SIP address'],
  ['sip:2000@10.0.0.5;x=${A}', 'is no SIP address'],
  ['sip:2000]@10.0.0.5', 'is no SIP address'],
  ['sips:2000@10.0.0.5', 'asks for TLS'],
  ['sip:2000@10.0.0.5:0', 'no valid port'],
  ['sip:2000@10.0.0.5:70000', 'no valid port'],
  ['sip:2000@10.0.0.500', 'names no valid host'],
  ['sip:2000@-x.example', 'names no valid host'],
  ['sip:2000@10.0.0.5;transport=tls', 'a transport other than'],
  ['sip:2000@10.0.0.5;user=phone', 'parameters other than'],
  ['sip:2000@10.0.0.5;transport=tcp;transport=udp', 'parameters other than'],
])('%j is refused in words', (text, words) => {
  expect(parseDestination(text)).toEqual({ problem: expect.stringContaining(words) })
})
