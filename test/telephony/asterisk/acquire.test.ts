import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../src/clock.ts'
import { acquireAsterisk } from '../../../src/telephony/asterisk/acquire.ts'
import { fetchAsterisk } from '../../../src/telephony/asterisk/fetch.ts'

let folder: string
let told: string[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-acquire-'))
  told = []
})

afterEach(() => rm(folder, { recursive: true }))

function options(environment: Record<string, string> = {}) {
  return {
    cacheDirectory: join(folder, 'cache'),
    environment: { PATH: join(folder, 'empty'), ...environment },
    clock: systemClock,
    progress: (text: string) => void told.push(text),
  }
}

function acquire(configured: string, environment: Record<string, string> = {}) {
  return acquireAsterisk({ configured, ...options(environment) })
}

/** A program that says it is this version, with what an installation has beside it. */
async function install(version: string, beside = ['lib/asterisk/modules/chan_pjsip.so', 'share/asterisk/rest-api']) {
  const path = join(folder, version, 'sbin/asterisk')
  for (const file of beside.map(each => join(folder, version, each))) {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, '')
  }
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `#!/bin/sh\necho Asterisk ${version}\n`)
  await chmod(path, 0o755)
  return path
}

test('the configured program is taken, with what stands beside it', async () => {
  const path = await install('22.10.1')
  expect(await acquire(path)).toEqual({
    origin: 'configured',
    version: '22.10.1',
    command: [path],
    moduleDirectory: join(folder, '22.10.1/lib/asterisk/modules'),
    dataDirectory: join(folder, '22.10.1/share/asterisk'),
  })
})

test('a configured program that cannot be used is refused, never replaced', async () => {
  const refused = (words: RegExp) =>
    expect.objectContaining({ code: 'ASTERISK_MISSING', message: expect.stringMatching(words) })
  await expect(acquire('asterisk')).rejects.toEqual(
    refused(/not the absolute path.*Install Asterisk 22\.10\.1.*Docker/),
  )
  await expect(acquire('/nonexistent/asterisk')).rejects.toEqual(refused(/not the absolute path/))
  await expect(acquire(await install('22.10.0'))).rejects.toEqual(refused(/is version 22\.10\.0; at least 22\.10\.1/))
  await expect(acquire(await install('22.12.0', []))).rejects.toEqual(refused(/no module folder with chan_pjsip\.so/))
  await expect(acquire('/bin/true')).rejects.toEqual(refused(/does not tell a version/))
})

test('an installed one is taken; an older one is passed over with the reason', async () => {
  const older = await install('20.6.0')
  const recent = await install('22.11.0')
  const PATH = [older, recent].map(dirname).join(':')
  expect(await acquire('', { PATH })).toMatchObject({ origin: 'installed', version: '22.11.0', command: [recent] })
  expect(told).toEqual([`an installed Asterisk is passed over: ${older} is version 20.6.0; at least 22.10.1 is needed`])
})

test('without apt the message tells what to do, and nothing is left', async () => {
  const failure = await fetchAsterisk(options()).catch(error => error)
  expect(failure).toMatchObject({
    code: 'ASTERISK_MISSING',
    message: expect.stringMatching(/this machine has no apt\. Install Asterisk 22\.10\.1 .* ASTERISK .*Docker\.$/),
  })
  expect(await readdir(join(folder, 'cache'))).toEqual([])
})

test('a cache that cannot be written is told as such', async () => {
  await writeFile(join(folder, 'cache'), 'a file')
  await expect(fetchAsterisk(options())).rejects.toMatchObject({ code: 'STATE_UNWRITABLE' })
})
