import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buildTree, discardTree, findTree, type Manifest, sweepUnfinished } from '../../src/debian/cache.ts'
import type { Architecture } from '../../src/debian/machine.ts'
import { isRecentEnough } from '../../src/telephony/asterisk/version.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const architecture: Architecture = { name: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'loader' }
const wanted = ['asterisk']
let cache: string

beforeEach(async () => {
  cache = join(await mkdtemp(join(tmpdir(), 'parley-cache-')), 'asterisk')
})

afterEach(() => rm(join(cache, '..'), { recursive: true }))

function manifest(version: string, changes: Partial<Manifest> = {}): Manifest {
  return { version, architecture: 'amd64', wanted, packages: [{ file: 'a.deb', sha256: 'ff' }], ...changes }
}

function builder(made: Manifest, content = '') {
  return async (folder: string) => {
    await mkdir(join(folder, 'root'))
    await writeFile(join(folder, 'root', 'content'), content)
    return made
  }
}

test('what was built is found, with its record; the newest of several', async () => {
  expect(await findTree(cache, architecture, wanted, isRecentEnough)).toBeUndefined()
  await buildTree(cache, builder(manifest('22.10.1')))
  await buildTree(cache, builder(manifest('22.11.0')))
  await buildTree(cache, builder(manifest('22.9.9')))
  const found = await findTree(cache, architecture, wanted, isRecentEnough)
  expect(found?.manifest).toEqual(manifest('22.11.0'))
  expect(existsSync(join(found?.root ?? '', 'content'))).toBe(true)
})

test('a tree of other packages, of another machine, or too old is not taken', async () => {
  await buildTree(cache, builder(manifest('22.10.1', { wanted: ['asterisk', 'more'] })))
  await buildTree(cache, builder(manifest('22.10.1', { architecture: 'arm64' })))
  await buildTree(cache, builder(manifest('22.10.0')))
  expect(await findTree(cache, architecture, wanted, isRecentEnough)).toBeUndefined()
  await buildTree(cache, builder(manifest('22.10.1')))
  expect((await findTree(cache, architecture, wanted, isRecentEnough))?.manifest.wanted).toEqual(wanted)
})

test('a build that fails half-way leaves nothing', async () => {
  const half = async (folder: string) => {
    await builder(manifest('22.10.1'))(folder)
    throw new Error('the line was cut')
  }
  await expect(buildTree(cache, half)).rejects.toThrow('the line was cut')
  expect(readdirSync(cache)).toEqual([])
})

test('a build that was killed half-way is never taken for whole, and is swept after an hour', async () => {
  const clock = new VirtualClock()
  const left = join(cache, '.unfinished-1')
  await builder(manifest('22.10.1'))(await mkdir(left, { recursive: true }).then(() => left))
  await writeFile(join(left, 'manifest.json'), JSON.stringify(manifest('22.10.1')))
  const begun = new Date(clock.wallMs())
  await utimes(left, begun, begun)
  expect(await findTree(cache, architecture, wanted, isRecentEnough)).toBeUndefined()
  clock.advance(59 * 60_000)
  await sweepUnfinished(cache, clock)
  expect(existsSync(left)).toBe(true)
  clock.advance(2 * 60_000)
  await sweepUnfinished(cache, clock)
  expect(existsSync(left)).toBe(false)
})

test('of two that build at once both get the tree that was finished first', async () => {
  let finishSecond = () => {}
  const firstIsDone = new Promise<void>(resolve => {
    finishSecond = resolve
  })
  const second = buildTree(cache, async folder => {
    await firstIsDone
    return builder(manifest('22.10.1'), 'second')(folder)
  })
  const first = await buildTree(cache, builder(manifest('22.10.1'), 'first'))
  finishSecond()
  expect((await second).folder).toBe(first.folder)
  expect(readdirSync(cache)).toHaveLength(1)
})

test('a discarded tree is gone, and another can take its place', async () => {
  const tree = await buildTree(cache, builder(manifest('22.10.1')))
  await discardTree(cache, tree)
  expect(readdirSync(cache)).toEqual([])
  await buildTree(cache, builder(manifest('22.10.1')))
  expect(await findTree(cache, architecture, wanted, isRecentEnough)).toBeDefined()
})
