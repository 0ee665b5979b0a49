import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readTrunkAddresses } from '../../../src/telephony/asterisk/addresses.ts'

test('eight signalling ranges of four addresses each, and the range of media', () => {
  const { signalling, media } = readTrunkAddresses()
  expect(new Set(signalling).size).toBe(8)
  for (const range of signalling) {
    const [, last, bits] = /\.(\d+)\/(\d+)$/.exec(range) ?? []
    expect([Number(last) % 4, bits]).toEqual([0, '30'])
  }
  expect(media).toEqual(['168.86.128.0/18'])
})

test.each([
  ['signalling: []\nmedia: [10.0.0.0/8]'],
  ['signalling: [everywhere]\nmedia: [10.0.0.0/8]'],
  ['signalling: [10.0.0.0/8]'],
  ['signalling: [10.0.0.0/8]\nmedia: [10.0.0.0/8]\nmore: 1'],
])('a file that is wrong is refused: %j', async text => {
  const folder = await mkdtemp(join(tmpdir(), 'parley-addresses-'))
  const file = join(folder, 'addresses.yaml')
  await writeFile(file, text)
  expect(() => readTrunkAddresses(file)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  await rm(folder, { recursive: true })
})
