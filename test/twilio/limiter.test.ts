import { expect, it } from 'vitest'
import { Limiter } from '../../src/twilio/limiter.ts'
import { sourceFinder } from '../../src/twilio/source.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

it('lets each have as many as in a minute at once, and then as many as go by', async () => {
  const clock = new VirtualClock()
  const limiter = new Limiter({ perMinute: 60, most: 10, clock })
  const taken = (name: string, times: number) =>
    Array.from({ length: times }, () => limiter.take(name)).filter(Boolean).length
  expect([taken('a', 100), taken('b', 10)]).toEqual([60, 10])
  await clock.run(5_000)
  expect([taken('a', 100), taken('b', 100)]).toEqual([5, 55])
  await clock.run(120_000)
  expect(taken('a', 100)).toBe(60)
})

it('remembers the last of many, and forgets who has been quiet for longest', () => {
  const limiter = new Limiter({ perMinute: 1, most: 2, clock: new VirtualClock() })
  for (const name of ['a', 'b', 'c']) limiter.count(name)
  expect(['a', 'b', 'c'].map(name => limiter.isOver(name))).toEqual([false, true, true])
})

it.each([
  ['198.51.100.1', undefined, '198.51.100.1'],
  ['198.51.100.1', '203.0.113.9', '198.51.100.1'],
  ['127.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['::ffff:127.0.0.1', '1.1.1.1, 203.0.113.9:4711', '203.0.113.9'],
  ['127.0.0.1', '203.0.113.9, 10.0.0.7', '203.0.113.9'],
  ['127.0.0.1', '[2001:db8::1]:80', '2001:db8:0:0::/64'],
  // A subscriber has all addresses of such a network.
  ['2001:DB8:0:7:a:b:c:d', undefined, '2001:db8:0:7::/64'],
  ['2001:db8:0000:0007::9', undefined, '2001:db8:0:7::/64'],
  ['::1', undefined, '0:0:0:0::/64'],
  ['fe80::1%eth0', undefined, 'fe80:0:0:0::/64'],
  ['64:ff9b::203.0.113.9', undefined, '64:ff9b:0:0::/64'],
  ['127.0.0.1', undefined, undefined],
  ['127.0.0.1', '10.0.0.7', undefined],
  ['127.0.0.1', 'made up', undefined],
  ['', undefined, undefined],
])('finds that %s, for %s, is sent by %s', (peer, forwardedFor, source) => {
  expect(sourceFinder(['127.0.0.1/32', '10.0.0.0/8'])(peer, forwardedFor)).toBe(source)
})
