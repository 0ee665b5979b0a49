import { expect, test } from 'vitest'
import { onDisk } from '../../src/debian/disk.ts'
import { GatewayError } from '../../src/errors.ts'

const fail = (error: Error) => onDisk('/var/lib/parley', () => Promise.reject(error))

test.each([
  ['EACCES', 'may not be written by this user'],
  ['EROFS', 'mounted read-only'],
  ['ENOSPC', 'disk is full'],
  ['ENOTDIR', 'a file stands where a folder is needed'],
])('%s is told in words, with the folder', async (code, words) => {
  const failure = fail(Object.assign(new Error('x'), { code }))
  await expect(failure).rejects.toMatchObject({ code: 'STATE_UNWRITABLE', message: expect.stringContaining(words) })
  await expect(failure).rejects.toThrow('/var/lib/parley')
})

test('a full disk that another program met is one too', async () => {
  const met = new GatewayError('ASTERISK_MISSING', 'a.deb could not be unpacked: tar: x: No space left on device')
  await expect(fail(met)).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' })
})

test('what no person can put right is passed on as it is', async () => {
  const error = new Error('a bug')
  await expect(fail(error)).rejects.toBe(error)
  expect(await onDisk('/x', () => Promise.resolve(1))).toBe(1)
})
