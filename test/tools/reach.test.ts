import { describe, expect, it } from 'vitest'
import { reachOf } from '../../src/tools/reach.ts'

describe('what a tool may reach', () => {
  it.each([
    '127.0.0.1',
    '127.255.255.255',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '::ffff:0:7f00:1',
    '2001:0:7f00:1::',
    '2002:7f00:1::',
    'fd00::1',
    'fe80::1',
    'ff02::1',
    'localhost',
    '',
  ])('is not %s', address => {
    expect(reachOf([])(address)).toBe(false)
  })

  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '203.0.113.7', '2606:4700::1', '::ffff:8.8.8.8'])(
    'is %s',
    address => {
      expect(reachOf([])(address)).toBe(true)
    },
  )

  it('is of the private ones what was allowed, and nothing beside it', () => {
    const reach = reachOf(['192.168.1.0/24', '10.0.0.7'])
    expect(['192.168.1.200', '10.0.0.7', '::ffff:10.0.0.7', '8.8.8.8'].map(reach)).toEqual(Array(4).fill(true))
    expect(['192.168.2.1', '10.0.0.8', '127.0.0.1'].map(reach)).toEqual(Array(3).fill(false))
  })
})
