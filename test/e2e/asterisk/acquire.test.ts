import { readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { runCommand } from '../../../src/debian/command.ts'
import { fetchAsterisk } from '../../../src/telephony/asterisk/fetch.ts'
import { cacheDirectory } from '../../support/asterisk.ts'

const options = { cacheDirectory, environment: process.env, clock: systemClock, progress: console.error }

test("Debian's package runs unpacked, is on record, and is found again", async () => {
  const program = await fetchAsterisk(options)
  const result = await runCommand([...program.command, '-V'], { clock: systemClock, timeoutMs: 5_000 })
  expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining(`Asterisk ${program.version}`) })
  const manifest = JSON.parse(readFileSync(join(program.dataDirectory, '../../../../manifest.json'), 'utf8'))
  expect(manifest.version).toBe(program.version)
  const files: string[] = manifest.packages.map((each: { file: string }) => each.file)
  for (const name of [
    'asterisk_',
    'asterisk-modules_',
    'asterisk-core-sounds-en-gsm_',
    'asterisk-moh-opsound-gsm_',
    'libc6_',
  ]) {
    expect(files.some(file => file.startsWith(name))).toBe(true)
  }
  for (const { sha256 } of manifest.packages) expect(sha256).toMatch(/^[0-9a-f]{64}$/)
  expect(await fetchAsterisk(options)).toEqual(program)
})

test('without a network the message tells what to do, and nothing is left', async () => {
  const emptyCache = await mkdtemp(join(tmpdir(), 'parley-acquire-'))
  const nowhere = 'http://127.0.0.1:9'
  const environment = { ...process.env, http_proxy: nowhere, https_proxy: nowhere }
  await expect(fetchAsterisk({ ...options, cacheDirectory: emptyCache, environment })).rejects.toMatchObject({
    code: 'ASTERISK_MISSING',
    message: expect.stringMatching(/apt could not read the release .*Install Asterisk 22\.10\.1 .*Docker\.$/),
  })
  expect(await readdir(emptyCache)).toEqual([])
  await rm(emptyCache, { recursive: true })
})
