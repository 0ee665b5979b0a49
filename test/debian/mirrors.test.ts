import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readMirrors } from '../../src/debian/mirrors.ts'

let apt: string

beforeEach(async () => {
  apt = await mkdtemp(join(tmpdir(), 'parley-apt-'))
  await mkdir(join(apt, 'sources.list.d'))
})

afterEach(() => rm(apt, { recursive: true }))

const write = (file: string, text: string) => writeFile(join(apt, file), text)

test('a machine without sources has no mirrors', async () => {
  expect(readMirrors(apt, 'bookworm')).toEqual([])
  expect(readMirrors(join(apt, 'nonexistent'), 'bookworm')).toEqual([])
})

test('the form of .sources files: several stanzas, continued fields, comments, what is disabled', async () => {
  await write(
    'sources.list.d/debian.sources',
    [
      'Types: deb deb-src',
      '# Uris: http://commented.example/debian',
      'URIs: http://one.example/debian',
      '  http://two.example/debian/',
      'Suites: bookworm bookworm-updates',
      'Components: main',
      '  contrib',
      'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
      '',
      'Types: deb',
      'URIs: http://security.example/debian-security',
      'Suites: bookworm-security',
      'Components: main',
      '',
      'Enabled: no',
      'Types: deb',
      'URIs: http://disabled.example/debian',
      'Suites: bookworm',
      'Components: main',
      '',
      'types: deb',
      'uris: http://inline.example/debian',
      'suites: stable',
      'components: main',
      'signed-by:',
      ' -----BEGIN PGP PUBLIC KEY BLOCK-----',
      ' .',
      ' abc',
    ].join('\n'),
  )
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  expect(readMirrors(apt, 'bookworm')).toEqual([
    { uri: 'http://one.example/debian', keyring },
    { uri: 'http://two.example/debian/', keyring },
    { uri: 'http://inline.example/debian', keyring: undefined },
  ])
})

test('the form of .list files: options, comments, other kinds, and files with other endings', async () => {
  await write(
    'sources.list',
    [
      '# deb http://commented.example/debian bookworm main',
      'deb-src http://source.example/debian bookworm main',
      'deb [arch=amd64 signed-by=/etc/apt/keyrings/own.asc] https://own.example/debian bookworm main non-free # why',
      '  deb http://plain.example/debian bookworm contrib main',
      'deb http://security.example/debian-security bookworm-security main',
      'deb http://twice.example/debian bookworm main',
      'deb http://twice.example/debian bookworm main',
      'deb cdrom:[Debian]/ bookworm main',
    ].join('\n'),
  )
  await write('sources.list.d/other.list', 'deb https://vendor.example/apt nodistro main\n')
  await write('sources.list.d/old.list.save', 'deb http://old.example/debian bookworm main\n')
  expect(readMirrors(apt, 'bookworm')).toEqual([
    { uri: 'https://own.example/debian', keyring: '/etc/apt/keyrings/own.asc' },
    { uri: 'http://plain.example/debian', keyring: undefined },
    { uri: 'http://twice.example/debian', keyring: undefined },
  ])
})
