import { expect, it } from 'vitest'
import { judgeDestinations } from '../../../src/commands/doctor/destinations.ts'

const outlet = { host: 'pbx.example', port: 5060, transport: 'udp', addresses: ['192.0.2.9'], answer: 404 } as const

it.each([
  ['whatever it answers, it is there', {}, 'ok', /pbx\.example:5060 \(udp\) answer at 192\.0\.2\.9/],
  ['a name that nobody knows', { addresses: [], answer: undefined }, 'error', /nobody knows the name pbx\.example/],
  ['silence', { answer: 'no answer within 5000 ms' }, 'warning', /do not answer at 192\.0\.2\.9: no answer/],
  ['TLS is not tried', { transport: 'tls', answer: undefined }, 'hint', /are reached by TLS/],
  ['an address needs no look-up', { host: '192.0.2.9' }, 'ok', /192\.0\.2\.9:5060 \(udp\) answer\.$/],
] as const)('%s', (_, change, severity, words) => {
  expect(judgeDestinations([{ ...outlet, ...change }])).toEqual([
    expect.objectContaining({ check: 'destinations', severity, words: expect.stringMatching(words) }),
  ])
})
