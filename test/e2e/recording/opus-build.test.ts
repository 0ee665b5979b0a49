import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const nothingLost = /nothing is lost: recordings are converted as before, by WebAssembly/
let house = ''
let tools = ''

/** A project of its own, with the packages of this one: nothing is compiled in it yet. */
beforeEach(() => {
  house = mkdtempSync(join(tmpdir(), 'parley-opus-'))
  for (const file of ['scripts/build-opus.mjs', 'src/recording/opus.ts', 'package.json']) {
    cpSync(join(root, file), join(house, file), { recursive: true })
  }
  const scope = '@discordjs'
  mkdirSync(join(house, 'node_modules', scope), { recursive: true })
  const own = readdirSync(join(root, 'node_modules')).filter(name => name !== scope && name !== '.opus-unfinished')
  for (const name of own) symlinkSync(join(root, 'node_modules', name), join(house, 'node_modules', name))
  for (const name of readdirSync(join(root, 'node_modules', scope))) {
    const filter = (path: string) => !path.includes('prebuild') && !path.includes('build-tmp')
    cpSync(join(root, 'node_modules', scope, name), opusIn(name), { recursive: true, filter })
  }
  tools = join(house, 'tools')
  mkdirSync(tools)
})
afterEach(() => rmSync(house, { recursive: true, force: true }))

function opusIn(name = 'opus'): string {
  return join(house, 'node_modules/@discordjs', name)
}

function program(name: string, text: string): void {
  writeFileSync(join(tools, name), `#!/bin/sh\n${text}\n`)
  chmodSync(join(tools, name), 0o755)
}

function build(path: string) {
  const env = { PATH: path, HOME: house }
  // A group of its own, which is killed as one: spawnSync takes this, too, whatever its types say.
  return spawnSync(process.execPath, ['scripts/build-opus.mjs'], {
    cwd: house,
    encoding: 'utf8',
    env,
    detached: true,
  } as object)
}

/** Of the next gateway that starts here. */
function encoder(): string {
  const asked = `import('./src/recording/opus.ts').then(({ bestCodec }) => console.log(bestCodec()))`
  return spawnSync(process.execPath, ['-e', asked], { cwd: house, encoding: 'utf8' }).stdout.trim()
}

const here = [dirname(process.execPath), process.env['PATH']].join(delimiter)

describe('npm run opus where libopus cannot be compiled', () => {
  it('names all that is missing, and that nothing is lost', () => {
    const { status, stderr } = build(tools)
    expect(status).toBe(1)
    expect(stderr).toContain('this machine has not: a C compiler (cc), a C++ compiler (g++), make, Python 3, npm.')
    expect(stderr).toContain('Debian has them in build-essential, python3 and npm')
    expect(stderr).toMatch(nothingLost)
    expect(encoder()).toBe('WebAssembly')
  })

  it('names what alone is missing', () => {
    for (const name of ['cc', 'make', 'python', 'npm']) program(name, 'exit 1')
    expect(build(tools).stderr).toContain('this machine has not: a C++ compiler (g++).')
  })
})

/** What compiles, as far as it comes: of a module a part is written, where it would be looked for. SIGBUS ends who loads it. */
function compiling(end: string): void {
  const [whole] = globSync(join(root, 'node_modules/@rolldown/*/*.node'))
  for (const name of ['cc', 'g++', 'make', 'python3']) program(name, 'exit 1')
  const place = `require('@discordjs/node-pre-gyp').find(require('node:path').resolve('package.json'))`
  program('npm', `at=$(node -p "${place}"); mkdir -p "$(dirname "$at")"; head -c 300000 "${whole}" > "$at"; ${end}`)
}

describe('what a broken compiler leaves', () => {
  it.each([
    ['by its own word', 'echo "fatal error: no space left on device" >&2; exit 1', /error: no space left on device/],
    ['without a word', 'exit 0', /what was compiled does not run here/],
  ])('is not loaded when it ends %s', (_, end, why) => {
    compiling(end)
    const { status, stderr } = build([tools, here].join(delimiter))
    expect(stderr).toMatch(why)
    expect(stderr).toMatch(nothingLost)
    expect(status).toBe(1)
    expect(existsSync(join(opusIn(), 'prebuild'))).toBe(false)
    expect(readdirSync(join(house, 'node_modules'))).not.toContain('.opus-unfinished')
    expect(encoder()).toBe('WebAssembly')
  })

  it('is not loaded when all of it is killed while it writes, and is gone after the next attempt', () => {
    compiling('kill -9 0')
    expect(build([tools, here].join(delimiter)).signal).toBe('SIGKILL')
    const unfinished = join(house, 'node_modules/.opus-unfinished')
    expect(readdirSync(join(unfinished, 'prebuild'), { recursive: true }).join()).toContain('opus.node')
    expect(encoder()).toBe('WebAssembly')
    compiling('exit 1')
    build([tools, here].join(delimiter))
    expect(existsSync(unfinished)).toBe(false)
  })

  it('takes nothing away of what was compiled before', () => {
    const before = join(opusIn(), 'prebuild/before/opus.node')
    mkdirSync(dirname(before), { recursive: true })
    writeFileSync(before, 'compiled')
    compiling('exit 1')
    expect(build([tools, here].join(delimiter)).status).toBe(1)
    expect(existsSync(before)).toBe(true)
  })
})
