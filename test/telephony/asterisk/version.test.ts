import { expect, test } from 'vitest'
import { compareVersions, isRecentEnough, versionIn } from '../../../src/telephony/asterisk/version.ts'

test.each([
  ['Asterisk 22.10.1\n', '22.10.1'],
  ['Asterisk 22.10.1+dfsg+~cs6.17.60671434-1\n', '22.10.1'],
  ['Asterisk 20.9.3-rc1', '20.9.3'],
  ['Asterisk certified/20.7-cert1', undefined],
  ['Asterisk GIT-master-a1b2c3', undefined],
  ['Asterisk 22.10', undefined],
  ['bash: asterisk: command not found', undefined],
  ['', undefined],
])('"%s" tells version %s', (text, version) => {
  expect(versionIn(text)).toBe(version)
})

test('versions compare by their numbers', () => {
  expect(compareVersions('22.9.10', '22.10.1')).toBeLessThan(0)
  expect(compareVersions('23.0.0', '22.10.1')).toBeGreaterThan(0)
  expect(compareVersions('22.10.1', '22.10.1')).toBe(0)
  expect(['22.10.0', '22.9.99', '20.99.99', '22.10.1', '22.11.0', '100.0.0'].filter(isRecentEnough)).toEqual([
    '22.10.1',
    '22.11.0',
    '100.0.0',
  ])
})
